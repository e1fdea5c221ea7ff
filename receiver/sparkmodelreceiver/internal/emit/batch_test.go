package emit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// A micro-batch has a trace of its own, whose root has the times of its own execution and links to the application. What
// the user's code executes in the batch is below the root too.
func TestMicroBatch(t *testing.T) {
	const description = "scores\nid = 5a7c\nrunId = 77aa\nbatch = 12"
	app := newTestApplication()
	app.FollowEndings(true, false)
	app.ListJobs([]spark.Job{
		{ID: 1, Name: "load", Status: spark.StatusSucceeded, SubmissionTime: at(4), CompletionTime: at(5)},
		{ID: 0, Name: "write", Status: spark.StatusSucceeded, SubmissionTime: at(12), CompletionTime: at(15)},
	})
	app.ObserveExecutions([]spark.Execution{
		{ID: 0, Status: "COMPLETED", Description: "load the model", SubmissionTime: at(3), Duration: 2000, SucceededJobs: []int{1}},
		{ID: 1, Status: "COMPLETED", Description: description, SubmissionTime: at(10), Duration: 9000},
		{ID: 2, Status: "COMPLETED", Description: description, SubmissionTime: at(11), Duration: 5000, SucceededJobs: []int{0}},
	}, 0)
	for _, e := range app.UndetailedExecutions() {
		e.Detailed = true
	}
	app.SettleEndings()

	spans := spansOf(app)
	require.Len(t, spans["spark.streaming_batch"], 1)
	batch := spans["spark.streaming_batch"][0]
	assert.True(t, batch.ParentSpanID().IsEmpty())
	assert.Equal(t, at(10).Time, batch.StartTimestamp().AsTime())
	assert.Equal(t, at(19).Time, batch.EndTimestamp().AsTime())
	assert.Equal(t, map[string]any{"spark.streaming.query.name": "scores", "spark.streaming.query.id": "5a7c", "spark.streaming.batch.id": "12"}, batch.Attributes().AsRaw())
	application := identityOf("lab", app.Key)
	require.Equal(t, 1, batch.Links().Len())
	assert.Equal(t, application.trace, batch.Links().At(0).TraceID())
	assert.Equal(t, application.root(), batch.Links().At(0).SpanID())
	assert.NotEqual(t, application.trace, batch.TraceID())

	require.Len(t, spans["spark.sql"], 3)
	for _, query := range spans["spark.sql"][1:] {
		assert.Equal(t, batch.TraceID(), query.TraceID())
		assert.Equal(t, batch.SpanID(), query.ParentSpanID())
	}
	jobs := spans["spark.job"]
	require.Len(t, jobs, 2)
	assert.Equal(t, batch.TraceID(), jobs[0].TraceID())
	assert.Equal(t, spans["spark.sql"][2].SpanID(), jobs[0].ParentSpanID())
	assert.Equal(t, application.trace, spans["spark.sql"][0].TraceID())
	assert.Equal(t, application.trace, jobs[1].TraceID())
}
