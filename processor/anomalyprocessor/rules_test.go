package anomalyprocessor

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/polltest"
)

var update = flag.Bool("update", false, "write testdata/flags anew")

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// application is what the receiver tells about an application in one poll. Times are in seconds, sizes in bytes.
type application struct {
	duration  float64
	state     string // running if empty
	executors int    // of one core each; 2 if 0
	peak      int    // most executors at a time, where more than now
	cores     int    // of each executor, 1 if 0
	runTime   float64
	gcTime    float64
	completed int
	failed    int
	lost      map[string]int
	wait      float64
	queue     string
	settings  map[string]float64
	stages    []stage
	jobs      [2]int             // succeeded and failed
	retried   int                // stage attempts that failed
	wall      map[string]float64 // by activity
	core      map[string]float64 // by activity
	more      func(*polltest.Resource)
}

// quantiles are of the successful tasks: min, p25, p50, p75, p95, max.
type quantiles [6]float64

// even are the quantiles of tasks that are all alike.
func even(x float64) quantiles { return quantiles{x, x, x, x, x, x} }

type stage struct {
	duration         float64
	tasks, completed int
	runTime, gcTime  float64
	times            quantiles // run time
	input, read      quantiles // size
	inputRecords     quantiles
	readRecords      quantiles
	spills           quantiles // memory spilled
	peak             quantiles // execution memory
	spilled, disk    float64
	in, out          float64 // sizes
	written          float64
	running          float64
	runningSize      float64
	runningSpilled   float64
	fetchWait        float64
	writeTime        float64
	delay            quantiles
	first            bool // of its application
}

// at is the poll in which the application is as it is here.
func (a application) at(seconds float64) *polltest.Poll {
	p := polltest.At(seconds)
	a.addTo(p)
	return p
}

func (a application) addTo(p *polltest.Poll) {
	state, executors, cores, queue := a.state, a.executors, max(a.cores, 1), a.queue
	if state == "" {
		state = "running"
	}
	if executors == 0 {
		executors = 2
	}
	if queue == "" {
		queue = "root.ml.train"
	}
	r := p.Resource([]string{"spark.cluster.name", "spark.application.id"},
		"spark.cluster.name", "prod", "spark.application.id", "application_1_1", "yarn.queue.name", queue)
	for _, s := range []string{"submitted", "accepted", "running", "succeeded", "failed", "killed", "lost"} {
		value := 0
		if s == state {
			value = 1
		}
		r.Point("spark.application.status", value, "spark.application.state", s)
	}
	r.Point("spark.application.duration", a.duration)
	r.Point("yarn.application.wait.duration", a.wait)
	if state == "accepted" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(a.settings)) {
		r.Point("spark.application.setting", a.settings[name], "spark.setting.name", name)
	}
	r.Point("spark.application.executor.run_time", a.runTime)
	r.Point("spark.application.jvm_gc_time", a.gcTime)
	r.Point("spark.application.executor.active", executors)
	r.Point("spark.application.executor.peak", float64(max(executors, a.peak)))
	r.Point("spark.application.task.result", a.completed, "spark.task.result", "completed")
	r.Point("spark.application.task.result", a.failed, "spark.task.result", "failed")
	r.Point("spark.application.job.result", a.jobs[0], "spark.job.result", "succeeded")
	r.Point("spark.application.job.result", a.jobs[1], "spark.job.result", "failed")
	r.Point("spark.application.stage.result", a.retried, "spark.stage.result", "failed")
	for activity, seconds := range a.wall {
		r.Point("spark.application.wall.time", seconds, "spark.wall.activity", activity)
	}
	for activity, seconds := range a.core {
		r.Point("spark.application.core.time", seconds, "spark.core.activity", activity)
	}
	if a.more != nil {
		a.more(r)
	}
	for _, reason := range []string{"idle", "decommissioned", "preempted", "memory", "node", "heartbeat", "exit", "other"} {
		r.Point("spark.application.executor.lost", a.lost[reason], "spark.executor.loss.reason", reason)
	}
	r.Point("spark.executor.task.limit", 0, "spark.executor.id", "driver")
	for i := range executors {
		id := fmt.Sprint(i + 1)
		r.Point("spark.executor.task.limit", cores, "spark.executor.id", id)
		r.Point("spark.executor.task.result", (a.completed+i)/executors, "spark.executor.id", id, "spark.task.result", "completed")
		r.Point("spark.executor.task.result", (a.failed+i)/executors, "spark.executor.id", id, "spark.task.result", "failed")
	}
	for i, s := range a.stages {
		id := i + 1
		if s.first {
			id = 0
		}
		s.addTo(r, id, a.duration, executors*cores)
	}
}

func (s stage) addTo(r *polltest.Resource, id int, run float64, slots int) {
	point := func(metric string, value any, attributes ...any) {
		attributes = append(attributes, "spark.stage.id", id, "spark.stage.attempt.id", 0, "spark.stage.name", "join at train.py:42")
		r.Point(metric, value, attributes...)
	}
	completed := s.completed
	if completed == 0 {
		completed = s.tasks
	}
	point("spark.stage.duration", s.duration)
	point("spark.stage.run.duration", run)
	point("spark.stage.task.limit", slots)
	point("spark.stage.tasks", s.tasks)
	point("spark.stage.shuffle.fetch_wait_time", s.fetchWait)
	point("spark.stage.shuffle.write_time", s.writeTime)
	point("spark.stage.task.result", completed, "spark.task.result", "completed")
	point("spark.stage.task.result", 0, "spark.task.result", "failed")
	point("spark.stage.executor.run_time", s.runTime)
	point("spark.stage.jvm_gc_time", s.gcTime)
	point("spark.stage.memory.spilled", s.spilled)
	point("spark.stage.disk.spilled", s.disk)
	point("spark.stage.io.size", s.in, "direction", "in")
	point("spark.stage.io.size", s.out, "direction", "out")
	var read float64
	for _, size := range s.read {
		read += size * float64(s.tasks) / 6
	}
	point("spark.stage.shuffle.io.read.size", read/2, "source", "local")
	point("spark.stage.shuffle.io.read.size", read/2, "source", "remote")
	point("spark.stage.shuffle.io.write.size", s.written)
	if s.running > 0 {
		point("spark.stage.task.running.duration", s.running)
		point("spark.stage.task.running.size", s.runningSize)
		point("spark.stage.task.running.memory.spilled", s.runningSpilled)
	}
	if completed < 0 {
		return // no task to tell quantiles of
	}
	for metric, values := range map[string]quantiles{
		"spark.stage.task.run_time":             s.times,
		"spark.stage.task.input.size":           s.input,
		"spark.stage.task.input.records":        s.inputRecords,
		"spark.stage.task.shuffle.read.size":    s.read,
		"spark.stage.task.shuffle.read.records": s.readRecords,
		"spark.stage.task.memory.spilled":       s.spills,
		"spark.stage.task.memory.peak":          s.peak,
		"spark.stage.task.scheduler_delay":      s.delay,
	} {
		for i, quantile := range []string{"min", "p25", "p50", "p75", "p95", "max"} {
			point(metric, values[i], "spark.task.quantile", quantile)
		}
	}
}

