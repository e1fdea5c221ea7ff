package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// teller receives OTLP metrics over HTTP and writes a paragraph when a flag rises, becomes worse or is over.
type teller struct {
	out io.Writer
	now func() time.Time

	mu      sync.Mutex
	flags   map[string]int64
	flagged map[string]map[string]struct{}
}

func newTeller(out io.Writer, now func() time.Time) *teller {
	return &teller{out: out, now: now, flags: map[string]int64{}, flagged: map[string]map[string]struct{}{}}
}

// maxBody bounds an export in bytes.
const maxBody = 64 << 20

func (t *teller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	request := pmetricotlp.NewExportRequest()
	if err == nil {
		err = request.UnmarshalProto(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t.tell(request.Metrics())
	answer, err := pmetricotlp.NewExportResponse().MarshalProto()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer) // a collector that has gone is no one's problem
}

func (t *teller) tell(md pmetric.Metrics) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != "anomaly.severity" {
					continue
				}
				for _, dp := range m.Gauge().DataPoints().All() {
					t.flag(rm.Resource().Attributes(), dp)
				}
			}
		}
	}
}

var levels = []string{"over", "low", "moderate", "severe", "critical"}

func (t *teller) flag(resource pcommon.Map, dp pmetric.NumberDataPoint) {
	rule := text(dp.Attributes(), "anomaly.rule")
	who := subject(resource, dp.Attributes())
	key := rule + " " + who
	severity := max(0, min(dp.IntValue(), int64(len(levels)-1)))
	if severity == t.flags[key] {
		return
	}
	worse := severity > t.flags[key]
	t.flags[key] = severity
	clock := t.now().UTC().Format("15:04:05")
	switch {
	case severity == 0:
		delete(t.flags, key)
		fmt.Fprintf(t.out, "%s  over      %s: %s\n\n", clock, rule, who)
	case worse:
		if t.flagged[rule] == nil {
			t.flagged[rule] = map[string]struct{}{}
		}
		t.flagged[rule][who] = struct{}{}
		fmt.Fprintf(t.out, "%s  %-8s  %s: %s\n    %s\n    → %s\n\n", clock, strings.ToUpper(levels[severity]), rule, who,
			text(dp.Attributes(), "anomaly.reason"), text(dp.Attributes(), "anomaly.advice"))
	}
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
	add("(%s)", attributes, "spark.stage.name")
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

// summarize writes how much was flagged.
func (t *teller) summarize() {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "The recording is over. Flagged: %d kinds of bottleneck.\n", len(t.flagged))
}
