package track

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// A box is delivered in parts: everything once, the application's start first and its end last; and after a restart
// nothing of it again.
func TestPartsOfABox(t *testing.T) {
	fill := func(marks *Marks) *Application {
		app := NewApplication(Key{ID: "app"})
		app.FollowEndings(true, true)
		app.ResumeEndings(nil, marks)
		app.SettleEndings()
		for id := range 25 {
			app.ObserveJob(&spark.Job{ID: id, Status: spark.StatusSucceeded})
		}
		app.ObserveAllExecutors([]spark.Executor{{ID: "1"}, {ID: "driver", Active: true}, {ID: "2", Active: true}})
		app.CloseEndings()
		return app
	}
	box := fill(nil).Events()
	var jobs, executors, parts int
	for !box.Empty() {
		part := box.Part(10)
		assert.Equal(t, parts == 0, part.Started)
		jobs += len(part.Jobs)
		executors += len(part.Executors)
		assert.LessOrEqual(t, len(part.Jobs)+len(part.Executors), 10)
		box.Delivered(part)
		assert.Equal(t, box.Empty(), part.Ended)
		parts++
	}
	assert.Equal(t, []int{25, 2, 3}, []int{jobs, executors, parts})

	text, err := json.Marshal(box.Marks())
	require.NoError(t, err)
	assert.LessOrEqual(t, len(text), 250, "marks are small: %s", text)
	var marks Marks
	require.NoError(t, json.Unmarshal(text, &marks))
	assert.True(t, fill(&marks).Events().Empty())
}

func TestWhatIsGivenUpIsCounted(t *testing.T) {
	app := NewApplication(Key{ID: "app"})
	app.FollowEndings(true, false)
	for id := range maxUndelivered + 7 {
		app.ObserveJob(&spark.Job{ID: id, Status: spark.StatusSucceeded})
	}
	app.CloseEndings()
	assert.EqualValues(t, 7, app.Spans().TakeDropped())
	app.Spans().Drop(app.Spans().Part(1000))
	assert.EqualValues(t, 1000, app.Spans().TakeDropped())
	assert.Len(t, app.Spans().Jobs, maxUndelivered-1000)
}
