package rehearsal

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestFlags(t *testing.T) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("spark.application.id", "application_1")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("anomaly.severity")
	points := m.SetEmptyGauge().DataPoints()
	for _, f := range []struct {
		rule, reason string
		stage        int64
		severity     int64
	}{
		{"straggler", "14 s", 1, 0},
		{"straggler", "24 s", 1, 3},
		{"spill", "384 MiB", 1, 0},
		{"straggler", "20 s", 2, 0},
	} {
		dp := points.AppendEmpty()
		dp.SetIntValue(f.severity)
		dp.Attributes().PutStr("anomaly.rule", f.rule)
		dp.Attributes().PutStr("anomaly.reason", f.reason)
		dp.Attributes().PutInt("spark.stage.id", f.stage)
	}

	at := time.Unix(100, 0)
	assert.Equal(t, []Flag{
		{At: at, Severity: 3, Rule: "straggler", Application: "application_1", Subject: "(application_1) stage 1", Reason: "24 s"},
		{At: at, Severity: 0, Rule: "spill", Application: "application_1", Subject: "(application_1) stage 1", Reason: "384 MiB"},
		{At: at, Severity: 0, Rule: "straggler", Application: "application_1", Subject: "(application_1) stage 2", Reason: "20 s"},
	}, Flags(md, at))
}
