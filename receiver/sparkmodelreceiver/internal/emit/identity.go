package emit

import (
	"crypto/sha256"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/traceid"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Kinds of spans, as they are part of span ids.
const (
	kindApplication = "app"
	kindQueueWait   = "queue"
	kindStartup     = "startup"
	kindExecution   = "sql"
	kindJob         = "job"
	kindStage       = "stage"
	kindTask        = "task"
	kindBatch       = "batch"
)

// identity derives the ids of an application's spans from what they are of, so that whoever reads the application,
// live or from the History Server, makes the same spans, and the application itself can add its own to the trace:
//
//	trace id = the first 16 bytes of SHA-256("sparkmodel/1|trace|" + cluster + "|" + application + "|" + attempt)
//	span id  = the first 8 bytes of SHA-256("sparkmodel/1|span|" + cluster + "|" + application + "|" + attempt + "|" + kind + "|" + id)
//
// cluster is the configured cluster_name and attempt the number that YARN gives it ("1" for the first), empty where
// nothing counts attempts. Kinds and their ids: app and queue (empty), startup (phase), sql (execution), job (job), stage (stage "."
// attempt), task (task), batch (query "." batch). Where a micro-batch, a SQL execution or a job is the root of a trace:
//
//	trace id = the first 16 bytes of SHA-256("sparkmodel/1|trace|" + cluster + "|" + application + "|" + attempt + "|" + kind + "|" + id)
type identity struct {
	application string
	trace       pcommon.TraceID
	// rootsPerJob tells that SQL executions, and jobs without one, are roots.
	rootsPerJob bool
}

func identityOf(cluster string, app track.Key) identity {
	key := traceid.Key(cluster, app.ID, app.Attempt)
	return identity{application: key, trace: traceid.Of(key)}
}

// identity returns the identity of an application, in the trace that it was submitted from where that is wanted.
func (b *Builder) identity(app *track.Application) identity {
	i := identityOf(b.cluster, app.Key)
	i.rootsPerJob = app.RootsPerJob
	if b.childOfParent && app.Parent != nil {
		i.trace = app.Parent.TraceID
	}
	return i
}

func (i identity) span(kind, id string) pcommon.SpanID {
	sum := sha256.Sum256([]byte("sparkmodel/1|span|" + i.application + "|" + kind + "|" + id))
	return pcommon.SpanID(sum[:8])
}

// rootedIn returns the identity of what runs in a trace of its own.
func (i identity) rootedIn(kind, id string) identity {
	i.trace = traceid.Of(i.application + "|" + kind + "|" + id)
	return i
}

func batchID(b *track.Batch) string { return b.Query + "." + b.Number }

// ofExecution returns the identity of a SQL execution's trace: that of its micro-batch, if it ran for one.
func (i identity) ofExecution(e *track.Execution) identity {
	switch {
	case e.Batch != nil:
		return i.rootedIn(kindBatch, batchID(e.Batch))
	case i.rootsPerJob:
		return i.rootedIn(kindExecution, fmt.Sprint(e.ID))
	}
	return i
}

// ofJob returns the identity of a job's trace: that of its SQL execution, if it ran for one.
func (i identity) ofJob(j *track.EndedJob) identity {
	switch {
	case j.Execution != nil:
		return i.ofExecution(j.Execution)
	case i.rootsPerJob:
		return i.rootedIn(kindJob, fmt.Sprint(j.ID))
	}
	return i
}

func (i identity) root() pcommon.SpanID { return i.span(kindApplication, "") }

func (i identity) execution(id int) pcommon.SpanID { return i.span(kindExecution, fmt.Sprint(id)) }

func (i identity) job(id int) pcommon.SpanID { return i.span(kindJob, fmt.Sprint(id)) }

func (i identity) stage(key track.StageKey) pcommon.SpanID {
	return i.span(kindStage, fmt.Sprintf("%d.%d", key.ID, key.Attempt))
}
