package rule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
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
	// CausedBy names rules whose flag, where one is up, is the cause of this rule's: the likeliest first.
	CausedBy []string `yaml:"caused_by"`
	// Spends says as which activity of anomaly.time the impact counts; empty for none.
	Spends Activity `yaml:"spends"`
	// Reason and Advice are templates for what is said.
	Reason Text `yaml:"reason"`
	Advice Text `yaml:"advice"`

	scoped []scope
}

// Activity is what the time of an application goes into, as far as only a rule can tell.
type Activity string

// The activities that rules tell of.
const (
	Skew  Activity = "skew"
	Spill Activity = "spill"
)

// InputDefinition says which data points are an input.
//
// The value is the sum of the points of one time that match, so a dimension that is not selected is summed over.
// Points that lack the attributes of the rule's entity are shared by all entities of the resource.
type InputDefinition struct {
	// Metric is the name of the metric.
	Metric string `yaml:"metric"`
	// Where selects points by their attributes.
	Where map[string]string `yaml:"where"`
	// Without leaves out points by their attributes.
	Without map[string]string `yaml:"without"`
	// Take is sum, which is the default, max or min: what is taken of the points of one time.
	Take Take `yaml:"take"`
	// Growth makes the value what the metric has grown by since it last fell.
	Growth bool `yaml:"growth"`
	// Match reads the input from another resource: attributes of its point or resource (keys) that have to equal
	// attributes of what is judged or of its resource (values).
	Match map[string]string `yaml:"match"`
	// Default makes the input optional.
	Default *float64 `yaml:"default"`
	// External tells that the metric is not one of the sparkmodel receiver's, so its name is not checked.
	External bool `yaml:"external"`
	// Line is where the input stands in the file.
	Line int `yaml:"-"`
}

// Take is what is taken of several points of one time.
type Take string

// What may be taken.
const (
	Sum Take = "sum"
	Max Take = "max"
	Min Take = "min"
)

// UnmarshalYAML checks that it is one of them.
func (t *Take) UnmarshalYAML(node *yaml.Node) error {
	*t = Take(node.Value)
	if *t != Sum && *t != Max && *t != Min {
		return fmt.Errorf("line %d: take must be sum, max or min, not %q", node.Line, node.Value)
	}
	return nil
}

// UnmarshalYAML checks that it is one of them.
func (a *Activity) UnmarshalYAML(node *yaml.Node) error {
	*a = Activity(node.Value)
	if *a != Skew && *a != Spill {
		return fmt.Errorf("line %d: spends must be skew or spill, not %q", node.Line, node.Value)
	}
	return nil
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
	// Where overrides further for some models, queues or applications: the first that fits.
	Where []ScopedOverride `mapstructure:"where"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ScopedOverride changes a rule where all of the given regular expressions match a whole name.
type ScopedOverride struct {
	// Model is matched against spark.model.name.
	Model string `mapstructure:"model"`
	// Queue is matched against yarn.queue.name.
	Queue string `mapstructure:"queue"`
	// Application is matched against spark.application.name.
	Application string `mapstructure:"application"`
	// Disabled switches the rule off there.
	Disabled bool `mapstructure:"disabled"`
	// Levels, For and Parameters are as in Override.
	Levels     Levels             `mapstructure:"levels"`
	For        *time.Duration     `mapstructure:"for"`
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
	d.scoped = nil
	for i, scoped := range o.Where {
		in, err := newScope(scoped)
		if err == nil && !scoped.Disabled {
			in.definition, err = d.Override(Override{Levels: scoped.Levels, For: scoped.For, Parameters: scoped.Parameters})
		}
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("where[%d]: %w", i, err))
		}
		d.scoped = append(d.scoped, in)
	}
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
	for _, root := range document.Content {
		for key, value := range pairs(root) {
			definition := byName[key.Value]
			definition.Name, definition.Position = key.Value, Position{file, key.Line}
			definition.locateInputs(value)
			definitions = append(definitions, definition)
		}
	}
	slices.SortFunc(definitions, func(a, b Definition) int { return a.Position.Line - b.Position.Line })
	return definitions, nil
}

// locateInputs notes on which line each input of a rule stands.
func (d *Definition) locateInputs(rule *yaml.Node) {
	for key, inputs := range pairs(rule) {
		if key.Value != "inputs" {
			continue
		}
		for name := range pairs(inputs) {
			if input, ok := d.Inputs[name.Value]; ok {
				input.Line = name.Line
				d.Inputs[name.Value] = input
			}
		}
	}
}

// pairs yields the keys and values of a mapping.
func pairs(node *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		if node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i], node.Content[i+1]) {
				return
			}
		}
	}
}

// definitionKeys are the keys that a rule and an input may have.
var definitionKeys = []string{
	"advice", "caused_by", "define", "description", "entity", "for", "gate", "impact", "inputs", "levels", "parameters",
	"reason", "spends", "threshold_source", "value", "when",
	"default", "external", "growth", "match", "metric", "take", "where", "without",
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
