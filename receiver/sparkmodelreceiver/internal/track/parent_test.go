package track

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

func TestFindParent(t *testing.T) {
	const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	properties := map[string]string{parentProperty: valid}
	p := FindParent("", properties)
	require.NotNil(t, p)
	assert.Equal(t, byte(0x0a), p.TraceID[0])
	assert.Equal(t, byte(0x31), p.SpanID[7])
	assert.Equal(t, p, FindParent("team-a, traceparent:"+valid, nil))
	assert.Equal(t, p, FindParent("traceparent:00-11111111111111111111111111111111-2222222222222222-01", properties))
	for _, wrong := range []string{
		"", "00", "ff" + valid[2:], valid + "0", valid[:53], "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
	} {
		assert.Nil(t, FindParent("", map[string]string{parentProperty: wrong}), wrong)
	}
}

// What nobody takes is bounded, and what does not fit is counted.
func TestEndingsAreBounded(t *testing.T) {
	app := NewApplication(Key{ID: "app"})
	app.FollowEndings(true, true)
	const jobs = maxUndelivered + 500
	for id := range jobs {
		app.ObserveJob(&spark.Job{ID: id, Status: spark.StatusSucceeded})
	}
	app.ObserveExecutions(nil, 0)
	app.SettleEndings()
	for _, box := range []*Outbox{app.Spans(), app.Events()} {
		assert.Len(t, box.Jobs, maxUndelivered)
		assert.EqualValues(t, 500, box.TakeDropped())
		assert.Zero(t, box.TakeDropped())
	}
	app.Spans().Delivered(app.Spans())
	assert.True(t, app.Spans().Empty())
	assert.False(t, app.Events().Empty(), "each signal has its own mark")
	app.ObserveJob(&spark.Job{ID: jobs, Status: spark.StatusSucceeded})
	app.ObserveExecutions(nil, 0)
	app.SettleEndings()
	assert.Len(t, app.Spans().Jobs, 1)

	orphans := NewApplication(Key{ID: "app"})
	orphans.FollowEndings(true, false)
	for id := range jobs {
		orphans.ObserveStage(&spark.Stage{ID: id, Status: spark.StatusComplete}, orphans.Now)
	}
	assert.Len(t, orphans.endings.stages, maxUndelivered)
	assert.EqualValues(t, 500, orphans.Spans().TakeDropped())
}
