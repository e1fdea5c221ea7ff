package book

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/flag"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func newBook(t testing.TB, limit int) *Book {
	links, err := NewLinks(map[string]string{"a": "http://{{ .alertname }}"})
	require.NoError(t, err)
	return New(links, 5*time.Minute, limit)
}

func said(after time.Duration, severity flag.Severity) flag.Observation {
	return flag.Observation{ID: 1, Labels: model.LabelSet{"alertname": "r"}, At: noon.Add(after), Judged: true, Severity: severity, Reason: "why"}
}

func impact(after time.Duration, seconds float64) flag.Observation {
	return flag.Observation{ID: 1, Labels: model.LabelSet{"alertname": "r"}, At: noon.Add(after), Impact: seconds}
}

func TestOrderIsByTimeAndNotByArrival(t *testing.T) {
	b := newBook(t, 10)
	late := b.Apply(noon.Add(time.Minute), []flag.Observation{said(30*time.Second, flag.Low), said(0, flag.Critical)})
	require.Len(t, late.Alerts, 1)
	assert.Equal(t, noon.Add(30*time.Second), late.Alerts[0].StartsAt)
	assert.Equal(t, model.LabelValue("low"), late.Alerts[0].Labels[SeverityLabel])
	assert.Empty(t, b.Apply(noon.Add(time.Minute), []flag.Observation{said(10*time.Second, flag.None)}).Alerts, "an end from before the beginning")
	assert.Equal(t, 1, b.Apply(noon.Add(time.Minute), []flag.Observation{said(40*time.Second, flag.None)}).Ended)
	assert.Empty(t, b.Apply(noon.Add(time.Minute), []flag.Observation{said(35*time.Second, flag.Severe)}).Alerts, "a beginning from before the end")
}

func TestApplyingAgainDoesNoHarm(t *testing.T) {
	b := newBook(t, 10)
	batch := []flag.Observation{impact(0, 7), said(0, flag.Low), said(0, flag.None)}
	first := b.Apply(noon, batch)
	assert.Equal(t, 1, first.Raised)
	again := b.Apply(noon.Add(time.Second), batch)
	assert.Zero(t, again.Raised+again.Ended)
	assert.Empty(t, again.Put)
	require.Len(t, again.Alerts, 1)
	assert.Equal(t, first.Alerts[0].Annotations, again.Alerts[0].Annotations)
	assert.Equal(t, model.LabelValue("7.0"), again.Alerts[0].Annotations[ImpactAnnotation], "whatever comes first")

	// Nor does it keep a flag up of which there is no news.
	b.Apply(noon.Add(4*time.Minute), batch)
	assert.Equal(t, 1, b.Expire(noon.Add(5*time.Minute)).Ended)
	assert.Empty(t, b.Apply(noon.Add(6*time.Minute), batch).Alerts)
}

func TestEndAndBeginningInOneBatchIsNone(t *testing.T) {
	b := newBook(t, 10)
	b.Apply(noon, []flag.Observation{said(0, flag.Low)})
	changes := b.Apply(noon.Add(time.Minute), []flag.Observation{said(20*time.Second, flag.None), said(50*time.Second, flag.Low)})
	require.Len(t, changes.Alerts, 1)
	assert.Equal(t, noon, changes.Alerts[0].StartsAt)
	assert.True(t, changes.Alerts[0].Timeout)
	assert.Zero(t, changes.Raised+changes.Ended)
	assert.Equal(t, 1, b.Active())

	// The same when the batch is split in two.
	assert.Equal(t, 1, b.Apply(noon.Add(2*time.Minute), []flag.Observation{said(2*time.Minute, flag.None)}).Ended)
	changes = b.Apply(noon.Add(2*time.Minute), []flag.Observation{said(2*time.Minute, flag.Low)})
	require.Len(t, changes.Alerts, 1)
	assert.Equal(t, noon, changes.Alerts[0].StartsAt)
}

func TestWorseThenOverInOneBatch(t *testing.T) {
	b := newBook(t, 10)
	b.Apply(noon, []flag.Observation{said(0, flag.Low)})
	changes := b.Apply(noon.Add(time.Minute), []flag.Observation{said(20*time.Second, flag.Severe), said(50*time.Second, flag.None)})
	require.Len(t, changes.Alerts, 1, "nobody knows of the severe one")
	assert.Equal(t, model.LabelValue("low"), changes.Alerts[0].Labels[SeverityLabel])
	assert.Equal(t, noon.Add(50*time.Second), changes.Alerts[0].EndsAt)
}

func TestClocksThatDiffer(t *testing.T) {
	b := newBook(t, 10)
	changes := b.Apply(noon, []flag.Observation{said(time.Hour, flag.Low)})
	assert.Equal(t, noon, changes.Alerts[0].StartsAt, "nothing begins in the future")
	changes = b.Apply(noon.Add(time.Minute), []flag.Observation{said(2*time.Hour, flag.None)})
	assert.Equal(t, noon.Add(time.Minute), changes.Alerts[0].EndsAt, "and nothing ends there")
	old := b.Apply(noon.Add(2*time.Minute), []flag.Observation{{ID: 2, Labels: model.LabelSet{"alertname": "s"}, At: noon.Add(-time.Hour), Judged: true, Severity: flag.Low}})
	assert.Equal(t, 1, old.Raised, "what is heard late is still told")
}

