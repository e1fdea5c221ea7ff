// Package catalog holds the built-in rules, one file per topic, and loads them together with a user's own.
package catalog

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

//go:embed *.yaml
var builtIn embed.FS

// Selection says which rules judge, and by which numbers.
type Selection struct {
	// Files are globs of YAML files with rules of one's own. A rule with the name of a built-in one replaces it.
	Files []string `mapstructure:"files"`
	// Disabled names the rules that do not judge.
	Disabled []string `mapstructure:"disabled"`
	// Overrides changes numbers of rules, by the name of the rule.
	Overrides map[string]rule.Override `mapstructure:"overrides"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Load reads and compiles the selected rules, in the order of their names. The error names all that is wrong.
func (s Selection) Load() ([]*rule.Rule, error) {
	definitions, err := builtInDefinitions()
	if err != nil {
		return nil, err
	}
	own, errs := s.ownDefinitions()
	maps.Copy(definitions, own)
	names := slices.Sorted(maps.Keys(definitions))

	unknown := func(option, name string) bool {
		_, known := definitions[name]
		if !known {
			errs = errors.Join(errs, fmt.Errorf("%s: unknown rule %q%s", option, name, rule.Suggest(name, names)))
		}
		return !known
	}
	for _, name := range s.Disabled {
		unknown("rules.disabled", name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Overrides)) {
		if unknown("rules.overrides", name) {
			continue
		}
		overridden, err := definitions[name].Override(s.Overrides[name])
		errs = errors.Join(errs, prefixed("rules.overrides: "+name, err))
		definitions[name] = overridden
	}

	known, err := receivers()
	errs = errors.Join(errs, err)
	var rules []*rule.Rule
	for _, name := range names {
		for _, cause := range definitions[name].CausedBy {
			if _, known := definitions[cause]; !known {
				errs = errors.Join(errs, fmt.Errorf("%s: rule %q: caused_by: unknown rule %q%s",
					definitions[name].Position, name, cause, rule.Suggest(cause, names)))
			}
		}
		if slices.Contains(s.Disabled, name) {
			continue
		}
		errs = errors.Join(errs, known.check(definitions[name]))
		compiled, err := rule.Compile(definitions[name])
		errs = errors.Join(errs, err)
		rules = append(rules, compiled)
	}
	if errs != nil {
		return nil, errs
	}
	return rules, nil
}

// prefixed puts a prefix before each of the errors that were joined.
func prefixed(prefix string, err error) (errs error) {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	for _, one := range joined.Unwrap() {
		errs = errors.Join(errs, prefixed(prefix, one))
	}
	return errs
}

func builtInDefinitions() (map[string]rule.Definition, error) {
	definitions := map[string]rule.Definition{}
	files, err := fs.Glob(builtIn, "*.yaml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := builtIn.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := add(definitions, "catalog/"+file, content); err != nil {
			return nil, err
		}
	}
	return definitions, nil
}

func (s Selection) ownDefinitions() (map[string]rule.Definition, error) {
	definitions := map[string]rule.Definition{}
	var errs error
	for _, glob := range s.Files {
		files, err := filepath.Glob(glob)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("rules.files: %q: %w", glob, err))
			continue
		}
		if len(files) == 0 {
			errs = errors.Join(errs, fmt.Errorf("rules.files: %q matches no file; correct the path or remove it", glob))
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				errs = errors.Join(errs, fmt.Errorf("rules.files: %w", err))
				continue
			}
			errs = errors.Join(errs, add(definitions, file, content))
		}
	}
	return definitions, errs
}

// add parses a file and adds its rules.
func add(definitions map[string]rule.Definition, file string, content []byte) error {
	parsed, err := rule.Parse(file, content)
	for _, definition := range parsed {
		if other, taken := definitions[definition.Name]; taken {
			err = errors.Join(err, fmt.Errorf("%s: rule %q is already defined at %s; give one of them another name",
				definition.Position, definition.Name, other.Position))
			continue
		}
		definitions[definition.Name] = definition
	}
	return err
}
