package sparkmodelreceiver

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

var code = regexp.MustCompile("`([^`]*)`")

// coverage is a row of docs/coverage.md: names of Datadog's, and the metrics and values of attributes that tell it here.
type coverage struct{ theirs, ours []string }

// covered reads the rows of docs/coverage.md about names that begin so.
func covered(t *testing.T, prefix string) []coverage {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "coverage.md"))
	require.NoError(t, err)
	var rows []coverage
	for _, row := range regexp.MustCompile(`(?m)^\| (.*) \| (.*) \|$`).FindAllStringSubmatch(string(page), -1) {
		var r coverage
		for _, name := range code.FindAllStringSubmatch(row[1], -1) {
			r.theirs = append(r.theirs, alternatives(name[1])...)
		}
		for _, name := range code.FindAllStringSubmatch(row[2], -1) {
			r.ours = append(r.ours, name[1])
		}
		if len(r.theirs) > 0 && strings.HasPrefix(r.theirs[0], prefix) {
			rows = append(rows, r)
		}
	}
	return rows
}

// alternatives returns the names that a name with {a,b} stands for.
func alternatives(name string) []string {
	before, rest, found := strings.Cut(name, "{")
	if !found {
		return []string{name}
	}
	within, after, _ := strings.Cut(rest, "}")
	var names []string
	for choice := range strings.SplitSeq(within, ",") {
		names = append(names, before+choice+after)
	}
	return names
}

// Who moves over from Datadog's checks finds each of their figures in docs/coverage.md, under a name that there is and with
// values that its attributes have.
func TestCoverage(t *testing.T) {
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	var metadata struct {
		Metrics map[string]struct {
			Attributes []string `mapstructure:"attributes"`
		} `mapstructure:"metrics"`
		Attributes map[string]struct {
			Enum []string `mapstructure:"enum"`
		} `mapstructure:"attributes"`
	}
	require.NoError(t, conf.Unmarshal(&metadata, confmap.WithIgnoreUnused()))
	// As many as the metadata.csv and, for Spark, the constants.py of integrations-core name.
	for check, figures := range map[string]int{"yarn.": 74, "mapreduce.": 36, "spark.": 158, "hdfs.": 35} {
		var theirs []string
		for _, row := range covered(t, check) {
			theirs = append(theirs, row.theirs...)
			metrics := slices.DeleteFunc(slices.Clone(row.ours), func(name string) bool { return !strings.Contains(name, ".") })
			assert.NotEmpty(t, metrics, row.theirs)
			var values []string
			for _, name := range metrics {
				assert.Contains(t, metadata.Metrics, name, row.theirs)
				for _, attribute := range metadata.Metrics[name].Attributes {
					values = append(values, metadata.Attributes[attribute].Enum...)
				}
			}
			for _, name := range row.ours {
				if !strings.Contains(name, ".") {
					assert.Contains(t, values, name, row.theirs)
				}
			}
		}
		slices.Sort(theirs)
		assert.Len(t, slices.Compact(theirs), figures, check)
	}
}
