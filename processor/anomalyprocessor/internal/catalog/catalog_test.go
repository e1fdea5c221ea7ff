package catalog

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// The README's table says of each rule what the catalogue says.
func TestReadmeNamesTheRules(t *testing.T) {
	rules, err := Selection{}.Load()
	require.NoError(t, err)
	var table strings.Builder
	table.WriteString("| Rule | Looks for | Judges | Levels | Holds |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rules {
		entity := "the resource"
		if len(r.Entity) > 0 {
			entity = "`" + r.Entity[0] + "`"
		}
		hold := "–"
		if r.For > 0 {
			hold = r.For.String()
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", r.Name, r.Description, entity, levels(r.Levels), hold)
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(readme), "<!-- rules: this table is checked against the catalogue -->\n")
	got, _, _ := strings.Cut(rest, "<!-- end of rules -->")
	assert.Equal(t, table.String(), got, "copy the expected table into README.md")
}

func levels(l rule.Levels) string {
	var parts []string
	for _, level := range []*float64{l.Low, l.Moderate, l.Severe, l.Critical} {
		if level == nil {
			parts = append(parts, "–")
		} else {
			parts = append(parts, fmt.Sprint(*level))
		}
	}
	return strings.Join(parts, " / ")
}

// The rules read only what the receiver's metadata.yaml defines: its metrics, the attributes that these have, and, of
// attributes with a fixed set of values, those.
func TestRulesReadTheReceiversVocabulary(t *testing.T) {
	content, err := os.ReadFile("../../../../receiver/sparkmodelreceiver/metadata.yaml")
	require.NoError(t, err)
	var vocabulary struct {
		ResourceAttributes map[string]any `yaml:"resource_attributes"`
		Attributes         map[string]struct {
			Enum []string `yaml:"enum"`
		} `yaml:"attributes"`
		Metrics map[string]struct {
			Attributes []string `yaml:"attributes"`
		} `yaml:"metrics"`
	}
	require.NoError(t, yaml.Unmarshal(content, &vocabulary))
	rules, err := Selection{}.Load()
	require.NoError(t, err)
	for _, r := range rules {
		for _, input := range r.Inputs {
			where := r.Name + ": " + input.Name
			metric, ok := vocabulary.Metrics[input.Metric]
			assert.True(t, ok, "%s: there is no metric %s", where, input.Metric)
			for attribute, value := range input.Where {
				assert.Contains(t, metric.Attributes, attribute, where)
				if enum := vocabulary.Attributes[attribute].Enum; len(enum) > 0 {
					assert.Contains(t, enum, value, where)
				}
			}
			for attribute, own := range input.Match {
				if _, ok := vocabulary.ResourceAttributes[attribute]; !ok {
					assert.Contains(t, metric.Attributes, attribute, where)
				}
				assert.Contains(t, vocabulary.ResourceAttributes, own, where)
			}
		}
		for _, attribute := range r.Entity {
			assert.Contains(t, vocabulary.Attributes, attribute, r.Name)
		}
	}
}
