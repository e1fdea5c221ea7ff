package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/notify/webhook"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/rehearsal"
)

// teller writes a paragraph when a flag rises, becomes worse or is over, and for each notification.
type teller struct {
	out io.Writer

	mu sync.Mutex
	// up holds the severity of each flag that is up, flagged the rules that ever were.
	up      map[string]int64
	flagged map[string]struct{}
}

func newTeller(out io.Writer) *teller {
	return &teller{out: out, up: map[string]int64{}, flagged: map[string]struct{}{}}
}

var levels = []string{"none", "low", "moderate", "severe", "critical"}

func (t *teller) tell(f rehearsal.Flag) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := f.Rule + " " + f.Subject
	before := t.up[key]
	clock := f.At.UTC().Format("15:04:05")
	switch {
	case f.Severity == 0 && before > 0:
		delete(t.up, key)
		t.printf("%s  over      %s: %s\n\n", clock, f.Rule, f.Subject)
	case f.Severity > before:
		t.up[key] = f.Severity
		t.flagged[f.Rule] = struct{}{}
		level := strings.ToUpper(levels[min(int(f.Severity), len(levels)-1)])
		t.printf("%s  %-8s  %s: %s\n    %s\n    → %s\n\n", clock, level, f.Rule, f.Subject, f.Reason, f.Advice)
	}
}

// notified writes what a webhook was sent: a line for each flag, the worst first.
func (t *teller) notified(at time.Time, m webhook.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.printf("%s  ✉ webhook notified: %s, %s %s\n", at.UTC().Format("15:04:05"), strings.ToUpper(m.Status),
		m.CommonLabels["spark_model_name"], m.CommonLabels["spark_application_id"]+m.CommonLabels["yarn_cluster_name"])
	for _, a := range m.Alerts {
		t.printf("    %-8s  %-8s  %s", a.Status, a.Labels["severity"], a.Labels["alertname"])
		if entity := a.Annotations["entity"]; entity != "" {
			t.printf(": %s", entity)
		}
		if seconds := a.Annotations["impact"]; seconds != "" {
			t.printf(", cost %s s", seconds)
		}
		t.printf("\n")
	}
	t.printf("\n")
}

func (t *teller) printf(format string, values ...any) {
	_, _ = fmt.Fprintf(t.out, format, values...) // nobody is left to be told
}

// summarize writes how much was flagged.
func (t *teller) summarize() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.printf("The recording is over. Flagged: %d kinds of bottleneck.\n", len(t.flagged))
}
