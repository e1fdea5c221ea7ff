// Package eventlog writes event logs of Spark applications that never ran, in Spark 4's format, so that a real History
// Server answers for an application of any size. Counts, times and sizes vary as those of a real one do, by a seed.
package eventlog

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"
)

// Spec is the application to write.
type Spec struct {
	ID, Name string
	// Start is when it began; its jobs follow one another from then on.
	Start     time.Time
	Executors int
	// Tasks is how many tasks a stage has.
	Tasks int
}

// cores of an executor.
const cores = 4

// Writer writes the log of one application, which goes on for as long as it is asked to.
type Writer struct {
	spec Spec
	out  *bufio.Writer
	err  error
	rnd  *rand.Rand
	now  time.Time
	jobs int
	task int
}

// event is a line of a log, or an object in one.
type event = map[string]any

// New writes the beginning of a log: the application, its settings and its executors.
func New(w io.Writer, spec Spec) *Writer {
	l := &Writer{spec: spec, out: bufio.NewWriter(w), rnd: rand.New(rand.NewPCG(1, 2)), now: spec.Start}
	l.write("SparkListenerLogStart", event{"Spark Version": "4.3.0"})
	l.write("SparkListenerResourceProfileAdded", event{
		"Resource Profile Id":        0,
		"Executor Resource Requests": event{"cores": event{"Resource Name": "cores", "Amount": cores, "Discovery Script": "", "Vendor": ""}},
		"Task Resource Requests":     event{"cpus": event{"Resource Name": "cpus", "Amount": 1.0}},
	})
	l.blockManager("driver", "driver.example.org", 455501414)
	l.write("SparkListenerEnvironmentUpdate", event{
		"JVM Information": event{"Java Home": "/usr/lib/jvm/java-17", "Java Version": "17.0.15", "Scala Version": "version 2.13.16"},
		"Spark Properties": event{
			"spark.app.id": spec.ID, "spark.app.name": spec.Name, "spark.master": "yarn", "spark.executor.memory": "8g",
			"spark.executor.cores": fmt.Sprint(cores), "spark.executor.instances": fmt.Sprint(spec.Executors), "spark.sparkmodel.name": "churn",
		},
		"Hadoop Properties": many("hadoop.property", 900), "System Properties": many("java.property", 60),
		"Metrics Properties": event{}, "Classpath Entries": many("/opt/spark/jars/library", 300),
	})
	l.write("SparkListenerApplicationStart", event{"App Name": spec.Name, "App ID": spec.ID, "Timestamp": l.millis(), "User": "ml"})
	for i := range spec.Executors {
		l.pass(200)
		l.executor(i)
	}
	return l
}

func (l *Writer) executor(i int) {
	logs := fmt.Sprintf("http://%s:8042/node/containerlogs/container_1795532815638_0001_01_%06d/ml/", host(i), i+2)
	l.write("SparkListenerExecutorAdded", event{
		"Timestamp": l.millis(), "Executor ID": executorID(i),
		"Executor Info": event{
			"Host": host(i), "Total Cores": cores, "Resource Profile Id": 0, "Resources": event{},
			"Log Urls":   event{"stdout": logs + "stdout?start=-4096", "stderr": logs + "stderr?start=-4096"},
			"Attributes": event{"NM_HOST": host(i), "NM_PORT": "8041", "USER": "ml", "CONTAINER_ID": fmt.Sprintf("container_1795532815638_0001_01_%06d", i+2)},
		},
	})
	l.blockManager(executorID(i), host(i), 4<<30)
}

func (l *Writer) blockManager(id, host string, memory int64) {
	l.write("SparkListenerBlockManagerAdded", event{
		"Block Manager ID": event{"Executor ID": id, "Host": host, "Port": 40000 + l.rnd.IntN(9999)},
		"Maximum Memory":   memory, "Maximum Onheap Memory": memory, "Maximum Offheap Memory": 0, "Timestamp": l.millis(),
	})
}

// Jobs writes jobs of one stage each that have begun and ended.
func (l *Writer) Jobs(n int) {
	for range n {
		j := l.begin(l.spec.Tasks)
		j.launch(j.tasks)
		j.finish(j.tasks)
		j.end()
		l.pass(l.vary(3000))
	}
}

// Job is a job that runs.
type Job struct {
	*Writer
	id, tasks, firstTask int
	stage                event
	launched             []int64
	finished             int
}

// Begin writes a job in the middle of its only stage: of its thousand tasks as many run as there are cores, and two
// hundred are done.
func (l *Writer) Begin() *Job {
	j := l.begin(1000)
	j.launch(200 + l.spec.Executors*cores)
	j.finish(200)
	l.pass(60_000)
	return j
}

// End writes the rest of the job.
func (j *Job) End() {
	j.launch(j.tasks)
	j.finish(j.tasks)
	j.end()
}

// Peaks writes what memory the executors have used at most.
func (l *Writer) Peaks() {
	for i := range l.spec.Executors {
		l.write("SparkListenerStageExecutorMetrics", event{
			"Executor ID": executorID(i), "Stage ID": l.jobs - 1, "Stage Attempt ID": 0, "Executor Metrics": l.peaks(),
		})
	}
}