func TestMemoryIsBounded(t *testing.T) {
	b := newBook(t, 5)
	for i := range 1000 {
		o := said(0, flag.Low)
		o.ID, o.Labels = model.Fingerprint(i), model.LabelSet{"alertname": model.LabelValue(rune('a' + i))}
		b.Apply(noon, []flag.Observation{o})
		o.At, o.Severity = noon.Add(time.Second), flag.None
		b.Apply(noon, []flag.Observation{o})
		require.LessOrEqual(t, len(b.flags), 10)
	}
	b.Expire(noon.Add(time.Hour))
	assert.Empty(t, b.flags)
}

func TestRestored(t *testing.T) {
	b := newBook(t, 10)
	changes := b.Apply(noon, []flag.Observation{said(0, flag.Severe)})
	var f Flag
	for _, kept := range changes.Put {
		data, err := json.Marshal(kept)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &f))
	}
	other := newBook(t, 10)
	a := other.Restore(noon.Add(time.Hour), 1, &f)
	assert.Equal(t, changes.Alerts[0].Labels, a.Labels)
	assert.Equal(t, changes.Alerts[0].Annotations, a.Annotations)
	assert.Equal(t, noon, a.StartsAt)
	assert.Empty(t, other.Expire(noon.Add(time.Hour+4*time.Minute)).Alerts)
	assert.Len(t, other.Expire(noon.Add(time.Hour+5*time.Minute)).Alerts, 1)
}

func FuzzBook(f *testing.F) {
	f.Add([]byte{3, 0, 4, 1, 0, 2, 200, 3})
	f.Fuzz(func(t *testing.T, steps []byte) {
		b := newBook(t, 2)
		now := noon
		told := map[model.Fingerprint]bool{}
		check := func(changes Changes) {
			for _, a := range changes.Alerts {
				require.NoError(t, a.Validate())
				told[a.Fingerprint()] = a.Timeout
			}
		}
		for _, s := range steps {
			now = now.Add(time.Duration(s>>5) * time.Minute)
			o := flag.Observation{
				ID:     model.Fingerprint(s & 3),
				Labels: model.LabelSet{"alertname": model.LabelValue(rune('a' + s&3))},
				At:     now, Judged: true, Severity: flag.Severity(s >> 2 & 7),
			}
			check(b.Apply(now, []flag.Observation{o}))
			check(b.Expire(now))
			firing := 0
			for _, fires := range told {
				if fires {
					firing++
				}
			}
			require.Equal(t, b.Active(), firing, "what was told is what is up")
		}
	})
}

func TestLabelsAreThoseOfTheBeginning(t *testing.T) {
	b := newBook(t, 10)
	b.Apply(noon, []flag.Observation{said(0, flag.Low)})
	later := said(10*time.Second, flag.Low)
	later.Labels = model.LabelSet{"alertname": "r", "spark_version": "4.0.1"}
	changes := b.Apply(noon.Add(10*time.Second), []flag.Observation{later})
	require.Len(t, changes.Alerts, 1)
	assert.NotContains(t, changes.Alerts[0].Labels, "spark_version")
}

func TestCauseThatIsFoundLater(t *testing.T) {
	b := newBook(t, 10)
	alone := b.Apply(noon, []flag.Observation{said(0, flag.Low)}).Alerts[0]
	assert.Equal(t, model.LabelSet{"alertname": "r", "severity": "low", "cause": "r"}, alone.Labels)
	explained := said(10*time.Second, flag.Low)
	explained.Cause = "q"
	changes := b.Apply(noon.Add(10*time.Second), []flag.Observation{explained})
	require.Len(t, changes.Alerts, 2)
	assert.Equal(t, alone.Labels, changes.Alerts[0].Labels)
	assert.True(t, changes.Alerts[0].ResolvedAt(noon.Add(10*time.Second)))
	consequence := changes.Alerts[1]
	assert.Equal(t, model.LabelSet{"alertname": "r", "severity": "low", "cause": "q", "consequence": "true"}, consequence.Labels)
	assert.Equal(t, noon, consequence.StartsAt)
	assert.Equal(t, Identity(alone.Labels), Identity(consequence.Labels))
}

func TestTraceOfASpanThatEndedBeforeTheLatestPoint(t *testing.T) {
	b := newBook(t, 10)
	b.Apply(noon.Add(time.Minute), []flag.Observation{said(time.Minute, flag.Low)})
	span := said(50*time.Second, flag.Critical)
	span.TraceID = "0102"
	changes := b.Apply(noon.Add(time.Minute), []flag.Observation{span})
	require.Len(t, changes.Alerts, 1)
	assert.Equal(t, model.LabelValue("0102"), changes.Alerts[0].Annotations[TraceIDAnnotation])
	assert.Equal(t, model.LabelValue("low"), changes.Alerts[0].Labels[SeverityLabel], "what is older says nothing of how it is")
	assert.Len(t, changes.Put, 1)
	assert.Empty(t, b.Apply(noon.Add(time.Minute), []flag.Observation{span}).Alerts)
}
