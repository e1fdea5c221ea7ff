package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// known are facts by the name of the input; what is not in it is absent.
type known struct {
	rule       *Rule
	numbers    map[string]float64
	attributes map[string]string
}

func (k known) Number(i int) (float64, bool) {
	number, ok := k.numbers[k.rule.Inputs[i].Name]
	return number, ok
}

func (k known) Attribute(name string) string { return k.attributes[name] }

func compile(t *testing.T, yaml string) *Rule {
	t.Helper()
	definitions, err := Parse("test.yaml", []byte(yaml))
	require.NoError(t, err)
	require.Len(t, definitions, 1)
	r, err := Compile(definitions[0])
	require.NoError(t, err)
	return r
}

const slow = `
slow:
  description: A task far slower than the others.
  threshold_source: made up
  entity: [spark.stage.id]
  inputs:
    longest: {metric: spark.stage.task.run_time, where: {spark.task.quantile: max}}
    median: {metric: spark.stage.task.run_time, where: {spark.task.quantile: p50}}
    running: {metric: spark.stage.task.running.duration, default: 0}
  parameters: {min_tasks: 4}
  define:
    worst: max(longest, running)
    lost: worst - median
  when: median > 0 and min_tasks > 0
  value: worst / median
  impact: lost
  levels: {low: 2, severe: 8}
  for: 30s
  reason: |
    Stage {{attribute "spark.stage.id"}} took {{seconds .worst}},
    {{number .value}} times the median.
  advice: Lose less than {{seconds .impact}}.
`

func TestJudge(t *testing.T) {
	r := compile(t, slow)
	for _, test := range []struct {
		name    string
		numbers map[string]float64
		judged  bool
		verdict Verdict
	}{
		{"below the lowest level", map[string]float64{"longest": 19, "median": 10, "run": 100}, true, Verdict{}},
		{"at a level", map[string]float64{"longest": 20, "median": 10, "run": 100}, true, Verdict{Low, 10}},
		{"a level that is not given is not reached", map[string]float64{"longest": 70, "median": 10, "run": 100}, true, Verdict{Low, 60}},
		{"at the next level", map[string]float64{"longest": 80, "median": 10, "run": 100}, true, Verdict{Severe, 70}},
		{"optional input", map[string]float64{"longest": 10, "running": 90, "median": 10, "run": 100}, true, Verdict{Severe, 80}},
		{"too few seconds", map[string]float64{"longest": 5.9, "median": 1, "run": 20}, true, Verdict{}},
		{"too small a share of the run", map[string]float64{"longest": 80, "median": 10, "run": 1401}, true, Verdict{}},
		{"when does not hold", map[string]float64{"longest": 80, "median": 0, "run": 100}, true, Verdict{}},
		{"required input absent", map[string]float64{"longest": 80, "run": 100}, false, Verdict{}},
		{"input of the default gate absent", map[string]float64{"longest": 80, "median": 10}, false, Verdict{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			verdict, judged := r.Judge(known{rule: r, numbers: test.numbers})
			assert.Equal(t, test.judged, judged)
			assert.Equal(t, test.verdict, verdict)
		})
	}
}

func TestJudgeNotFinite(t *testing.T) {
	r := compile(t, `
ratio:
  description: d
  threshold_source: s
  inputs: {a: {metric: a}, b: {metric: b}}
  value: a / b
  impact: 1
  gate: "true"
  levels: {low: 1}
  reason: r
  advice: a
`)
	_, judged := r.Judge(known{rule: r, numbers: map[string]float64{"a": 1, "b": 0}})
	assert.False(t, judged, "infinite")
	_, judged = r.Judge(known{rule: r, numbers: map[string]float64{"a": 0, "b": 0}})
	assert.False(t, judged, "not a number")
	verdict, judged := r.Judge(known{rule: r, numbers: map[string]float64{"a": 1, "b": 1}})
	assert.True(t, judged)
	assert.Equal(t, Verdict{Low, 1}, verdict, "a gate of its own needs no duration of the run")
	require.Len(t, r.Inputs, 2)
}

func TestWords(t *testing.T) {
	r := compile(t, slow)
	reason, advice := r.Words(known{
		rule:       r,
		numbers:    map[string]float64{"longest": 80, "median": 5, "run": 100},
		attributes: map[string]string{"spark.stage.id": "7"},
	})
	assert.Equal(t, "Stage 7 took 80 s, 16 times the median.", reason)
	assert.Equal(t, "Lose less than 75 s.", advice)
}

