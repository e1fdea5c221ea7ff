package anomalyprocessor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/catalog"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

func TestLoadConfig(t *testing.T) {
	number := func(x float64) *float64 { return &x }
	hold, longer := 30*time.Second, time.Minute
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	for id, want := range map[component.ID]*Config{
		component.NewID(metadata.Type): {Flags: FlagsConfig{StaleAfter: 5 * time.Minute, MaxEntities: 50_000}},
		component.NewIDWithName(metadata.Type, "all"): {
			Rules: catalog.Selection{
				Files:    []string{"testdata/rules/*.yaml"},
				Disabled: []string{"executor_lost", "cache_unused"},
				Overrides: map[string]rule.Override{"data_skew": {
					Levels:     rule.Levels{Low: number(3), Moderate: number(5)},
					For:        &hold,
					Parameters: map[string]float64{"min_impact": 20, "min_share": 0.1, "min_size": 104857600},
					Where: []rule.ScopedOverride{
						{Model: "churn-.*", Levels: rule.Levels{Low: number(8), Moderate: number(16), Severe: number(32), Critical: number(64)}},
						{Queue: "root.dev", Disabled: true},
						{Application: "nightly", For: &longer, Parameters: map[string]float64{"min_impact": 600}},
					},
				}},
			},
			Flags: FlagsConfig{StaleAfter: 2 * time.Minute, MaxEntities: 1000},
		},
	} {
		t.Run(id.String(), func(t *testing.T) {
			cfg := createDefaultConfig()
			sub, err := conf.Sub(id.String())
			require.NoError(t, err)
			require.NoError(t, sub.Unmarshal(cfg))
			require.NoError(t, confmap.Validate(cfg))
			assert.Equal(t, want, cfg)
		})
	}
}

func TestSelectionIsObeyed(t *testing.T) {
	number := func(x float64) *float64 { return &x }
	hold := time.Minute
	rules, err := catalog.Selection{
		Files:    []string{"testdata/rules/own.yaml"},
		Disabled: []string{"executor_lost", "cache_unused"},
		Overrides: map[string]rule.Override{
			"data_skew":   {Levels: rule.Levels{Low: number(3)}, For: &hold, Parameters: map[string]float64{"min_share": 0.2}},
			"slow_reader": {Levels: rule.Levels{Severe: number(0.4)}},
		},
	}.Load()
	require.NoError(t, err)
	byName := map[string]*rule.Rule{}
	for _, r := range rules {
		byName[r.Name] = r
	}
	assert.NotContains(t, byName, "executor_lost")
	assert.NotContains(t, byName, "cache_unused")
	assert.Contains(t, byName, "spill")
	assert.Equal(t, "In place of the built-in rule of this name.", byName["straggler"].Description)
	assert.Equal(t, 3.0, *byName["data_skew"].Levels.Low)
	assert.Equal(t, 8.0, *byName["data_skew"].Levels.Moderate)
	assert.Equal(t, time.Minute, byName["data_skew"].For)
	assert.Equal(t, 0.2, byName["data_skew"].Parameters["min_share"])
	assert.Equal(t, 5.0, byName["data_skew"].Parameters["min_impact"])
	assert.Equal(t, 0.4, *byName["slow_reader"].Levels.Severe)
	assert.Equal(t, 20*time.Second, byName["slow_reader"].For)
}

// The rule that the README shows is one that these tests load.
func TestReadmeShowsARuleThatWorks(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	rules, err := os.ReadFile(filepath.Join("testdata", "rules", "own.yaml"))
	require.NoError(t, err)
	shown, _, _ := strings.Cut(string(rules), "\n\n")
	assert.Contains(t, string(readme), shown)
}

// All that is wrong is said at once.
func TestValidateErrors(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte(`slow:
  description: d
  threshold_source: s
  inputs:
    median: {metric: spark.stage.task.runtime, where: {spark.task.quantile: p50}}
    longest: {metric: spark.stage.task.run_time, where: {spark.task.quantil: max}}
    shortest: {metric: spark.stage.task.run_time, where: {spark.task.quantile: mx}}
    queue: {metric: yarn.queue.capacity.usage, match: {yarn.queue: yarn.queue.name, yarn.cluster.name: spark.cluster}}
    other: {metric: kafka.lag, external: true}
    unknown: {metric: kafka.lag}
  value: medain
  impact: 1
  levels: {low: 1}
  caused_by: [data_skw]
  reason: r
  advice: a
`), 0o600))
	again := filepath.Join(dir, "broken_again.yaml")
	require.NoError(t, os.WriteFile(again, []byte("slow: {}\n"), 0o600))
	number := func(x float64) *float64 { return &x }

	err := confmap.Validate(&Config{
		Rules: catalog.Selection{
			Files:    []string{filepath.Join(dir, "*.yaml"), filepath.Join(dir, "nothing*"), "[", dir},
			Disabled: []string{"data_skw"},
			Overrides: map[string]rule.Override{
				"spil":      {},
				"spill":     {Parameters: map[string]float64{"spill_speed": 1}},
				"straggler": {Levels: rule.Levels{Low: number(100)}},
				"gc_pressure": {Where: []rule.ScopedOverride{
					{Model: "(", Disabled: true}, {Disabled: true}, {Queue: "q", Parameters: map[string]float64{"min_impac": 1}},
				}},
			},
		},
		Flags: FlagsConfig{},
	})
	for _, want := range []string{
		"flags.stale_after must be at least 1s",
		"flags.max_entities must be at least 1",
		broken + `:11: rule "slow": unknown name "medain"; did you mean "median"?`,
		broken + `:5: rule "slow": input "median": the receiver has no metric "spark.stage.task.runtime"; did you mean "spark.stage.task.run_time"?, or say external: true`,
		broken + `:6: rule "slow": input "longest": spark.stage.task.run_time has no attribute "spark.task.quantil"; did you mean "spark.task.quantile"?`,
		broken + `:7: rule "slow": input "shortest": spark.task.quantile is never "mx"; did you mean "max"?`,
		broken + `:8: rule "slow": input "queue": neither yarn.queue.capacity.usage nor a resource has the attribute "yarn.queue"`,
		broken + `:8: rule "slow": input "queue": what is judged has no attribute "spark.cluster"`,
		broken + `:10: rule "slow": input "unknown": the receiver has no metric "kafka.lag"`,
		broken + `:1: rule "slow": caused_by: unknown rule "data_skw"; did you mean "data_skew"?`,
		"rules.overrides: gc_pressure: where[0]: model: error parsing regexp",
		"rules.overrides: gc_pressure: where[1]: needs model, queue or application",
		`rules.overrides: gc_pressure: where[2]: unknown parameter "min_impac"; did you mean "min_impact"?`,
		again + `:1: rule "slow" is already defined at ` + broken + ":1",
		`nothing*" matches no file`,
		`rules.files: "[": syntax error in pattern`,
		"is a directory",
		`rules.disabled: unknown rule "data_skw"; did you mean "data_skew"?`,
		`rules.overrides: unknown rule "spil"; did you mean "spill"?`,
		`rules.overrides: spill: unknown parameter "spill_speed"; did you mean "spill_rate"?`,
		`rule "straggler": levels must all rise or all fall from low to critical: severe (16) does not go on from 8`,
	} {
		assert.ErrorContains(t, err, want)
	}
}
