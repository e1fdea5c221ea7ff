package track

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What a shell or a server runs has traces of its own; a job's author may decide otherwise.
func TestRootsPerJob(t *testing.T) {
	for _, c := range []struct {
		properties map[string]string
		want       bool
	}{
		{nil, false},
		{map[string]string{"spark.app.name": "churn"}, false},
		{map[string]string{"spark.app.name": "PySparkShell"}, true},
		{map[string]string{"spark.app.name": "Thrift JDBC/ODBC Server"}, true},
		{map[string]string{"spark.app.name": "Spark Connect server"}, true},
		{map[string]string{"spark.app.name": "SparkSQL::10.0.0.1"}, true},
		{map[string]string{"spark.app.name": "mine", "spark.repl.class.outputDir": "/tmp/spark-1"}, true},
		{map[string]string{"spark.app.name": "PySparkShell", "spark.sparkmodel.trace.root": "application"}, false},
		{map[string]string{"spark.app.name": "my notebook", "spark.sparkmodel.trace.root": "job"}, true},
	} {
		assert.Equal(t, c.want, rootsPerJob(c.properties), "%v", c.properties)
	}
}

// The reasons are those of a Capacity Scheduler of Hadoop 3.4.2.
func TestQueueFullIsSaidOnce(t *testing.T) {
	const (
		limited = "[Mon Nov 23 23:31:57 +0000 2026] Application is added to the scheduler and is not yet activated. Queue's AM resource limit exceeded.  Details : AM Partition = <DEFAULT_PARTITION>; AM Resource Request = <memory:1024, vCores:1>"
		waiting = "[Mon Nov 23 23:29:29 +0000 2026] Application is Activated, waiting for resources to be assigned for AM.  Details : AM Partition = <DEFAULT_PARTITION>"
	)
	for _, c := range []struct {
		diagnostics string
		wait        time.Duration
		want        string
	}{
		{limited, time.Second, "Application is added to the scheduler and is not yet activated. Queue's AM resource limit exceeded."},
		{waiting, time.Second, ""},
		{waiting, time.Minute, "Application is Activated, waiting for resources to be assigned for AM."},
		{"", time.Minute, ""},
	} {
		app := NewApplication(Key{ID: "app"})
		app.FollowEndings(true, true)
		app.Allocate(Allocation{Wait: c.wait})
		app.ObserveWait(c.diagnostics)
		assert.Equal(t, c.want, app.Events().QueueFull)
		assert.Equal(t, c.want == "", app.Events().Empty())
		app.Events().Delivered(app.Events().Part(1))
		app.ObserveWait(c.diagnostics)
		assert.True(t, app.Events().Empty(), "said once")
	}
}
