package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/output"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/rehearsal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The recorded bottlenecks are flagged, in words with advice, a webhook is notified, and the flags end.
func TestDemo(t *testing.T) {
	var out output.Buffer
	require.NoError(t, run(t.Context(), options{
		collector: "../../dist/otelcol-sparkmodel", config: "../../config/demo.yaml",
		recording: "../../testdata/recordings/spark-4.3.0.har.zst", speed: 60, exit: true,
	}, &out))
	text := out.String()
	for _, rule := range []string{"data_skew", "straggler", "spill", "failing_tasks", "application_waiting"} {
		assert.Contains(t, text, "  "+rule+": ", "%s", text)
		assert.Regexp(t, `over +`+rule+": ", text)
	}
	assert.Regexp(t, `webhook notified: FIRING, skewed_join application_\d+_\d+\n(?:    .*\n)*    firing    \w+ +data_skew: stage `, text)
	assert.Regexp(t, `webhook notified: RESOLVED, skewed_join application_`, text)
	assert.NotContains(t, text, "model healthy")
	assert.NotContains(t, text, "model churn")
}

func TestTeller(t *testing.T) {
	var out bytes.Buffer
	teller := newTeller(&out)
	flag := func(severity int64, words string) {
		teller.tell(rehearsal.Flag{
			At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Severity: severity, Rule: "spill", Subject: "model churn stage 3", Reason: words,
		})
	}
	flag(2, "384 MiB spilled")
	flag(2, "384 MiB spilled")
	flag(3, "500 MiB spilled")
	flag(0, "500 MiB spilled")
	flag(0, "500 MiB spilled")
	teller.summarize()
	assert.Equal(t, 2, strings.Count(out.String(), "spilled"), "said when it rises and when it becomes worse")
	assert.Equal(t, 1, strings.Count(out.String(), "12:00:00  over      spill: model churn stage 3"))
	assert.Contains(t, out.String(), "Flagged: 1 kinds")
}