// Flush writes what is left and returns the first error of all.
func (l *Writer) Flush() error {
	if l.err != nil {
		return l.err
	}
	return l.out.Flush()
}

// Now is how far the application's life was written.
func (l *Writer) Now() time.Time { return l.now }

func (l *Writer) begin(tasks int) *Job {
	id := l.jobs
	l.jobs++
	name := fmt.Sprintf("collect at /srv/models/churn/%s.py:%d", []string{"features", "train", "score", "evaluate"}[id%4], 20+id%180)
	j := &Job{Writer: l, id: id, tasks: tasks, firstTask: l.task, launched: make([]int64, tasks)}
	l.task += tasks
	j.stage = event{
		"Stage ID": id, "Stage Attempt ID": 0, "Stage Name": name, "Number of Tasks": tasks, "Parent IDs": []int{}, "Details": details,
		"RDD Info": []event{rdd(id, tasks)}, "Accumulables": []event{}, "Resource Profile Id": 0, "Submission Time": l.millis(),
		"Shuffle Push Enabled": false, "Shuffle Push Mergers Count": 0,
	}
	properties := event{"spark.job.description": fmt.Sprintf("model=churn phase=train fold=%d", id%10), "spark.sql.execution.id": fmt.Sprint(id)}
	l.write("org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart", event{
		"executionId": id, "rootExecutionId": id, "description": name, "details": details, "time": l.millis(), "modifiedConfigs": event{}, "jobTags": []string{},
		"physicalPlanDescription": "== Physical Plan ==\nHashAggregate (2)\n+- Range (1)\n",
		"sparkPlanInfo":           plan("HashAggregate", "HashAggregate(keys=[k#1L], functions=[count(1)])", plan("Range", "Range (0, 1000, step=1, splits=2)")),
	})
	l.write("SparkListenerJobStart", event{
		"Job ID": id, "Submission Time": l.millis(), "Stage Infos": []event{j.stage}, "Stage IDs": []int{id}, "Properties": properties,
	})
	l.write("SparkListenerStageSubmitted", event{"Stage Info": j.stage, "Properties": properties})
	return j
}

func plan(name, text string, children ...event) event {
	if children == nil {
		children = []event{}
	}
	return event{"nodeName": name, "simpleString": text, "children": children, "metadata": event{}, "metrics": []event{}}
}

// launch starts tasks until as many have been launched.
func (j *Job) launch(upTo int) {
	for i := range upTo {
		if j.launched[i] != 0 {
			continue
		}
		j.launched[i] = j.millis() + int64(j.rnd.IntN(50))
		j.write("SparkListenerTaskStart", event{"Stage ID": j.id, "Stage Attempt ID": 0, "Task Info": j.info(i, 0)})
	}
}

// finish ends tasks until as many have ended.
func (j *Job) finish(upTo int) {
	var last int64
	for ; j.finished < upTo; j.finished++ {
		run := j.vary(4000)
		end := max(j.launched[j.finished], j.millis()) + run + 30
		last = max(last, end)
		j.write("SparkListenerTaskEnd", event{
			"Stage ID": j.id, "Stage Attempt ID": 0, "Task Type": "ResultTask", "Task End Reason": event{"Reason": "Success"},
			"Task Info": j.info(j.finished, end), "Task Executor Metrics": j.peaks(), "Task Metrics": j.metrics(run),
		})
	}
	j.now = time.UnixMilli(max(last, j.millis()))
}

func (j *Job) info(i int, finish int64) event {
	return event{
		"Task ID": j.firstTask + i, "Index": i, "Attempt": 0, "Partition ID": i, "Launch Time": j.launched[i],
		"Executor ID": executorID((j.firstTask + i) % j.spec.Executors), "Host": host((j.firstTask + i) % j.spec.Executors),
		"Locality": "PROCESS_LOCAL", "Speculative": false, "Getting Result Time": 0, "Finish Time": finish, "Failed": false, "Killed": false,
		"Accumulables": []event{},
	}
}

func (j *Job) metrics(run int64) event {
	read, written := j.vary(40<<20), j.vary(8<<20)
	return event{
		"Executor Deserialize Time": j.vary(20), "Executor Deserialize CPU Time": j.vary(9_000_000), "Executor Run Time": run,
		"Executor CPU Time": run * 700_000, "Peak Execution Memory": j.vary(64 << 20), "Result Size": 2000 + j.vary(600), "JVM GC Time": run / 30,
		"Result Serialization Time": j.vary(3), "Memory Bytes Spilled": 0, "Disk Bytes Spilled": 0,
		"Shuffle Read Metrics": event{
			"Remote Blocks Fetched": j.vary(40), "Local Blocks Fetched": j.vary(4), "Fetch Wait Time": run / 50, "Remote Bytes Read": read / 2,
			"Remote Bytes Read To Disk": 0, "Local Bytes Read": read / 20, "Total Records Read": read / 100, "Remote Requests Duration": j.vary(90),
		},
		"Shuffle Write Metrics": event{"Shuffle Bytes Written": written, "Shuffle Write Time": j.vary(30_000_000), "Shuffle Records Written": written / 80},
		"Input Metrics":         event{"Bytes Read": read, "Records Read": read / 120},
		"Output Metrics":        event{"Bytes Written": 0, "Records Written": 0},
		"Updated Blocks":        []event{},
	}
}

