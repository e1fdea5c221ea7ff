package sparkmodelreceiver

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

// disk is a storage extension that outlives what uses it.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	mu     sync.Mutex
	values map[string][]byte
}

var diskID = component.MustNewID("disk")

func newDisk() *disk { return &disk{values: map[string][]byte{}} }

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return d, nil
}

func (d *disk) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	return op.Value, d.Batch(ctx, op)
}

func (d *disk) Set(ctx context.Context, key string, value []byte) error {
	return d.Batch(ctx, storage.SetOperation(key, value))
}

func (d *disk) Delete(ctx context.Context, key string) error {
	return d.Batch(ctx, storage.DeleteOperation(key))
}

func (d *disk) Batch(_ context.Context, ops ...*storage.Operation) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = d.values[op.Key]
		case storage.Set:
			d.values[op.Key] = op.Value
		case storage.Delete:
			delete(d.values, op.Key)
		}
	}
	return nil
}

func (*disk) Close(context.Context) error { return nil }

type host struct {
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// keepMarks makes a tracer keep its marks, and go on from those that are there.
func (tr *tracer) keepMarks(t *testing.T, d *disk) {
	tr.receiver.cfg.Storage = &diskID
	var err error
	tr.receiver.marks, err = openMarks(t.Context(), host{map[component.ID]component.Component{diskID: d}}, tr.receiver.cfg, component.MustNewID("sparkmodel"))
	require.NoError(t, err)
	require.NoError(t, tr.receiver.resume())
}

// A collector that is restarted again and again sends every span and every event of an application exactly once, when
// it goes on from its marks, and those are gone once the applications are.
func TestRestartsLoseAndDoubleNothing(t *testing.T) {
	rec, err := recording.Load(filepath.Join("..", "..", "testdata", "recordings", "spark-4.3.0.har.zst"))
	require.NoError(t, err)
	whole := newTracer(t, rec)
	whole.read(t, rec.End(), every(rec, 10*time.Second)...)
	want := whole.spansByID(t)
	require.NotEmpty(t, want)

	d, got, spans, events := newDisk(), map[string]string{}, 0, 0
	sent := map[string]int{}
	collect := func(tr *tracer) {
		for id, span := range tr.spansByID(t) {
			got[id] = span
		}
		spans += tr.traces.SpanCount()
		tr.eachSpan(func(span ptrace.Span) { sent[span.SpanID().String()+" "+span.Name()]++ })
		tr.eachEvent(func(record plog.LogRecord) { sent[record.TraceID().String()+record.EventName()+record.Body().Str()]++ })
		events += tr.logs.LogRecordCount()
	}
	moments := every(rec, 10*time.Second)
	for len(moments) > 0 {
		life := newTracer(t, rec)
		life.keepMarks(t, d)
		ctx, kill := context.WithCancel(t.Context())
		for _, at := range moments[:min(4, len(moments))] {
			life.player.Seek(at)
			life.receiver.poll(ctx)
		}
		moments = moments[min(4, len(moments)):]
		kill()
		life.receiver.watched.closers.Wait()
		collect(life)
	}
	last := newTracer(t, rec)
	last.keepMarks(t, d)
	last.read(t, rec.End())
	collect(last)

	assert.Len(t, got, len(want))
	for id, span := range want {
		if assert.Contains(t, got, id, span) {
			assert.JSONEq(t, span, got[id])
		}
	}
	for what, times := range sent {
		assert.Equal(t, 1, times, what)
	}
	assert.Equal(t, len(want), spans, "spans that were sent")
	assert.Equal(t, whole.logs.LogRecordCount(), events, "events that were sent")
}

// Marks of another version, and of sources that are no longer there, are forgotten.
func TestForeignMarksAreForgotten(t *testing.T) {
	rec, err := recording.Load(filepath.Join("..", "..", "testdata", "recordings", "hadoop-3.5.0.har.zst"))
	require.NoError(t, err)
	d := newDisk()
	tr := newTracer(t, rec)
	tr.keepMarks(t, d)
	require.NoError(t, tr.receiver.marks.store.Update(t.Context(), map[string][]byte{
		"application a 1": []byte(`{"version":99,"source":"yarn","key":{"ID":"a","Attempt":"1"}}`),
		"application b 1": []byte(`{"version":1,"source":"driver http://gone:4040","key":{"ID":"b","Attempt":"1"}}`),
		"application c 1": []byte(`{"version":1,"source":"yarn","key":{"ID":"c","Attempt":"1"}}`),
	}, nil))
	again := newTracer(t, rec)
	again.keepMarks(t, d)
	require.Len(t, again.receiver.watched.byID, 1)
	for key := range again.receiver.watched.byID {
		assert.Equal(t, "c", key.ID)
	}
	again.receiver.poll(t.Context())
	assert.NotContains(t, again.receiver.marks.store.All(), "application b 1")
}

// Without its extension the receiver does not start, and says what to do.
func TestStorageThatIsNotThere(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Storage = &diskID
	_, err := openMarks(t.Context(), componenttest.NewNopHost(), cfg, component.MustNewID("sparkmodel"))
	require.ErrorContains(t, err, `there is no extension "disk"; define it, and list it in service::extensions`)
}

// refusingEndings refuses spans and events every other time.
type refusingEndings struct {
	consumertest.Consumer
	next  *tracer
	calls int
}

func (r *refusingEndings) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if r.calls++; r.calls%2 == 0 {
		return errRefused
	}
	return r.next.traces.ConsumeTraces(ctx, td)
}

func (r *refusingEndings) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if r.calls++; r.calls%2 == 0 {
		return errRefused
	}
	return r.next.logs.ConsumeLogs(ctx, ld)
}

// A full queue downstream holds the marks: what it refused is sent at a later poll, and nothing else is sent again.
func TestAFullQueueHoldsTheMarks(t *testing.T) {
	rec, err := recording.Load(filepath.Join("..", "..", "testdata", "recordings", "spark-4.3.0.har.zst"))
	require.NoError(t, err)
	whole := newTracer(t, rec)
	whole.read(t, rec.End(), every(rec, 20*time.Second)...)
	refused := newTracer(t, rec)
	refused.receiver.traces = &refusingEndings{Consumer: consumertest.NewNop(), next: refused}
	refused.receiver.logs = &refusingEndings{Consumer: consumertest.NewNop(), next: refused}
	refused.read(t, rec.End(), every(rec, 20*time.Second)...)
	assert.Equal(t, whole.spansByID(t), refused.spansByID(t))
	assert.Equal(t, whole.traces.SpanCount(), refused.traces.SpanCount(), "nothing is sent twice")
	assert.Equal(t, whole.logs.LogRecordCount(), refused.logs.LogRecordCount())
}
