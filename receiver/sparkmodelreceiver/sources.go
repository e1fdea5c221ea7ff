package sparkmodelreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/emit"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/yarn"
)

// source is what a poll asks: the servers of one kind. All sources look at the same time, so that one that hangs takes
// no time from the others; what they found is handed over one after another.
type source interface {
	// name is that of the source in logs, telemetry and marks.
	name() string
	// look asks the servers.
	look(ctx context.Context)
	// handOver gives applications to those that are watched, and figures to the builder.
	handOver()
	// delivered is told that the figures which were handed over last were accepted downstream.
	delivered()
}

// lister is a source that lists the applications that ended since a moment, which moves on with each look.
type lister interface {
	source
	since() time.Time
	resume(since time.Time)
}

// connect makes the clients of the configured servers, and the sources that use them.
func (r *sparkModelReceiver) connect(ctx context.Context, host component.Host) error {
	s, err := newServers(ctx, r.cfg, host, r.set.TelemetrySettings, r.telemetry)
	if err != nil {
		return err
	}
	r.servers = s
	var cluster *discover.YARN
	if len(s.yarn) > 0 {
		cluster = discover.NewYARN(yarn.New(s.yarn))
		r.sources = append(r.sources, &yarnSource{r: r, finder: cluster})
	}
	if len(s.masters) > 0 {
		r.sources = append(r.sources, &masterSource{r: r, finder: discover.NewMaster(s.masters)})
	}
	for _, driver := range s.drivers {
		r.sources = append(r.sources, &driverSource{r: r, server: driver})
	}
	if c := r.cfg.History.Get(); c != nil && len(r.sources) == 0 {
		r.sources = append(r.sources, &historySource{r: r, finder: discover.NewHistoryServer(s.history, c.Lookback, c.Max, c.Running)})
	}
	if len(s.nameNodes)+len(s.dataNodes) > 0 && r.metrics != nil {
		r.sources = append(r.sources, newHDFSSource(r))
	}
	if c := r.cfg.MapReduce.Get(); c != nil && r.metrics != nil {
		jobs, err := newMapReduceSource(r, c, cluster)
		if err != nil {
			return err
		}
		r.sources = append(r.sources, jobs)
	}
	return nil
}

// yarnSource finds the applications of a YARN cluster, and the cluster's own figures.
type yarnSource struct {
	r      *sparkModelReceiver
	finder *discover.YARN
	// found is nil where the resource manager did not answer in this poll, cluster also where no pipeline wants metrics.
	found   *discover.Found
	cluster *emit.Cluster
}

func (s *yarnSource) look(ctx context.Context) {
	s.found, s.cluster = nil, nil
	found, err := s.finder.Find(ctx)
	if !s.r.answered(ctx, sourceYARN, err) {
		return
	}
	s.lookUp(ctx, &found)
	s.found = &found
	if s.r.metrics != nil {
		s.cluster = s.r.cluster(ctx, &found)
	}
}

// lookUp asks for the applications that YARN lists no more: what can't be found stays missing.
func (s *yarnSource) lookUp(ctx context.Context, found *discover.Found) {
	for _, id := range s.r.watched.missing(sourceYARN, found.Applications) {
		app, err := s.finder.Lookup(ctx, found, id)
		if err != nil {
			s.r.set.Logger.Debug("an application that is missing can't be looked up", zap.String("application", id), zap.Error(err))
		}
		if app != nil {
			found.Applications = append(found.Applications, *app)
		}
	}
}

func (s *yarnSource) handOver() {
	if s.found != nil {
		s.r.watched.update(sourceYARN, s.r.selected(s.found.Applications), s.found.Since)
	} else {
		s.r.watched.unreachable(sourceYARN)
	}
	if s.cluster != nil {
		s.r.builder.Cluster(s.cluster)
	}
}

func (*yarnSource) delivered() {}

func (*yarnSource) name() string { return sourceYARN }

func (s *yarnSource) since() time.Time { return s.finder.Since() }

func (s *yarnSource) resume(since time.Time) { s.finder.Resume(since) }

// driverSource finds the application of a driver at a fixed address.
type driverSource struct {
	r      *sparkModelReceiver
	server *rest.Client
	found  []discover.Application
}

func (s *driverSource) name() string { return sourceDriver + " " + s.server.Endpoint() }

func (s *driverSource) look(ctx context.Context) {
	var err error
	s.found, err = discover.Driver(ctx, s.server)
	s.r.answered(ctx, s.name(), err)
}

// handOver takes a driver that does not answer for one that has gone, with its application.
func (s *driverSource) handOver() {
	s.r.watched.update(s.name(), s.r.selected(s.found), time.Time{})
}

func (*driverSource) delivered() {}

// historySource finds the applications of a Spark History Server.
type historySource struct {
	r      *sparkModelReceiver
	finder *discover.HistoryServer
	// found is nil where the server did not answer in this poll.
	found *discover.Listing
	// full tells that applications were left out at the last poll.
	full bool
}

func (*historySource) name() string { return sourceHistory }

func (s *historySource) look(ctx context.Context) {
	s.found = nil
	found, err := s.finder.Find(ctx, s.r.now())
	if !s.r.answered(ctx, sourceHistory, err) {
		return
	}
	s.found = &found
	if found.Full && !s.full {
		s.r.set.Logger.Warn("there are more applications than history::max: those that ended first are left out", zap.Int("max", s.r.cfg.History.Get().Max))
	}
	s.full = found.Full
}

func (s *historySource) handOver() {
	if s.found != nil {
		s.r.watched.update(sourceHistory, s.r.selected(s.found.Applications), s.found.Since)
	}
}

func (*historySource) delivered() {}

func (s *historySource) since() time.Time { return s.finder.Since() }

func (s *historySource) resume(since time.Time) { s.finder.Resume(since) }

// answered records whether a source answered.
func (r *sparkModelReceiver) answered(ctx context.Context, name string, err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	r.health.report(name, err)
	r.answers.note(name, r.now(), err == nil)
	up := int64(1)
	if err != nil {
		up = 0
	}
	r.telemetry.ReceiverSparkmodelSourceUp.Record(ctx, up, metric.WithAttributes(attribute.String("source", name)))
	return err == nil
}

func (r *sparkModelReceiver) selected(found []discover.Application) []discover.Application {
	var list []discover.Application
	for i := range found {
		if r.filter.Watches(&found[i]) {
			list = append(list, found[i])
		}
	}
	r.skipped.Add(int64(len(found) - len(list)))
	return list
}

// cluster reads the figures of a YARN cluster.
func (r *sparkModelReceiver) cluster(ctx context.Context, found *discover.Found) *emit.Cluster {
	c := &emit.Cluster{Started: time.UnixMilli(found.Info.StartedOn), Now: found.Info.Now}
	metrics, err := yarn.Metrics(ctx, found.Manager)
	if r.answered(ctx, sourceYARN+" metrics", err) {
		c.Metrics = &metrics
	}
	queues, err := yarn.Queues(ctx, found.Manager)
	if r.answered(ctx, sourceYARN+" queues", err) {
		c.Queues = queues
	}
	nodes, err := yarn.Nodes(ctx, found.Manager)
	if r.answered(ctx, sourceYARN+" nodes", err) {
		c.Nodes = nodes
	}
	return c
}