func TestSpanAttribute(t *testing.T) {
	input := Input{InputDefinition: InputDefinition{Metric: "spark.stage.task.run_time", Where: map[string]string{"spark.task.quantile": "max"}}}
	assert.Equal(t, "spark.stage.task.run_time.max", input.SpanAttribute())
	input.Where["a"] = "first"
	assert.Equal(t, "spark.stage.task.run_time.first.max", input.SpanAttribute())
	input.Where = nil
	assert.Equal(t, "spark.stage.task.run_time", input.SpanAttribute())
}

func TestScale(t *testing.T) {
	number := func(x float64) *float64 { return &x }
	descending, err := newScale(Levels{Low: number(0.7), Moderate: number(0.6), Critical: number(0.2)})
	require.NoError(t, err)
	for value, want := range map[float64]Severity{0.71: None, 0.7: Low, 0.61: Low, 0.6: Moderate, 0.3: Moderate, 0.2: Critical, 0: Critical} {
		assert.Equal(t, want, descending.of(value), value)
	}
	_, err = newScale(Levels{})
	assert.ErrorContains(t, err, "at least one")
	_, err = newScale(Levels{Low: number(1), Moderate: number(3), Severe: number(2)})
	assert.EqualError(t, err, "levels must all rise or all fall from low to critical: severe (2) does not go on from 3")
	_, err = newScale(Levels{Low: number(1), Moderate: number(1)})
	assert.Error(t, err)
}

