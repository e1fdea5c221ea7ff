package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTally(t *testing.T) {
	expected := map[string]expectation{
		"skewed":  {Must: []string{"data_skew"}, May: map[string]string{"spill": "it is large"}},
		"spill":   {Must: []string{"spill"}},
		"healthy": {},
		"waiting": {},
		"a":       {May: map[string]string{"starved": "the cluster was full"}},
		"a/small": {May: map[string]string{"spill": "it was small"}},
		"small":   {Must: []string{"spill"}},
	}
	waiting := expected["waiting"]
	waiting.Cluster.Must = []string{"queue_saturated"}
	expected["waiting"] = waiting
	app := func(id, name string) recording.Application {
		return recording.Application{ID: id, Name: name, Type: "SPARK"}
	}
	flagged := flags{}
	for id, rule := range map[string]string{"1": "data_skew", "2": "straggler", "3": "data_skew", cluster: "nodes_lost"} {
		flagged.add(id, rule, "")
	}
	flagged.add("1", "spill", "")
	flagged.add("1", "starved", "")
	flagged.add("1", "idle_cores", "data_skew")
	flagged.add("2", "low_parallelism", "data_skew")

	var total tally
	require.NoError(t, total.add("a", []recording.Application{
		app("1", "skewed"), app("2", "healthy"), app("3", "spill_large"), app("4", "waiting"), app("6", "small"), {ID: "5", Name: "pi", Type: "MAPREDUCE"},
	}, expected, flagged))
	assert.Equal(t, 5, total.runs)
	assert.Equal(t, map[string]*count{
		"data_skew": {Hits: 1, False: 1}, "spill": {Misses: 1}, "straggler": {False: 1}, "low_parallelism": {False: 1}, "queue_saturated": {Misses: 1}, "nodes_lost": {False: 1},
	}, total.rules)
	assert.Equal(t, 0.2, total.figures()["precision"])
	assert.InDelta(t, 1./3, total.figures()["recall"], 1e-9)
	var out strings.Builder
	total.write(&out)
	total.markdown(&out)
	assert.Contains(t, out.String(), "missed  spill: spill_large in a")
	assert.Contains(t, out.String(), "false   straggler: healthy in a")
	assert.Contains(t, out.String(), "5 runs: precision 0.20, recall 0.33.")
	assert.Contains(t, out.String(), "| a | skewed | data_skew |  | idle_cores, spill, starved |  |")

	err := total.add("a", []recording.Application{app("1", "unheard_of")}, expected, flagged)
	assert.ErrorContains(t, err, "no expectation for the application unheard_of")
}

// A recording through the distribution: what was injected is found, nothing else is, and the same each time; and a
// user's rule can be tried.
func TestRecording(t *testing.T) {
	folder := t.TempDir()
	o := options{
		collector: "../../dist/otelcol-sparkmodel", config: "collector.yaml", expected: "../../testdata/expected.yaml",
		recordings: []string{"../../testdata/recordings/hadoop-3.5.0.har.zst"}, json: filepath.Join(folder, "quality.json"),
		markdown: filepath.Join(folder, "quality.md"), rules: filepath.Join(folder, "own.yaml"),
	}
	require.NoError(t, os.WriteFile(o.json, []byte(`{"nab": {"standard": 70}, "rules": {"runs": 7}}`), 0o600))
	require.NoError(t, os.WriteFile(o.rules, []byte(`
long_run:
  description: An application runs for more than ten seconds.
  threshold_source: for a test
  inputs: {run: {metric: spark.application.duration}}
  value: run
  gate: "true"
  levels: {low: 10}
  for: 15s
  reason: Runs for {{seconds .run}}.
  advice: Wait.
`), 0o600))
	var out strings.Builder
	require.NoError(t, run(t.Context(), o, &out))
	assert.Contains(t, out.String(), "long_run", "%s", out.String())
	assert.NotContains(t, strings.ReplaceAll(out.String(), "false   long_run", ""), "\nfalse ")

	text, err := os.ReadFile(o.json)
	require.NoError(t, err)
	var figures struct {
		Rules struct {
			Runs   int
			Recall float64
		}
		NAB map[string]float64
	}
	require.NoError(t, json.Unmarshal(text, &figures))
	assert.Equal(t, 2, figures.Rules.Runs)
	assert.Equal(t, 1., figures.Rules.Recall)
	assert.Equal(t, map[string]float64{"standard": 70}, figures.NAB)
	page, err := os.ReadFile(o.markdown)
	require.NoError(t, err)
	assert.Contains(t, string(page), "| hadoop-3.5.0 | healthy |")
}
