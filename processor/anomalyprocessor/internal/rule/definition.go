package rule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Definition is a rule as it is written in YAML.
type Definition struct {
	// Name and Position are the key of the rule and where it stands.
	Name     string   `yaml:"-"`
	Position Position `yaml:"-"`

	// Description says what the rule looks for.
	Description string `yaml:"description"`
	// ThresholdSource says where the levels and parameters come from.
	ThresholdSource string `yaml:"threshold_source"`
	// Entity names the attributes that identify what is judged; without any it is the resource.
	Entity []string `yaml:"entity"`
	// Inputs are the facts that the rule needs, by the name that its expressions use.
	Inputs map[string]InputDefinition `yaml:"inputs"`
	// Parameters are numbers that users may override.
	Parameters map[string]float64 `yaml:"parameters"`
	// Define names intermediate results, numbers or true or false; each may use inputs, parameters and what is defined
	// before it.
	Define Steps `yaml:"define"`
	// When says whether the value means anything; while it is false the entity counts as healthy.
	When Text `yaml:"when"`
	// Value is what the levels are held against.
	Value Text `yaml:"value"`
	// Impact is the time lost, in seconds. A rule that cannot tell has a gate of its own instead.
	Impact Text `yaml:"impact"`
	// Gate says whether the impact is worth a person's time; empty means DefaultGate.
	Gate Text `yaml:"gate"`
	// Levels are the values at which each severity begins.
	Levels Levels `yaml:"levels"`
	// For is how long the value has to stay at or beyond the lowest level, by the time of the data.
	For time.Duration `yaml:"for"`
	// Reason and Advice are templates for what is said.
	Reason Text `yaml:"reason"`
	Advice Text `yaml:"advice"`
}

// InputDefinition says which data points are an input.
//
// The value is the sum of the points of one time that match, so a dimension that is not selected is summed over.
// Points that lack the attributes of the rule's entity are shared by all entities of the resource.
type InputDefinition struct {
	// Metric is the name of the metric.
	Metric string `yaml:"metric"`
	// Where selects points by their attributes.
	Where map[string]string `yaml:"where"`
	// Match reads the input from another resource: attributes of its point or resource (keys) that have to equal
	// attributes of what is judged or of its resource (values).
	Match map[string]string `yaml:"match"`
	// Default makes the input optional.
	Default *float64 `yaml:"default"`
}

// Position is a place in a file.
type Position struct {
	File string
	Line int
}

func (p Position) String() string {
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Text is an expression or a template and the line it begins at.
type Text struct {
	Source string
	Line   int
}

// UnmarshalYAML keeps the line along with the text.
func (t *Text) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: must be text", node.Line)
	}
	t.Source, t.Line = node.Value, node.Line
	if node.Style == yaml.LiteralStyle || node.Style == yaml.FoldedStyle {
		t.Line++
	}
	return nil
}

// Step is a named intermediate result.
type Step struct {
	Name       string
	Expression Text
}

// Steps are in the order in which they are written.
type Steps []Step

// UnmarshalYAML keeps the order of the mapping.
func (s *Steps) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: must be names and expressions", node.Line)
	}
	for i := 0; i < len(node.Content); i += 2 {
		step := Step{Name: node.Content[i].Value}
		if err := step.Expression.UnmarshalYAML(node.Content[i+1]); err != nil {
			return err
		}
		*s = append(*s, step)
	}
	return nil
}

// Override changes the numbers of a rule.
type Override struct {
	// Levels replaces those levels that are given.
	Levels Levels `mapstructure:"levels"`
	// For replaces the time that the rule has to hold.
	For *time.Duration `mapstructure:"for"`
	// Parameters replaces numbers of the rule by name, those of its gate among them.
	Parameters map[string]float64 `mapstructure:"parameters"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Override returns the definition with the numbers changed.
func (d Definition) Override(o Override) (Definition, error) {
	d.Levels = d.Levels.merge(o.Levels)
	if o.For != nil {
		d.For = *o.For
	}
	known := d.parameters()
	var errs error
	for _, name := range sortedKeys(o.Parameters) {
		if _, ok := known[name]; !ok {
			errs = errors.Join(errs, fmt.Errorf("unknown parameter %q%s", name, Suggest(name, sortedKeys(known))))
			continue
		}
		known[name] = o.Parameters[name]
	}
	d.Parameters = known
	return d, errs
}

// Parse reads the rules of one file. The file is a mapping from the names of rules to rules.
func Parse(file string, content []byte) ([]Definition, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, located(file, err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	var byName map[string]Definition
	if err := decoder.Decode(&byName); err != nil && !errors.Is(err, io.EOF) {
		return nil, located(file, err)
	}
	definitions := make([]Definition, 0, len(byName))
	for name, line := range keys(document) {
		definition := byName[name]
		definition.Name, definition.Position = name, Position{file, line}
		definitions = append(definitions, definition)
	}
	slices.SortFunc(definitions, func(a, b Definition) int { return a.Position.Line - b.Position.Line })
	return definitions, nil
}

// keys returns the keys of a document that is a mapping, with their lines.
func keys(document yaml.Node) map[string]int {
	lines := map[string]int{}
	for _, root := range document.Content {
		for i := 0; i+1 < len(root.Content); i += 2 {
			lines[root.Content[i].Value] = root.Content[i].Line
		}
	}
	return lines
}

// definitionKeys are the keys that a rule and an input may have.
var definitionKeys = []string{
	"advice", "define", "description", "entity", "for", "gate", "impact", "inputs", "levels", "parameters", "reason",
	"threshold_source", "value", "when",
	"default", "match", "metric", "where",
	"low", "moderate", "severe", "critical",
}

// located turns the decoder's "line 3: …" into "file:3: …", and its words about Go types into words about rules.
func located(file string, err error) error {
	var problems []string
	var typeError *yaml.TypeError
	if errors.As(err, &typeError) {
		problems = typeError.Errors
	} else {
		problems = []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	var errs error
	for _, problem := range problems {
		place := file
		if rest, ok := strings.CutPrefix(problem, "line "); ok {
			if line, text, found := strings.Cut(rest, ": "); found {
				place, problem = file+":"+line, text
			}
		}
		if rest, ok := strings.CutPrefix(problem, "field "); ok {
			if key, _, found := strings.Cut(rest, " not found in type"); found {
				problem = fmt.Sprintf("unknown key %q%s", key, Suggest(key, definitionKeys))
			}
		}
		errs = errors.Join(errs, fmt.Errorf("%s: %s", place, problem))
	}
	return errs
}
