package track

import (
	"cmp"
	"regexp"
	"time"
)

// Batch is a micro-batch of a structured streaming query.
type Batch struct {
	// Name of the query; empty where its author gave none.
	Name string
	// Query is the query's id, which outlives its restarts; Number counts its batches.
	Query, Number string
}

// batchDescription is how Spark describes whatever runs for a micro-batch (MicroBatchExecution, 3.5 and 4.x).
var batchDescription = regexp.MustCompile(`(?s)^\s*(?:(.*)\n)?id = (\S+)\nrunId = \S+\nbatch = (\d+)\s*$`)

// parseBatch returns the micro-batch that a description is of, or nil.
func parseBatch(description string) *Batch {
	m := batchDescription.FindStringSubmatch(description)
	if m == nil {
		return nil
	}
	return &Batch{Name: m[1], Query: m[2], Number: m[3]}
}

// Query is what is counted of a streaming query's micro-batches.
type Query struct {
	Batches int64
	// Last is how long the one lasted that ended last, at lastEnd.
	Last    time.Duration
	lastEnd time.Time
}

// maxQueries bounds the streaming queries of an application whose micro-batches are counted.
const maxQueries = 100

// QueryName is the name of the batch's query, else its id.
func (b *Batch) QueryName() string { return cmp.Or(b.Name, b.Query) }

func (x *executions) batchEnded(e *Execution) {
	name := e.Batch.QueryName()
	q := x.queries[name]
	if q == nil {
		if len(x.queries) >= maxQueries {
			return
		}
		q = &Query{}
		x.queries[name] = q
	}
	q.Batches++
	if end, _ := e.End(); end.After(q.lastEnd) {
		q.Last, q.lastEnd = end.Sub(e.SubmissionTime.Time), end
	}
}

// Queries returns the streaming queries of which micro-batches have ended, by name.
func (a *Application) Queries() map[string]*Query {
	if a.executions == nil {
		return nil
	}
	return a.executions.queries
}