func (j *Job) end() {
	j.stage["Completion Time"] = j.millis()
	j.stage["Accumulables"] = []event{
		{"ID": 3 * j.id, "Name": "rows.rejected", "Value": fmt.Sprint(j.vary(90)), "Internal": false, "Count Failed Values": false},
		{"ID": 3*j.id + 1, "Name": "model.loss", "Value": fmt.Sprint(1 / float64(j.id+2)), "Internal": false, "Count Failed Values": false},
	}
	j.write("SparkListenerStageCompleted", event{"Stage Info": j.stage})
	j.write("SparkListenerJobEnd", event{"Job ID": j.id, "Completion Time": j.millis(), "Job Result": event{"Result": "JobSucceeded"}})
	j.write("org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd", event{"executionId": j.id, "time": j.millis(), "errorMessage": ""})
}

func (l *Writer) peaks() event {
	return event{
		"JVMHeapMemory": l.vary(5 << 30), "JVMOffHeapMemory": l.vary(150 << 20), "OnHeapExecutionMemory": l.vary(900 << 20), "OffHeapExecutionMemory": 0,
		"OnHeapStorageMemory": l.vary(600 << 20), "OffHeapStorageMemory": 0, "OnHeapUnifiedMemory": l.vary(1 << 30), "OffHeapUnifiedMemory": 0,
		"DirectPoolMemory": l.vary(30 << 20), "MappedPoolMemory": 0, "ProcessTreeJVMVMemory": 0, "ProcessTreeJVMRSSMemory": 0,
		"ProcessTreePythonVMemory": 0, "ProcessTreePythonRSSMemory": 0, "ProcessTreeOtherVMemory": 0, "ProcessTreeOtherRSSMemory": 0,
		"MinorGCCount": l.vary(400), "MinorGCTime": l.vary(9000), "MajorGCCount": l.vary(6), "MajorGCTime": l.vary(700),
		"TotalGCTime": l.vary(9900), "ConcurrentGCCount": l.vary(9), "ConcurrentGCTime": l.vary(90),
	}
}

// write adds a line; after an error it does nothing.
func (l *Writer) write(name string, e event) {
	if l.err != nil {
		return
	}
	rest, err := json.Marshal(e)
	if err == nil {
		// The History Server knows the lines that it lists an application by from how they begin.
		_, err = fmt.Fprintf(l.out, "{\"Event\":%q,%s\n", name, rest[1:])
	}
	l.err = err
}

// vary returns a figure around the typical one, as skewed to the right as run times and sizes are.
func (l *Writer) vary(typical int64) int64 {
	return int64(float64(typical) * math.Exp(0.4*l.rnd.NormFloat64()))
}

func (l *Writer) pass(ms int64) { l.now = l.now.Add(time.Duration(ms) * time.Millisecond) }

func (l *Writer) millis() int64 { return l.now.UnixMilli() }

func executorID(i int) string { return fmt.Sprint(i + 1) }

func host(i int) string { return fmt.Sprintf("worker%02d.example.org", i%50) }

func rdd(id, partitions int) event {
	return event{
		"RDD ID": id, "Name": "MapPartitionsRDD", "Callsite": "collect", "Parent IDs": []int{}, "Barrier": false, "DeterministicLevel": "DETERMINATE",
		"Storage Level":        event{"Use Disk": false, "Use Memory": false, "Use Off Heap": false, "Deserialized": false, "Replication": 1},
		"Number of Partitions": partitions, "Number of Cached Partitions": 0, "Memory Size": 0, "Disk Size": 0,
	}
}

func many(name string, n int) event {
	e := event{}
	for i := range n {
		e[fmt.Sprintf("%s.number%03d", name, i)] = fmt.Sprintf("the value of number %d", i)
	}
	return e
}

// details is where a stage was called from, as Spark tells of a PySpark job.
const details = `org.apache.spark.sql.classic.Dataset.collectToPython(Dataset.scala:2139)
java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)
java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke(NativeMethodAccessorImpl.java:77)
java.base/jdk.internal.reflect.DelegatingMethodAccessorImpl.invoke(DelegatingMethodAccessorImpl.java:43)
java.base/java.lang.reflect.Method.invoke(Method.java:569)
py4j.reflection.MethodInvoker.invoke(MethodInvoker.java:244)
py4j.reflection.ReflectionEngine.invoke(ReflectionEngine.java:374)
py4j.Gateway.invoke(Gateway.java:282)
py4j.commands.AbstractCommand.invokeMethod(AbstractCommand.java:132)
py4j.commands.CallCommand.execute(CallCommand.java:79)
py4j.ClientServerConnection.waitForCommands(ClientServerConnection.java:184)
py4j.ClientServerConnection.run(ClientServerConnection.java:108)
java.base/java.lang.Thread.run(Thread.java:840)`
