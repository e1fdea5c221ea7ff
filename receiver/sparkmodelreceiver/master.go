package sparkmodelreceiver

import (
	"context"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
)

// masterSource finds the applications of a standalone cluster, and the cluster's own figures.
type masterSource struct {
	r      *sparkModelReceiver
	finder *discover.Master
	// found is nil where no Master answered in this poll.
	found *discover.Standalone
}

func (*masterSource) name() string { return sourceMaster }

func (s *masterSource) look(ctx context.Context) {
	s.found = nil
	found, err := s.finder.Find(ctx)
	if s.r.answered(ctx, sourceMaster, err) {
		s.found = &found
	}
}

func (s *masterSource) handOver() {
	if s.found == nil {
		s.r.watched.unreachable(sourceMaster)
		return
	}
	s.r.watched.update(sourceMaster, s.r.selected(s.found.Applications), s.found.Since)
	if s.r.metrics != nil {
		s.r.builder.Standalone(&s.found.State)
	}
}

func (*masterSource) delivered() {}

func (s *masterSource) since() time.Time { return s.finder.Since() }

func (s *masterSource) resume(since time.Time) { s.finder.Resume(since) }
