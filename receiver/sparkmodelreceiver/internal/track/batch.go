package track

import "regexp"

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