// query are the figures of one SQL execution.
func query(figures func(point func(metric string, value any))) func(*polltest.Resource) {
	return func(r *polltest.Resource) {
		figures(func(metric string, value any) {
			r.Point(metric, value, "spark.sql.execution.id", 3, "spark.sql.description", "load events")
		})
	}
}

// streaming is an application with one query: rows a second in and processed, latency and delay of the watermark in
// seconds, and rows of state.
func streaming(input, processing, latency, delay, rows float64) application {
	return application{duration: 1000, runTime: 100, settings: clusterSettings(nil), more: func(r *polltest.Resource) {
		for metric, value := range map[string]float64{
			"input.rate": input, "processing.rate": processing, "latency": latency, "watermark.delay": delay, "state.rows": rows,
			"state.memory": rows * 300,
		} {
			r.Point("spark.streaming.query."+metric, value, "spark.streaming.query.name", "scores")
		}
		r.Point("spark.streaming.query.batches", 60, "spark.streaming.query.name", "scores")
	}}
}

// amLimit is a queue with room in which an application waits for the memory of application masters.
func amLimit() queue {
	return queue{name: "root.ml.train", used: 0.3, limit: 0.8, containers: 3, pendingApplications: 2, amUsed: gib, amLimit: gib, running: 2}
}

// nodes is a cluster of four nodes, of which so many are lost and unhealthy.
func nodes(at float64, lost, unhealthy int) *polltest.Poll {
	p := polltest.At(at)
	r := p.Resource([]string{"yarn.cluster.name"}, "yarn.cluster.name", "prod")
	r.Point("yarn.cluster.nodes", 4-lost-unhealthy, "yarn.node.state", "running")
	r.Point("yarn.cluster.nodes", lost, "yarn.node.state", "lost")
	r.Point("yarn.node.status", unhealthy, "yarn.node.id", "node1:45454", "yarn.node.state", "unhealthy")
	r.Point("yarn.node.status", 1-unhealthy, "yarn.node.id", "node1:45454", "yarn.node.state", "running")
	return p
}

// hdfs is a cluster of three DataNodes, with missing blocks, dead nodes and a share of its 10 GiB that is free.
func hdfs(at float64, missing, dead int, free float64) *polltest.Poll {
	p := polltest.At(at)
	r := p.Resource([]string{"hdfs.cluster.name"}, "hdfs.cluster.name", "prod")
	r.Point("hdfs.namenode.block.status", missing, "hdfs.block.state", "missing")
	r.Point("hdfs.namenode.block.status", 0, "hdfs.block.state", "corrupt")
	r.Point("hdfs.namenode.block.status", 40, "hdfs.block.state", "under_replicated")
	r.Point("hdfs.namenode.datanodes", dead, "hdfs.datanode.state", "dead")
	r.Point("hdfs.namenode.datanodes", 3-dead, "hdfs.datanode.state", "live")
	r.Point("hdfs.namenode.capacity.limit", 10*gib)
	r.Point("hdfs.namenode.capacity.free", int(free*10*gib))
	return p
}

// queue is what the receiver tells about a queue that has none below it. Shares are of the cluster, of 8 GiB.
type queue struct {
	name                string
	used, limit         float64
	containers          int
	pendingContainers   int
	pendingApplications int
	amUsed, amLimit     float64
	others              float64 // what other queues use
	running             int     // applications
}

func (q queue) at(seconds float64) *polltest.Poll {
	p := polltest.At(seconds)
	q.addTo(p)
	return p
}

func (q queue) addTo(p *polltest.Poll) {
	const memory = 8 * gib
	r := p.Resource([]string{"yarn.cluster.name"}, "yarn.cluster.name", "prod")
	r.Point("yarn.cluster.memory.limit", memory)
	r.Point("yarn.cluster.memory.usage", int((q.used+q.others)*memory), "yarn.resource.state", "allocated")
	r.Point("yarn.cluster.memory.usage", int((1-q.used-q.others)*memory), "yarn.resource.state", "available")
	r.Point("yarn.cluster.vcore.limit", 100)
	r.Point("yarn.cluster.vcore.usage", q.containers, "yarn.resource.state", "allocated")
	for _, name := range []string{"root", q.name} { // the same is told of the queue above it
		r.Point("yarn.queue.capacity.usage", q.used, "yarn.queue.name", name)
		r.Point("yarn.queue.capacity.limit", q.limit, "yarn.queue.name", name)
		r.Point("yarn.queue.memory.usage", int(q.used*memory), "yarn.queue.name", name)
		r.Point("yarn.queue.containers", q.containers, "yarn.queue.name", name, "yarn.container.state", "allocated")
		r.Point("yarn.queue.containers", q.pendingContainers, "yarn.queue.name", name, "yarn.container.state", "pending")
		r.Point("yarn.queue.applications", q.pendingApplications, "yarn.queue.name", name, "yarn.application.state", "pending")
		r.Point("yarn.queue.applications", q.running, "yarn.queue.name", name, "yarn.application.state", "running")
	}
	r.Point("yarn.queue.am.memory.usage", int(q.amUsed), "yarn.queue.name", q.name)
	r.Point("yarn.queue.am.memory.limit", int(q.amLimit), "yarn.queue.name", q.name)
}

