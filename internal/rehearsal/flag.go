package rehearsal

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// Flag is what the distribution says of one rule and one entity at one poll.
type Flag struct {
	At time.Time
	// Severity is 0 when the flag is over, else 1 to 4.
	Severity int64
	Rule     string
	// Cause is the rule whose flag explains this one, if any.
	Cause string
	// Application is the id and Name the name of the application; both are empty for a cluster.
	Application, Name string
	// Subject says in words what is flagged.
	Subject        string
	Reason, Advice string
}

// sink receives OTLP metrics over HTTP, one export at a time.
type sink struct {
	now  func() time.Time
	told func(Flag)
}

// maxBody bounds an export in bytes.
const maxBody = 64 << 20

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	request := pmetricotlp.NewExportRequest()
	if err == nil {
		err = request.UnmarshalProto(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, f := range Flags(request.Metrics(), s.now()) {
		s.told(f)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// Flags returns the flags that are among metrics. One whose severity has changed ends under its old words and goes on
// under new ones: only that it goes on is returned.
func Flags(md pmetric.Metrics, at time.Time) []Flag {
	var flags []Flag
	for _, rm := range md.ResourceMetrics().All() {
		resource := rm.Resource().Attributes()
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != "anomaly.severity" || m.Type() != pmetric.MetricTypeGauge {
					continue
				}
				for _, dp := range m.Gauge().DataPoints().All() {
					flags = append(flags, Flag{
						At: at, Severity: dp.IntValue(), Rule: text(dp.Attributes(), "anomaly.rule"), Cause: text(dp.Attributes(), "anomaly.cause"),
						Application: text(resource, "spark.application.id"), Name: text(resource, "spark.application.name"),
						Subject: subject(resource, dp.Attributes()),
						Reason:  text(dp.Attributes(), "anomaly.reason"), Advice: text(dp.Attributes(), "anomaly.advice"),
					})
				}
			}
		}
	}
	type entity struct{ rule, application, subject string }
	of := func(f *Flag) entity { return entity{f.Rule, f.Application, f.Subject} }
	up := map[entity]struct{}{}
	for i := range flags {
		if flags[i].Severity > 0 {
			up[of(&flags[i])] = struct{}{}
		}
	}
	return slices.DeleteFunc(flags, func(f Flag) bool {
		_, goesOn := up[of(&f)]
		return f.Severity == 0 && goesOn
	})
}

// subject says in words what is flagged.
func subject(resource, attributes pcommon.Map) string {
	var words []string
	add := func(format string, values pcommon.Map, name string) {
		if v := text(values, name); v != "" {
			words = append(words, fmt.Sprintf(format, v))
		}
	}
	add("model %s", resource, "spark.model.name")
	add("(%s)", resource, "spark.application.id")
	add("stage %s", attributes, "spark.stage.id")
	add("executor %s", attributes, "spark.executor.id")
	add("queue %s", attributes, "yarn.queue.name")
	add("node %s", attributes, "yarn.node.id")
	return strings.Join(words, " ")
}

func text(m pcommon.Map, name string) string {
	v, ok := m.Get(name)
	if !ok {
		return ""
	}
	return v.AsString()
}
