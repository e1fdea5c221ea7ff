package sparkmodelreceiver

import (
	"context"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/errgroup"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/emit"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/read"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

const (
	// readers bounds the applications that are read at the same time.
	readers = 16
	// maxBatch is above how many data points a batch of metrics is sent downstream and the next one begins: what a poll
	// emits of a thousand applications takes half a gigabyte.
	maxBatch = 10_000
)

// sparkModelReceiver polls the configured sources.
type sparkModelReceiver struct {
	cfg *Config
	set receiver.Settings
	// metrics, traces and logs are nil where no pipeline wants them.
	metrics   consumer.Metrics
	traces    consumer.Traces
	logs      consumer.Logs
	obs       *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	now       func() time.Time

	filter  *discover.Filter
	builder *emit.Builder
	reader  *read.Reader
	health  health
	answers answers
	// skipped counts the applications that were found in this poll and that include and exclude leave out.
	skipped atomic.Int64

	servers *servers
	sources []source
	watched *watched
	marks   marks

	start, stop sync.Once
	cancel      context.CancelFunc
	done        sync.WaitGroup
	// release lets go of the receiver, so that the next pipeline gets a new one.
	release func()
}

func newSparkModelReceiver(set receiver.Settings, cfg *Config) (*sparkModelReceiver, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	filter, err := discover.NewFilter(cfg.Applications.Include, cfg.Applications.Exclude)
	if err != nil {
		return nil, err
	}
	var namer track.ModelNamer
	if cfg.Model.NamePattern != "" {
		if namer.Pattern, err = regexp.Compile(cfg.Model.NamePattern); err != nil {
			return nil, err
		}
	}
	r := &sparkModelReceiver{
		cfg: cfg, set: set, obs: obs, telemetry: telemetry, now: time.Now,
		filter: filter,
		builder: emit.NewBuilder(cfg.MetricsBuilderConfig, set, emit.Options{
			Cluster: cfg.ClusterName, MinStageDuration: cfg.Stages.MinDuration, MaxStages: cfg.Stages.Max,
			ChildOfParent: cfg.Traces.Parent == parentChild,
		}),
		reader: &read.Reader{
			Wanted: wanted(cfg.MetricsBuilderConfig.Metrics), DriverMetricsInterval: cfg.DriverMetricsInterval,
			MinStageDuration: cfg.Stages.MinDuration, MaxStages: cfg.Stages.Max, Namer: namer,
		},
		health: newHealth(set.Logger),
	}
	r.watched = newWatched(r)
	err = telemetry.RegisterReceiverSparkmodelSourceStalenessCallback(r.answers.observe(func() time.Time { return r.now() }))
	return r, err
}

// wanted tells which metrics are enabled that cost requests of their own.
func wanted(config metadata.MetricsConfig) read.Wanted {
	return read.Wanted{
		SQL:      emit.AnyEnabled(config, "spark.sql.", "spark.application.sql.", "spark.streaming.query.batch"),
		Driver:   emit.AnyEnabled(config, "spark.driver.", "spark.streaming.", "spark.model.result", "spark.application.event."),
		Storage:  emit.AnyEnabled(config, "spark.application.storage."),
		DStreams: emit.AnyEnabled(config, "spark.dstream."),
	}
}

// Start begins to poll, when the first of the pipelines starts. A server that is down is no error: it is asked again at
// the next poll.
func (r *sparkModelReceiver) Start(ctx context.Context, host component.Host) (err error) {
	r.start.Do(func() { err = r.begin(ctx, host) })
	return err
}

func (r *sparkModelReceiver) begin(ctx context.Context, host component.Host) error {
	if err := r.connect(ctx, host); err != nil {
		return err
	}
	var err error
	if r.marks, err = openMarks(ctx, host, r.cfg, r.set.ID); err != nil {
		return err
	}
	if err := r.resume(); err != nil {
		return err
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.done.Go(func() { r.run(ctx) })
	return nil
}

// Shutdown ends the poll that is under way, when the first of the pipelines shuts down.
func (r *sparkModelReceiver) Shutdown(ctx context.Context) (err error) {
	r.stop.Do(func() {
		r.release()
		if r.cancel != nil {
			r.cancel()
			r.done.Wait()
			r.watched.closers.Wait()
			r.servers.shutdown()
			err = r.marks.close(ctx)
		}
		r.telemetry.Shutdown()
	})
	return err
}

func (r *sparkModelReceiver) run(ctx context.Context) {
	select {
	case <-time.After(r.cfg.ControllerConfig.InitialDelay):
	case <-ctx.Done():
		return
	}
	ticker := time.NewTicker(r.cfg.ControllerConfig.CollectionInterval)
	defer ticker.Stop()
	for {
		r.poll(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// poll walks once through discovering, reading, tracking and emitting.
func (r *sparkModelReceiver) poll(ctx context.Context) {
	begin := time.Now()
	r.builder.Begin(r.now())
	if err := r.look(ctx); err != nil {
		return
	}
	applications := r.watched.emitted()
	delivered, err := r.emitMetrics(ctx, applications)
	r.emitEndings(ctx, applications, "traces", (*track.Application).Spans, r.sendSpans)
	r.emitEndings(ctx, applications, "logs", (*track.Application).Events, r.sendEvents)
	r.watched.delivered(ctx, delivered)
	if err == nil {
		for _, s := range r.sources {
			s.delivered()
		}
	}
	r.saveMarks(ctx)
	r.telemetry.ReceiverSparkmodelPollDuration.Record(ctx, time.Since(begin).Seconds())
	r.telemetry.ReceiverSparkmodelApplicationsTracked.Record(ctx, int64(r.watched.count()))
	r.telemetry.ReceiverSparkmodelApplicationsSkipped.Record(ctx, r.skipped.Swap(0))
}

// look finds and reads the applications, for as long as the configured timeout allows.
func (r *sparkModelReceiver) look(ctx context.Context) error {
	limited := ctx
	if t := r.cfg.ControllerConfig.Timeout; t > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, t)
		defer cancel()
	}
	r.discover(limited)
	r.read(limited)
	return ctx.Err()
}

// discover asks all sources at the same time.
func (r *sparkModelReceiver) discover(ctx context.Context) {
	var group sync.WaitGroup
	for _, s := range r.sources {
		group.Go(func() { s.look(ctx) })
	}
	group.Wait()
	for _, s := range r.sources {
		s.handOver()
	}
}

// read reads the applications that answer now.
func (r *sparkModelReceiver) read(ctx context.Context) {
	var group errgroup.Group
	group.SetLimit(readers)
	list := r.watched.readable()
	for _, w := range list {
		group.Go(func() error {
			w.err = r.watched.readRunning(ctx, w)
			return nil
		})
	}
	_ = group.Wait() // each application keeps its own error
	for _, w := range list {
		r.watched.report(w)
	}
}

// emitMetrics sends the figures that were read downstream, a batch at a time. It returns the applications whose figures
// were accepted there, and the error if some were not.
func (r *sparkModelReceiver) emitMetrics(ctx context.Context, applications []*watchedApplication) (delivered []*watchedApplication, refused error) {
	if r.metrics == nil {
		return applications, nil
	}
	var batch []*watchedApplication
	send := func() {
		if err := r.sendMetrics(ctx, r.builder.Metrics()); err != nil {
			refused = err
		} else {
			delivered = append(delivered, batch...)
		}
		batch = nil
	}
	for _, w := range applications {
		if w.farewells < farewells {
			r.builder.Application(w.app, w.fresh())
		}
		batch = append(batch, w)
		if r.builder.Points() >= maxBatch {
			send()
		}
	}
	send()
	r.accepted(ctx, "metrics pipeline", refused)
	return delivered, refused
}

func (r *sparkModelReceiver) sendMetrics(ctx context.Context, md pmetric.Metrics) error {
	points := md.DataPointCount()
	if points == 0 {
		return nil
	}
	op := r.obs.StartMetricsOp(ctx)
	err := r.metrics.ConsumeMetrics(op, md)
	r.obs.EndMetricsOp(op, metadata.Type.String(), points, err)
	return err
}

// maxPart bounds the jobs, stage attempts, SQL executions and executors that are sent downstream at once: with their
// tasks, some MiB.
const maxPart = 1000

// emitEndings sends downstream, as one signal, what has ended since it was last accepted there. Once something was
// refused the rest waits for the next poll; what can never be accepted is given up.
func (r *sparkModelReceiver) emitEndings(ctx context.Context, applications []*watchedApplication, signal string,
	box func(*track.Application) *track.Outbox, send func(context.Context, *track.Application, *track.Outbox) error,
) {
	for _, w := range applications {
		waiting := box(w.app)
		for !waiting.Empty() {
			part := waiting.Part(maxPart)
			err := send(ctx, w.app, part)
			r.accepted(ctx, signal+" pipeline", err)
			switch {
			case err == nil:
				waiting.Delivered(part)
			case consumererror.IsPermanent(err):
				waiting.Drop(part)
			default:
				return
			}
		}
		r.dropped(ctx, signal, waiting)
	}
}

func (r *sparkModelReceiver) sendSpans(ctx context.Context, app *track.Application, part *track.Outbox) error {
	td := ptrace.NewTraces()
	r.builder.Spans(td, app, part)
	n := td.SpanCount()
	if n == 0 {
		return nil
	}
	op := r.obs.StartTracesOp(ctx)
	err := r.traces.ConsumeTraces(op, td)
	r.obs.EndTracesOp(op, metadata.Type.String(), n, err)
	return err
}

func (r *sparkModelReceiver) sendEvents(ctx context.Context, app *track.Application, part *track.Outbox) error {
	ld := plog.NewLogs()
	r.builder.Events(ld, app, part)
	n := ld.LogRecordCount()
	if n == 0 {
		return nil
	}
	op := r.obs.StartLogsOp(ctx)
	err := r.logs.ConsumeLogs(op, ld)
	r.obs.EndLogsOp(op, metadata.Type.String(), n, err)
	return err
}

// accepted records whether a pipeline took what was sent.
func (r *sparkModelReceiver) accepted(ctx context.Context, pipeline string, err error) {
	if ctx.Err() == nil {
		r.health.report(pipeline, err)
	}
}

func (r *sparkModelReceiver) dropped(ctx context.Context, signal string, box *track.Outbox) {
	if n := box.TakeDropped(); n > 0 {
		r.telemetry.ReceiverSparkmodelEndingsDropped.Add(ctx, n, metric.WithAttributes(attribute.String("signal", signal)))
	}
}