// newPipeline returns a processor with the configuration, and where its metrics go to.
func newPipeline(t testing.TB, cfg *Config) (processor.Metrics, *consumertest.MetricsSink) {
	t.Helper()
	sink := &consumertest.MetricsSink{}
	p, err := NewFactory().CreateMetrics(context.Background(), processortest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return p, sink
}

// flagsOf returns the flags at the last of the polls.
func flagsOf(t *testing.T, polls ...*polltest.Poll) []polltest.Flag {
	t.Helper()
	p, sink := newPipeline(t, createDefaultConfig().(*Config))
	for _, poll := range polls {
		require.NoError(t, p.ConsumeMetrics(context.Background(), poll.Metrics))
	}
	return polltest.Flags(sink.AllMetrics()[len(polls)-1])
}

var severities = []string{"over", "low", "moderate", "severe", "critical"}

func written(flags []polltest.Flag) string {
	var b strings.Builder
	for _, f := range flags {
		fmt.Fprintf(&b, "%s: %s\n", f.Rule, severities[f.Severity])
		if f.Entity != "" {
			fmt.Fprintf(&b, "entity: %s\n", f.Entity)
		}
		if f.Impact >= 0 {
			fmt.Fprintf(&b, "impact: %.1f s\n", f.Impact)
		}
		if f.Cause != "" {
			fmt.Fprintf(&b, "cause: %s\n", f.Cause)
		}
		fmt.Fprintf(&b, "reason: %s\nadvice: %s\n\n", f.Reason, f.Advice)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// clusterSettings are those of the two-executor cluster on which the numbers marked "seen" were taken.
func clusterSettings(more map[string]float64) map[string]float64 {
	settings := map[string]float64{
		"spark.executor.memory": 700 * mib, "spark.executor.cores": 1, "spark.sql.shuffle.partitions": 8,
		"spark.sql.adaptive.enabled": 1, "spark.sql.adaptive.skewJoin.enabled": 1, "spark.speculation": 0,
		"spark.sql.files.maxPartitionBytes": 128 * mib, "spark.sql.adaptive.advisoryPartitionSizeInBytes": 64 * mib,
		"spark.task.maxFailures": 4, "spark.dynamicAllocation.enabled": 0,
	}
	maps.Copy(settings, more)
	return settings
}

// skewedJoin was seen: 80 % of the rows have one key.
func skewedJoin() stage {
	return stage{
		duration: 26, tasks: 8, runTime: 30.8, gcTime: 0.5,
		times:       quantiles{0.645, 0.896, 1.251, 3.034, 20.369, 20.369},
		read:        quantiles{8964533, 9298598, 10956164, 11757818, 317988792, 317988792},
		readRecords: quantiles{133112, 138382, 162540, 174427, 4930632, 4930632},
	}
}

// straggling was seen: one of twelve tasks sleeps.
func straggling() stage {
	return stage{
		duration: 29, tasks: 12, runTime: 36.7,
		times:       quantiles{1.014, 1.028, 1.037, 1.182, 25.022, 25.022},
		read:        quantiles{165705, 165831, 165861, 165882, 165920, 165920},
		readRecords: even(132),
	}
}

// spilling was seen: a sort with a fifth of the heap for execution.
func spilling() stage {
	return stage{
		duration: 11, tasks: 4, runTime: 20.7, gcTime: 0.3,
		times:       quantiles{3.48, 3.499, 6.014, 7.703, 7.703, 7.703},
		read:        quantiles{193704369, 195853283, 198689412, 221459338, 221459338, 221459338},
		readRecords: quantiles{1435078, 1451677, 1472672, 1640573, 1640573, 1640573},
		spills:      even(234880128), peak: even(67108640), spilled: 939520512, disk: 809475835,
	}
}

func with[T any](value T, change func(*T)) T {
	change(&value)
	return value
}

// on is a poll with one stage that has run or runs, but not as the first, in an application that is so old.
func on(duration float64, s stage, settings map[string]float64) *polltest.Poll {
	return application{
		duration: duration, runTime: s.runTime + 5, completed: s.tasks + 20, stages: []stage{s}, settings: clusterSettings(settings),
	}.at(duration)
}

// Each bottleneck is flagged by the rules that are named and by no other, in words that testdata/flags holds.
func TestBottlenecksAreFlagged(t *testing.T) {
	waiting := polltest.At(45)
	application{duration: 45, state: "accepted", wait: 45, queue: "root.ml.small"}.addTo(waiting)
	queue{name: "root.ml.small", used: 0.2, limit: 0.2, containers: 3, pendingContainers: 1, pendingApplications: 0}.addTo(waiting)
	waitingForAM := polltest.At(400)
	application{duration: 400, state: "accepted", wait: 400}.addTo(waitingForAM)
	queue{name: "root.ml.train", used: 0.3, limit: 0.8, containers: 3, pendingApplications: 2, amUsed: gib, amLimit: gib}.addTo(waitingForAM)
	waitingForCluster := polltest.At(400)
	application{duration: 400, state: "accepted", wait: 400}.addTo(waitingForCluster)
	queue{name: "root.ml.train", used: 0.4, limit: 1, containers: 3, pendingContainers: 1, others: 0.58}.addTo(waitingForCluster)
	waitingWithRoom := polltest.At(30)
	application{duration: 30, state: "accepted", wait: 30}.addTo(waitingWithRoom)
	queue{name: "root.ml.train", used: 0.1, limit: 0.5, pendingContainers: 1}.addTo(waitingWithRoom)
	full := queue{name: "root.ml.small", used: 0.2, limit: 0.2, containers: 3, pendingContainers: 2, pendingApplications: 1}
	fullCluster := queue{name: "root.ml.train", used: 0.4, limit: 1, containers: 8, pendingContainers: 4, others: 0.6}

	for _, test := range []struct {
		name  string
		rules string
		polls []*polltest.Poll
	}{
		{"data_skew", "data_skew", []*polltest.Poll{
			on(44, skewedJoin(), map[string]float64{"spark.sql.adaptive.skewJoin.enabled": 0}),
		}},
		{"data_skew_running", "data_skew", []*polltest.Poll{on(38, with(skewedJoin(), func(s *stage) {
			s.completed, s.runTime, s.duration = 7, 10.4, 15
			s.times[4], s.times[5] = 3.1, 3.1
			s.read[4], s.read[5] = 12*mib, 12*mib
			s.readRecords[4], s.readRecords[5] = 175000, 175000
			s.running, s.runningSize = 12, 200*mib
		}), nil)}},
		{"data_skew_two_partitions", "data_skew", []*polltest.Poll{on(60, stage{
			duration: 32, tasks: 2, runTime: 34, times: quantiles{3, 3, 31, 31, 31, 31},
			read: quantiles{20 * mib, 20 * mib, 240 * mib, 240 * mib, 240 * mib, 240 * mib},
		}, nil)}},
		{"data_skew_by_records", "data_skew", []*polltest.Poll{on(60, with(skewedJoin(), func(s *stage) {
			s.read = even(300 * kib) // the hot key's rows are all alike and compress to nothing
		}), nil)}},
		{"data_skew_input", "data_skew", []*polltest.Poll{application{
			duration: 36000, runTime: 100000, executors: 50, settings: clusterSettings(nil),
			stages: []stage{{
				duration: 4000, tasks: 500, runTime: 33000, times: quantiles{50, 55, 60, 65, 80, 3600},
				input: quantiles{100 * mib, 128 * mib, 128 * mib, 128 * mib, 128 * mib, 9 * gib}, in: 73 * gib,
			}},
		}.at(36000)}},
		{"data_skew_slower_than_its_data", "data_skew", []*polltest.Poll{on(90, with(skewedJoin(), func(s *stage) {
			s.times, s.runTime = quantiles{0.5, 0.5, 0.5, 0.5, 60, 60}, 63.5
			s.read[5], s.readRecords[5] = 60*mib, 900000
		}), nil)}},
		{"straggler", "straggler", []*polltest.Poll{on(46, straggling(), nil)}},
		{"straggler_running", "straggler", []*polltest.Poll{on(30, with(straggling(), func(s *stage) {
			s.completed, s.runTime, s.duration = 11, 11.6, 16
			s.times[4], s.times[5] = 1.2, 1.2
			s.running, s.runningSize = 11, 165000
		}), map[string]float64{"spark.speculation": 1})}},
		{"spill", "spill", []*polltest.Poll{on(47, spilling(), map[string]float64{"spark.sql.shuffle.partitions": 4})}},
		{"spill_merged_partitions", "spill", []*polltest.Poll{on(47, with(spilling(), func(s *stage) {
			s.peak = even(120 * mib)
		}), map[string]float64{"spark.sql.shuffle.partitions": 200})}},
		{"spill_of_input", "spill", []*polltest.Poll{on(47, with(spilling(), func(s *stage) {
			s.input, s.in, s.read, s.readRecords = s.read, 800*mib, quantiles{}, quantiles{}
		}), nil)}},
		{"spill_with_skew", "data_skew spill", []*polltest.Poll{on(44, with(skewedJoin(), func(s *stage) {
			s.spills[5], s.peak[5], s.spilled, s.disk = 352320864, 251723424, 352320864, 246656687
		}), nil)}},
		{"gc_pressure", "gc_pressure", []*polltest.Poll{application{ // seen
			duration: 60, runTime: 70, gcTime: 16.1, settings: clusterSettings(map[string]float64{"spark.executor.memory": 900 * mib}),
		}.at(60)}},
		{"gc_pressure_of_cores", "gc_pressure", []*polltest.Poll{application{
			duration: 7200, runTime: 100000, gcTime: 31000, executors: 5, cores: 4,
			settings: clusterSettings(map[string]float64{"spark.executor.memory": 8 * gib, "spark.executor.cores": 4}),
		}.at(7200)}},
		{"gc_pressure_of_a_stage_too", "gc_pressure stage_gc_pressure", []*polltest.Poll{application{
			duration: 60, runTime: 70, gcTime: 16.1, settings: clusterSettings(nil),
			stages: []stage{{duration: 20, tasks: 20, runTime: 40, gcTime: 14, times: even(2)}},
		}.at(60)}},
		{"stage_gc_pressure", "stage_gc_pressure", []*polltest.Poll{application{
			duration: 200, runTime: 380, gcTime: 35, settings: clusterSettings(nil),
			stages: []stage{{duration: 50, tasks: 20, runTime: 100, gcTime: 33, times: even(5)}},
		}.at(200)}},
		{"failing_tasks", "failing_tasks", []*polltest.Poll{application{ // seen
			duration: 45, runTime: 50, completed: 38, failed: 14, settings: clusterSettings(nil),
		}.at(45)}},
		{"failing_tasks_end_the_application", "failing_tasks", []*polltest.Poll{application{
			duration: 30, state: "failed", runTime: 30, completed: 30, failed: 4,
		}.at(30)}},
		{"failing_jobs", "failing_jobs failing_tasks", []*polltest.Poll{application{
			duration: 60, runTime: 40, completed: 40, failed: 12, jobs: [2]int{4, 3}, retried: 3, core: map[string]float64{"wasted": 6},
		}.at(60)}},
		{"stage_retries", "executor_lost stage_retries", []*polltest.Poll{application{
			duration: 60, runTime: 70, completed: 60, failed: 3, jobs: [2]int{2, 0}, retried: 1, peak: 2, executors: 1,
			lost: map[string]int{"exit": 1}, core: map[string]float64{"wasted": 14},
		}.at(60)}},
		{"tiny_tasks", "tiny_tasks", []*polltest.Poll{on(60, stage{
			duration: 40, tasks: 4000, runTime: 32, times: quantiles{0.002, 0.005, 0.007, 0.009, 0.02, 0.9},
		}, nil)}},
		{"tiny_tasks_of_a_shuffle", "tiny_tasks", []*polltest.Poll{on(4000, stage{
			duration: 900, tasks: 200000, runTime: 1100, times: quantiles{0.002, 0.004, 0.005, 0.006, 0.02, 3},
			read: even(20 * kib), readRecords: even(100),
		}, map[string]float64{"spark.sql.shuffle.partitions": 200000})}},
		{"scheduler_delay", "scheduler_delay", []*polltest.Poll{on(90, stage{
			duration: 50, tasks: 80, runTime: 40, times: even(0.5), delay: quantiles{0.4, 0.6, 0.7, 0.8, 1, 1.2},
		}, nil)}},
		{"low_parallelism", "low_parallelism", []*polltest.Poll{on(60, stage{
			duration: 35, tasks: 1, runTime: 34, times: even(34),
		}, nil)}},
		{"low_parallelism_running", "low_parallelism", []*polltest.Poll{application{
			duration: 7200, executors: 50, stages: []stage{{duration: 1800, tasks: 4, completed: -1, running: 1800, runningSize: gib}},
		}.at(7200)}},
		{"huge_partitions", "huge_partitions", []*polltest.Poll{on(400, stage{
			duration: 190, tasks: 3, runTime: 280, times: quantiles{90, 90, 92, 98, 98, 98}, read: even(2 * gib), readRecords: even(1e7),
		}, nil)}},
		{"huge_partitions_that_leave_cores_idle", "huge_partitions low_parallelism", []*polltest.Poll{on(400, stage{
			duration: 190, tasks: 1, runTime: 188, times: even(188), input: even(4 * gib), in: 4 * gib,
		}, nil)}},
		{"fetch_wait", "fetch_wait", []*polltest.Poll{on(60, stage{
			duration: 30, tasks: 8, runTime: 55, times: even(7), read: even(50 * mib), readRecords: even(1e6), fetchWait: 24,
		}, nil)}},
		{"slow_shuffle_write", "slow_shuffle_write", []*polltest.Poll{on(60, stage{
			duration: 30, tasks: 8, runTime: 55, times: even(7), written: 800 * mib, writeTime: 26,
		}, nil)}},
		{"driver_gc_pressure", "driver_gc_pressure", []*polltest.Poll{application{
			duration: 120, runTime: 60, settings: clusterSettings(map[string]float64{"spark.driver.memory": gib}),
			more: func(r *polltest.Resource) {
				r.Point("spark.executor.gc_time", 22.0, "spark.executor.id", "driver")
				r.Point("spark.executor.memory.peak", float64(990*mib), "spark.executor.id", "driver", "spark.memory.type", "jvm_heap")
			},
		}.at(120)}},
		{"out_of_memory_probably", "executor_lost out_of_memory", []*polltest.Poll{application{
			duration: 60, executors: 1, peak: 2, runTime: 40, gcTime: 3, completed: 8, failed: 2, lost: map[string]int{"exit": 2},
			settings: clusterSettings(nil),
			more: func(r *polltest.Resource) {
				r.Point("spark.executor.memory.peak", float64(690*mib), "spark.executor.id", "2", "spark.memory.type", "jvm_heap")
			},
		}.at(60)}},
		{"executor_memory_unused", "executor_memory_unused", []*polltest.Poll{application{
			duration: 60, runTime: 60, settings: clusterSettings(map[string]float64{"spark.executor.memory": 3 * gib}),
			more: func(r *polltest.Resource) {
				for i, peak := range []int{500 * mib, 700 * mib} {
					r.Point("spark.executor.memory.peak", float64(peak), "spark.executor.id", fmt.Sprint(i+1), "spark.memory.type", "jvm_heap")
				}
				r.Point("spark.executor.memory.peak", float64(2*gib), "spark.executor.id", "driver", "spark.memory.type", "jvm_heap")
			},
		}.at(60)}},
		{"driver_memory_unused", "driver_memory_unused", []*polltest.Poll{application{
			duration: 600, runTime: 60, jobs: [2]int{3, 0}, settings: clusterSettings(map[string]float64{"spark.driver.memory": 16 * gib}),
			more: func(r *polltest.Resource) {
				r.Point("spark.executor.memory.peak", float64(700*mib), "spark.executor.id", "driver", "spark.memory.type", "jvm_heap")
			},
		}.at(600)}},
		{"idle_cores", "idle_cores", []*polltest.Poll{application{
			duration: 300, runTime: 500, executors: 10, settings: clusterSettings(nil),
			wall: map[string]float64{"starting": 20, "driver": 10, "waiting": 0, "working": 270},
			core: map[string]float64{"computing": 480, "gc": 20, "idle": 2300},
		}.at(300)}},
		{"idle_cores_by_skew", "data_skew idle_cores", []*polltest.Poll{application{
			duration: 100, runTime: 61, executors: 3, settings: clusterSettings(map[string]float64{"spark.sql.adaptive.skewJoin.enabled": 0}),
			wall:   map[string]float64{"starting": 10, "driver": 5, "waiting": 0, "working": 85},
			core:   map[string]float64{"computing": 61, "idle": 209},
			stages: []stage{skewedJoin()},
		}.at(100)}},
		{"driver_bound", "driver_bound", []*polltest.Poll{application{
			duration: 70, runTime: 20, jobs: [2]int{10, 0}, settings: clusterSettings(nil),
			wall: map[string]float64{"starting": 12, "driver": 42, "waiting": 0, "working": 16},
			core: map[string]float64{"computing": 20, "idle": 96},
		}.at(70)}},
		{"starved", "starved", []*polltest.Poll{application{
			duration: 200, runTime: 60, executors: 1, settings: clusterSettings(nil),
			wall: map[string]float64{"starting": 12, "driver": 5, "waiting": 120, "working": 63},
			core: map[string]float64{"computing": 60, "idle": 10},
		}.at(200)}},
		{"speculation_storm", "speculation_storm", []*polltest.Poll{application{
			duration: 300, runTime: 500, completed: 100, core: map[string]float64{"computing": 400, "wasted": 90, "idle": 60},
			more: func(r *polltest.Resource) { r.Point("spark.application.task.speculative", 40) },
		}.at(300)}},
		{"small_files", "small_files_read small_files_written", []*polltest.Poll{application{
			duration: 60, settings: clusterSettings(nil), more: query(func(point func(string, any)) {
				point("spark.sql.duration", 16.0)
				point("spark.sql.run.duration", 60.0)
				point("spark.sql.scan.files", 1200.0)
				point("spark.sql.scan.size", float64(30*mib))
				point("spark.sql.write.files", 400.0)
				point("spark.sql.write.size", float64(10*mib))
			}),
		}.at(60)}},
		{"large_broadcast", "large_broadcast", []*polltest.Poll{application{
			duration: 60, settings: clusterSettings(nil), more: query(func(point func(string, any)) {
				point("spark.sql.duration", 30.0)
				point("spark.sql.run.duration", 60.0)
				point("spark.sql.broadcast.size", float64(400*mib))
				point("spark.sql.broadcast.records", 2e6)
				point("spark.sql.broadcast.time", 14.0)
			}),
		}.at(60)}},
		{"stream_behind", "stream_behind", []*polltest.Poll{
			streaming(1000, 500, 9, 20, 1000).at(40), streaming(1000, 500, 18, 20, 1000).at(60),
		}},
		{"stream_watermark_stalled", "stream_watermark_stalled", []*polltest.Poll{
			streaming(100, 500, 1, 30, 1000).at(0), streaming(100, 500, 1, 20, 1000).at(60), streaming(100, 500, 1, 80, 1000).at(120),
			streaming(100, 500, 1, 150, 1000).at(190),
		}},
		{"stream_state_growing", "stream_state_growing", []*polltest.Poll{
			streaming(100, 500, 1, 30, 1e6).at(0), streaming(100, 500, 1, 30, 5e5).at(60), streaming(100, 500, 1, 30, 2e6).at(120),
			streaming(100, 500, 1, 30, 3e6).at(1200),
		}},
		{"am_limit_reached", "am_limit_reached", []*polltest.Poll{amLimit().at(0), amLimit().at(20)}},
		{"nodes", "node_unhealthy nodes_lost", []*polltest.Poll{nodes(0, 1, 1), nodes(40, 1, 1)}},
		{"hdfs", "hdfs_blocks_missing hdfs_datanodes_dead hdfs_full", []*polltest.Poll{hdfs(0, 2, 1, 0.03), hdfs(40, 2, 1, 0.03)}},
		{"data_dropped", "data_dropped", []*polltest.Poll{application{
			duration: 60, more: func(r *polltest.Resource) {
				r.Point("spark.application.event.dropped", 1200, "spark.listener.queue", "appStatus")
				r.Point("spark.application.evicted", 40, "spark.evicted.kind", "stage")
			},
		}.at(60)}},
		{"executor_lost_exit", "executor_lost", []*polltest.Poll{application{
			duration: 30, executors: 1, runTime: 25, completed: 24, lost: map[string]int{"exit": 1}, settings: clusterSettings(nil),
		}.at(30)}},
		{"out_of_memory", "out_of_memory", []*polltest.Poll{application{
			duration: 3600, executors: 10, runTime: 30000, completed: 100, lost: map[string]int{"memory": 12},
			settings: clusterSettings(map[string]float64{"spark.executor.memory": 6 * gib, "spark.executor.memoryOverhead": gib}),
		}.at(3600)}},
		{"executor_lost_preempted", "executor_lost", []*polltest.Poll{application{
			duration: 60, executors: 2, runTime: 80, completed: 20, lost: map[string]int{"preempted": 2, "idle": 5},
		}.at(60)}},
		{"executor_lost_node", "executor_lost", []*polltest.Poll{application{
			duration: 60, executors: 2, runTime: 80, completed: 20, lost: map[string]int{"node": 1},
		}.at(60)}},
		{"executor_lost_heartbeat", "executor_lost", []*polltest.Poll{application{
			duration: 60, executors: 2, runTime: 80, completed: 20, lost: map[string]int{"heartbeat": 1},
		}.at(60)}},
		{"application_waiting", "application_waiting", []*polltest.Poll{waiting}},
		{"application_waiting_for_am_limit", "application_waiting", []*polltest.Poll{waitingForAM}},
		{"application_waiting_for_the_cluster", "application_waiting", []*polltest.Poll{waitingForCluster}},
		{"application_waiting_with_room", "application_waiting", []*polltest.Poll{waitingWithRoom}},
		{"application_waiting_unexplained", "application_waiting", []*polltest.Poll{
			application{duration: 2000, state: "accepted", wait: 2000}.at(2000),
		}},
		{"queue_saturated", "queue_saturated", []*polltest.Poll{full.at(0), full.at(10), full.at(20)}},
		{"queue_saturated_by_cluster", "queue_saturated", []*polltest.Poll{fullCluster.at(0), fullCluster.at(20)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			flags := flagsOf(t, test.polls...)
			var rules []string
			for _, f := range flags {
				rules = append(rules, f.Rule)
			}
			assert.Equal(t, test.rules, strings.Join(rules, " "))

			golden := filepath.Join("testdata", "flags", test.name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(written(flags)), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), written(flags))
		})
	}
}

// What only looks like a bottleneck, or costs next to nothing, is not flagged.
func TestHealthyRunsAreNotFlagged(t *testing.T) {
	warmUp := stage{
		duration: 12, tasks: 40, runTime: 21.5, times: quantiles{0.2, 0.24, 0.25, 0.26, 5.2, 6},
		read: even(2 * mib), readRecords: even(20000),
	}
	for _, test := range []struct {
		name  string
		polls []*polltest.Poll
	}{
		{"mild skew", []*polltest.Poll{on(60, with(skewedJoin(), func(s *stage) {
			s.times = quantiles{8, 9, 10, 11, 20, 20}
			s.runTime = 96
			s.read = quantiles{80 * mib, 90 * mib, 100 * mib, 110 * mib, 200 * mib, 200 * mib}
			s.readRecords = quantiles{8e5, 9e5, 1e6, 1.1e6, 2e6, 2e6}
		}), nil)}},
		{"skewed, but it takes no longer", []*polltest.Poll{on(60, with(skewedJoin(), func(s *stage) {
			s.times, s.runTime = quantiles{4, 4, 4, 5, 6, 6}, 36
		}), nil)}},
		{"skewed, for a moment of a long run", []*polltest.Poll{on(3600, skewedJoin(), nil)}},
		{"skewed, but a few bytes", []*polltest.Poll{on(40, with(skewedJoin(), func(s *stage) {
			s.times, s.runTime = quantiles{0.2, 0.2, 0.3, 0.3, 6, 6}, 8.1
			s.read = quantiles{0, 0, 60, 60, 900, 900}
			s.readRecords = quantiles{0, 0, 1, 1, 20, 20}
		}), nil)}},
		{"half of the partitions large, on two cores", []*polltest.Poll{on(100, stage{
			duration: 61, tasks: 30, runTime: 120, times: quantiles{0.1, 0.1, 0.1, 10, 10, 10},
			read: quantiles{0, 0, 0, 100 * mib, 100 * mib, 100 * mib},
		}, nil)}},
		{"first task of each executor", []*polltest.Poll{on(30, warmUp, nil)}},
		{"first task of each executor, the second still running", []*polltest.Poll{on(30, with(warmUp, func(s *stage) {
			s.completed, s.runTime, s.running = 30, 13.3, 5.8
		}), nil)}},
		{"slow first task of each executor", []*polltest.Poll{on(40, with(warmUp, func(s *stage) {
			s.times[4], s.times[5], s.runTime = 10, 11, 30.5
		}), nil)}},
		{"only one executor was there at first", []*polltest.Poll{on(30, with(warmUp, func(s *stage) {
			s.times[4], s.runTime = 0.3, 15.75
		}), nil)}},
		{"slow first task of one executor, in the first stage", []*polltest.Poll{application{
			duration: 40, runTime: 22.75, completed: 40, stages: []stage{with(warmUp, func(s *stage) {
				s.times[4], s.times[5], s.runTime, s.first = 0.3, 13, 22.75, true
			})},
		}.at(40)}},
		{"first tasks on a machine where everything starts slowly", []*polltest.Poll{application{
			duration: 76, runTime: 63.5, completed: 40, stages: []stage{with(warmUp, func(s *stage) {
				s.duration, s.times[4], s.times[5], s.runTime, s.first = 36, 23, 26, 63.5, true
			})},
		}.at(76)}},
		{"two tasks, one of them the rest of a file", []*polltest.Poll{on(40, stage{
			duration: 14, tasks: 2, runTime: 15, times: quantiles{1.5, 1.5, 13.5, 13.5, 13.5, 13.5},
			input: quantiles{10 * mib, 10 * mib, 128 * mib, 128 * mib, 128 * mib, 128 * mib}, in: 138 * mib,
		}, nil)}},
		{"two tasks, one of them still running", []*polltest.Poll{on(40, stage{
			duration: 16, tasks: 2, completed: 1, runTime: 1.5, times: even(1.5), input: even(10 * mib), running: 15, runningSize: 10 * mib,
		}, nil)}},
		{"a third of the tasks is of another kind", []*polltest.Poll{on(300, stage{
			duration: 160, tasks: 40, runTime: 316, times: quantiles{1, 1, 1, 20, 25, 25}, read: even(10 * mib),
		}, nil)}},
		{"two tasks alike", []*polltest.Poll{on(40, stage{
			duration: 14, tasks: 2, runTime: 26, times: quantiles{12.5, 12.5, 13.5, 13.5, 13.5, 13.5}, read: even(100 * mib),
		}, nil)}},
		{"a short stage of one partition", []*polltest.Poll{on(60, stage{
			duration: 11, tasks: 1, runTime: 10.5, times: even(10.5), read: even(50 * mib), readRecords: even(1e6),
		}, nil)}},
		{"the first tasks to end are the short ones", []*polltest.Poll{on(40, stage{
			duration: 20, tasks: 20, completed: 3, runTime: 4, times: quantiles{1, 1, 1.5, 1.5, 1.5, 1.5},
			read: even(10 * mib), running: 18, runningSize: 60 * mib,
		}, nil)}},
		{"no task has ended yet", []*polltest.Poll{application{
			duration: 40, stages: []stage{{duration: 30, tasks: 4, completed: -1, running: 30, runningSize: gib}},
		}.at(40)}},
		{"a little spill", []*polltest.Poll{on(47, with(spilling(), func(s *stage) {
			s.spills, s.spilled, s.disk = even(20*mib), 80*mib, 40*mib
		}), nil)}},
		{"spill that is a moment of a long run", []*polltest.Poll{on(1200, spilling(), nil)}},
		{"GC of a healthy run", []*polltest.Poll{application{duration: 48, runTime: 45, gcTime: 1.4}.at(48)}},
		{"GC only while starting", []*polltest.Poll{application{duration: 12, runTime: 4, gcTime: 1.2}.at(12)}},
		{"two tasks failed", []*polltest.Poll{application{duration: 40, runTime: 60, completed: 10, failed: 2}.at(40)}},
		{"a few of many tasks failed", []*polltest.Poll{application{duration: 4000, runTime: 6000, completed: 5000, failed: 40}.at(4000)}},
		{"executors released by dynamic allocation", []*polltest.Poll{application{
			duration: 60, executors: 1, runTime: 40, completed: 100, lost: map[string]int{"idle": 6, "decommissioned": 2},
		}.at(60)}},
		{"one executor of many lost", []*polltest.Poll{application{
			duration: 300, executors: 40, runTime: 9000, completed: 3000, lost: map[string]int{"exit": 1},
		}.at(300)}},
		{"an executor lost long ago", []*polltest.Poll{application{
			duration: 3600, runTime: 6000, completed: 600, lost: map[string]int{"exit": 1},
		}.at(3600)}},
		{"an application master is starting", []*polltest.Poll{application{duration: 12, state: "accepted", wait: 12}.at(12)}},
		{"an application that runs has waited", []*polltest.Poll{application{duration: 200, wait: 120}.at(200)}},
		{"a full queue for which nobody waits", []*polltest.Poll{
			queue{name: "root.a", used: 0.5, limit: 0.5, containers: 4}.at(0),
			queue{name: "root.a", used: 0.5, limit: 0.5, containers: 4}.at(60),
		}},
		{"a container about to be allocated", []*polltest.Poll{
			queue{name: "root.a", used: 0.2, limit: 0.8, containers: 2, pendingContainers: 2}.at(0),
			queue{name: "root.a", used: 0.2, limit: 0.8, containers: 2, pendingContainers: 2}.at(60),
		}},
		{"a queue full for a moment", []*polltest.Poll{
			queue{name: "root.a", used: 0.5, limit: 0.5, containers: 4, pendingContainers: 1}.at(0),
			queue{name: "root.a", used: 0.5, limit: 0.5, containers: 4, pendingContainers: 1}.at(10),
		}},
		{"a legitimate last stage of one task", []*polltest.Poll{on(60, stage{
			duration: 8, tasks: 1, runTime: 7.8, times: even(7.8), read: even(20 * mib),
		}, nil)}},
		{"many tasks, each of half a second", []*polltest.Poll{on(120, stage{
			duration: 80, tasks: 300, runTime: 150, times: quantiles{0.3, 0.4, 0.45, 0.5, 0.9, 1.5},
		}, nil)}},
		{"many short tasks in a short stage of a long run", []*polltest.Poll{on(3600, stage{
			duration: 40, tasks: 4000, runTime: 32, times: quantiles{0.002, 0.005, 0.007, 0.009, 0.02, 0.9},
		}, nil)}},
		{"large partitions, even, on all cores", []*polltest.Poll{on(400, stage{
			duration: 190, tasks: 4, runTime: 376, times: quantiles{92, 93, 94, 95, 95, 95}, read: even(gib), readRecords: even(1e7),
		}, nil)}},
		{"a little fetch wait", []*polltest.Poll{on(60, stage{
			duration: 30, tasks: 8, runTime: 55, times: even(7), read: even(50 * mib), readRecords: even(1e6), fetchWait: 6, writeTime: 8,
		}, nil)}},
		{"an idle notebook", []*polltest.Poll{application{
			duration: 120, runTime: 8, jobs: [2]int{3, 0}, settings: clusterSettings(nil),
			wall: map[string]float64{"starting": 12, "driver": 100, "waiting": 0, "working": 8},
			core: map[string]float64{"computing": 8, "idle": 208},
		}.at(120)}},
		{"a streaming query between its batches", []*polltest.Poll{with(streaming(100, 500, 1, 20, 1000), func(a *application) {
			a.jobs = [2]int{60, 0}
			a.wall = map[string]float64{"starting": 10, "driver": 890, "waiting": 0, "working": 100}
			a.core = map[string]float64{"computing": 150, "idle": 1830}
		}).at(100)}},
		{"a streaming query that was stopped", []*polltest.Poll{application{
			duration: 60, runTime: 40, completed: 40, jobs: [2]int{20, 1}, retried: 1,
		}.at(60)}},
		{"a streaming query that catches up", []*polltest.Poll{
			streaming(1000, 1500, 9, 20, 1000).at(0), streaming(900, 1500, 9, 20, 1000).at(60),
		}},
		{"a watermark that moves with its batches", []*polltest.Poll{
			streaming(100, 500, 1, 300, 1000).at(0), streaming(100, 500, 1, 360, 1000).at(60), streaming(100, 500, 1, 310, 1000).at(120),
			streaming(100, 500, 1, 370, 1000).at(180),
		}},
		{"executors that came after the first job", []*polltest.Poll{application{
			duration: 60, runTime: 60, settings: clusterSettings(nil),
			wall: map[string]float64{"starting": 8, "driver": 4, "waiting": 12, "working": 36},
			core: map[string]float64{"computing": 55, "idle": 20},
		}.at(60)}},
		{"memory of a small executor that is not used", []*polltest.Poll{application{
			duration: 600, runTime: 900, settings: clusterSettings(map[string]float64{"spark.executor.memory": 2 * gib}),
			more: func(r *polltest.Resource) {
				r.Point("spark.executor.memory.peak", float64(200*mib), "spark.executor.id", "1", "spark.memory.type", "jvm_heap")
			},
		}.at(600)}},
		{"memory before anything has run", []*polltest.Poll{application{
			duration: 60, runTime: 5, settings: clusterSettings(map[string]float64{"spark.executor.memory": 8 * gib}),
			more: func(r *polltest.Resource) {
				r.Point("spark.executor.memory.peak", float64(200*mib), "spark.executor.id", "1", "spark.memory.type", "jvm_heap")
			},
		}.at(60)}},
		{"a few files, and a small broadcast", []*polltest.Poll{application{
			duration: 60, settings: clusterSettings(nil), more: query(func(point func(string, any)) {
				point("spark.sql.duration", 16.0)
				point("spark.sql.run.duration", 60.0)
				point("spark.sql.scan.files", 60.0)
				point("spark.sql.scan.size", float64(6*mib))
				point("spark.sql.write.files", 20.0)
				point("spark.sql.write.size", float64(10*mib))
				point("spark.sql.broadcast.size", float64(8*mib))
				point("spark.sql.broadcast.time", 6.0)
			}),
		}.at(60)}},
		{"one speculative copy", []*polltest.Poll{application{
			duration: 60, runTime: 90, completed: 10, core: map[string]float64{"computing": 80, "wasted": 20, "idle": 10},
			more: func(r *polltest.Resource) { r.Point("spark.application.task.speculative", 2) },
		}.at(60)}},
		{"HDFS as it should be", []*polltest.Poll{hdfs(0, 0, 0, 0.4), hdfs(40, 0, 0, 0.4)}},
		{"all nodes run", []*polltest.Poll{nodes(0, 0, 0), nodes(40, 0, 0)}},
		{"an application that has ended well", []*polltest.Poll{application{
			duration: 60, state: "succeeded", runTime: 70, gcTime: 16, completed: 38, failed: 14, lost: map[string]int{"exit": 1},
		}.at(60)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Empty(t, written(flagsOf(t, test.polls...)))
		})
	}
}

// An application's flags are over once it has ended, those of its stages in two polls after it.
func TestFlagsEndWithTheApplication(t *testing.T) {
	p, sink := newPipeline(t, createDefaultConfig().(*Config))
	running := application{duration: 60, runTime: 70, gcTime: 16, completed: 40, stages: []stage{straggling()}}
	ended := with(running, func(a *application) { a.state, a.stages = "succeeded", nil })
	var got []string
	for i, poll := range []*polltest.Poll{running.at(60), ended.at(70), ended.at(80), ended.at(90)} {
		require.NoError(t, p.ConsumeMetrics(context.Background(), poll.Metrics))
		var said []string
		for _, f := range polltest.Flags(sink.AllMetrics()[i]) {
			said = append(said, fmt.Sprintf("%s %s", f.Rule, severities[f.Severity]))
		}
		got = append(got, strings.Join(said, ", "))
	}
	assert.Equal(t, []string{"gc_pressure severe, straggler severe", "gc_pressure over, straggler severe", "straggler over", ""}, got)
}