func TestOverride(t *testing.T) {
	definitions, err := Parse("test.yaml", []byte(slow))
	require.NoError(t, err)
	number := func(x float64) *float64 { return &x }

	changed, err := definitions[0].Override(Override{
		Levels:     Levels{Severe: number(4)},
		Parameters: map[string]float64{"min_tasks": 0, "min_share": 0.5},
	})
	require.NoError(t, err)
	r, err := Compile(changed)
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{"min_impact": 5, "min_share": 0.5, "min_tasks": 0}, r.Parameters)
	assert.Equal(t, 2.0, *r.Levels.Low)
	assert.Equal(t, 4.0, *r.Levels.Severe)

	original, err := Compile(definitions[0])
	require.NoError(t, err)
	assert.Equal(t, 4.0, original.Parameters["min_tasks"], "the definition itself is not changed")
	assert.Equal(t, 8.0, *original.Levels.Severe)

	_, err = definitions[0].Override(Override{Parameters: map[string]float64{"min_task": 3}})
	assert.EqualError(t, err, `unknown parameter "min_task"; did you mean "min_tasks"?`)
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name, yaml string
		want       []string
	}{
		{"unknown name in an expression", `
r:
  description: d
  threshold_source: s
  inputs: {median: {metric: m}}
  value: >-
    medain * 2
  impact: 1
  levels: {low: 1}
  reason: r
  advice: a
`, []string{`test.yaml:7: rule "r": unknown name "medain"; did you mean "median"?`}},
		{"type error, on the second line of an expression", `
r:
  description: d
  threshold_source: s
  inputs: {median: {metric: m}}
  when: |
    median > 1 and
      median
  value: median
  impact: 1
  levels: {low: 1}
  reason: r
  advice: a
`, []string{`test.yaml:7: rule "r": `, `mismatched types bool and float64`}},
		{"syntax error", `
r:
  description: d
  threshold_source: s
  inputs: {median: {metric: m}}
  value: median *
  impact: 1
  levels: {low: 1}
  reason: r
  advice: a
`, []string{`test.yaml:6: rule "r": unexpected token EOF`}},
		{"not a number", `
r:
  description: d
  threshold_source: s
  inputs: {median: {metric: m}}
  value: median > 1
  impact: '"x"'
  levels: {low: 1}
  reason: r
  advice: a
`, []string{`test.yaml:6: rule "r": expected float64, but got bool`, `test.yaml:7: rule "r": expected float64, but got string`}},
		{"templates", `
r:
  description: d
  threshold_source: s
  inputs: {median: {metric: m}}
  value: median
  impact: 1
  levels: {low: 1}
  reason: "{{if gt .medan 1.0}}{{seconds .median}}{{end}}"
  advice: "{{second .median}}"
`, []string{`test.yaml:9: rule "r": unknown name "medan"; did you mean "median"?`, `test.yaml:10: rule "r": `, `function "second" not defined`}},
		{"helper with the wrong argument", `
r:
  description: d
  threshold_source: s
  inputs: {median: {metric: m}}
  value: median
  impact: 1
  levels: {low: 1}
  reason: "{{count .median}}"
  advice: a
`, []string{`test.yaml:9: rule "r": `, "wrong number of args for count"}},
		{"unknown keys", `
r:
  descripton: d
  inputs: {median: {metrc: m}}
`, []string{`test.yaml:3: unknown key "descripton"; did you mean "description"?`, `test.yaml:4: unknown key "metrc"; did you mean "metric"?`}},
		{"what is missing", `
r:
  for: -1s
`, []string{
			"needs description", "needs threshold_source", "needs inputs", "needs value", "needs impact, in seconds, or a gate", "needs reason",
			"needs advice", "levels needs at least one", "for must not be negative",
		}},
		{"names", `
r:
  description: d
  threshold_source: s
  inputs: {median: {metric: m}, Max: {metric: m}, none: {}}
  parameters: {median: 1}
  define: {value: median}
  value: median
  impact: 1
  levels: {low: 1}
  reason: r
  advice: a
`, []string{`input "Max": a name is made of`, `input "none" needs a metric`, `parameter "median": the name is taken`, `test.yaml:8: rule "r": result "value": the name is taken`}},
		{"a definition is not known before it is made", `
r:
  description: d
  threshold_source: s
  inputs: {median: {metric: m}}
  define:
    first: second
    second: median
  value: median
  impact: 1
  levels: {low: 1}
  reason: r
  advice: a
`, []string{`test.yaml:7: rule "r": unknown name "second"`}},
		{"not YAML", "r: [", []string{"test.yaml:1: "}},
		{"the same name twice", "r: {}\nr: {}\n", []string{"test.yaml:2: ", `"r" already defined at line 1`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			definitions, err := Parse("test.yaml", []byte(test.yaml))
			if err == nil {
				_, err = Compile(definitions[0])
			}
			for _, want := range test.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestSuggest(t *testing.T) {
	assert.Equal(t, `; did you mean "spill"?`, Suggest("spil", []string{"skew", "spill"}))
	assert.Equal(t, `; known are [skew spill]`, Suggest("elephant", []string{"skew", "spill"}))
}

func TestFormats(t *testing.T) {
	for want, got := range map[string]string{
		"0.4 s":       formatSeconds(0.42),
		"6.3 s":       formatSeconds(6.3),
		"10 s":        formatSeconds(9.96),
		"45 s":        formatSeconds(45.2),
		"12 min":      formatSeconds(725),
		"3.5 h":       formatSeconds(12600),
		"0 B":         formatBytes(0),
		"512 B":       formatBytes(512),
		"1.5 KiB":     formatBytes(1536),
		"820 MiB":     formatBytes(820 << 20),
		"1 GiB":       formatBytes(1 << 30),
		"0.4 %":       formatPercent(0.004),
		"12 %":        formatPercent(0.12),
		"340 %":       formatPercent(3.4),
		"2.5":         formatNumber(2.5),
		"16":          formatNumber(16.2),
		"-1,200":      formatNumber(-1200),
		"1 task":      formatCount(1, "task"),
		"0 tasks":     formatCount(0, "task"),
		"1,200 tasks": formatCount(1200, "task"),
		"700m":        formatSetting(700 << 20),
		"1200m":       formatSetting(1200 << 20),
		"6g":          formatSetting(6 << 30),
		"1000":        formatSetting(1000),
		"16m":         formatSetting(roundUpBytes(10.4 * (1 << 20))),
		"64m":         formatSetting(roundUpBytes(64 << 20)),
		"1m":          formatSetting(roundUpBytes(1)),
		"768m":        formatSetting(roundUpBytes(700 << 20)),
		"1g":          formatSetting(roundUpBytes(1 << 30)),
		"1536m":       formatSetting(roundUpBytes(1.2 * (1 << 30))),
		"11g":         formatSetting(roundUpBytes(10.1 * (1 << 30))),
		"400":         formatNumber(roundUp(337)),
		"15":          formatNumber(roundUp(13)),
		"1,000":       formatNumber(roundUp(801)),
		"0":           formatNumber(roundUp(0)),
	} {
		assert.Equal(t, want, got)
	}
}
