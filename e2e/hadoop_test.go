//go:build cluster

package e2e

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// beans asks a NameNode or a DataNode for its beans of a name, and returns their attributes together.
func beans(ctx context.Context, server, query string) (map[string]any, error) {
	var answer struct {
		Beans []map[string]any `json:"beans"`
	}
	if err := getJSON(ctx, server+"/jmx?qry="+url.QueryEscape(query), &answer); err != nil {
		return nil, err
	}
	all := map[string]any{}
	for _, bean := range answer.Beans {
		for name, v := range bean {
			all[name] = v
		}
	}
	return all, nil
}

// beanFigure is one that the collector reports and a server tells.
type beanFigure struct {
	series []string // metric, then names and values of attributes
	server string
	query  string
	name   string // of the bean's attribute
	scale  float64
}

// assertFigures waits until each figure is what the server says at that moment.
func assertFigures(t *testing.T, c *collector, figures []beanFigure) {
	for _, f := range figures {
		var got, want float64
		assert.Eventually(t, func() bool {
			all, err := beans(t.Context(), f.server, f.query)
			said, ok := all[f.name].(float64)
			if err != nil || !ok {
				return false
			}
			want = said * f.scale
			var known bool
			got, known = c.sink.value("", f.series[0], f.series[1:]...)
			return known && near(got, want)
		}, time.Minute, interval/4, "%v: %s of %s", f.series, f.name, f.query)
		t.Logf("%s = %v, the server says %v", strings.Join(f.series, " "), got, want)
	}
}

// HDFS as its servers tell of it, while it is used, and while one of them is away.
func TestHDFS(t *testing.T) {
	nn, dn := lab.env["HDFS_NAMENODE_URL"], lab.env["HDFS_DATANODE_URL"]
	collector := startCollectorOf(t, "hdfs.yaml", "hdfs::namenodes=["+nn+"]", "hdfs::datanodes=["+dn+"]")
	lab.submit(t, "mapreduce", "4").wait(t) // writes and reads blocks

	var about struct {
		Beans []struct {
			DatanodeHostname, DataPort string
		} `json:"beans"`
	}
	require.NoError(t, getJSON(t.Context(), dn+"/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo", &about))
	require.Len(t, about.Beans, 1)
	nameNode := []string{"hdfs.namenode.name", strings.TrimPrefix(nn, "http://")}
	dataNode := []string{"hdfs.datanode.name", about.Beans[0].DatanodeHostname + ":" + about.Beans[0].DataPort}
	of := func(metric string, attributes ...string) []string { return append([]string{metric}, attributes...) }
	const (
		system  = "Hadoop:service=NameNode,name=FSNamesystemState"
		dataset = "Hadoop:service=DataNode,name=FSDatasetState-*"
		work    = "Hadoop:service=DataNode,name=DataNodeActivity-*"
		jvm     = "Hadoop:service=NameNode,name=JvmMetrics"
	)
	figures := []beanFigure{
		{of("hdfs.namenode.capacity.limit"), nn, system, "CapacityTotal", 1},
		{of("hdfs.namenode.capacity.usage"), nn, system, "CapacityUsed", 1},
		{of("hdfs.namenode.blocks"), nn, system, "BlocksTotal", 1},
		{of("hdfs.namenode.files"), nn, system, "FilesTotal", 1},
		{of("hdfs.namenode.datanodes", "hdfs.datanode.state", "live"), nn, system, "NumLiveDataNodes", 1},
		{of("hdfs.namenode.block.status", "hdfs.block.state", "under_replicated"), nn, system, "UnderReplicatedBlocks", 1},
		{of("hdfs.namenode.jvm.gc.count", nameNode...), nn, jvm, "GcCount", 1},
		{of("hdfs.namenode.jvm.gc.time", nameNode...), nn, jvm, "GcTimeMillis", 1e-3},
		{of("hdfs.datanode.capacity.usage", dataNode...), dn, dataset, "DfsUsed", 1},
		{of("hdfs.datanode.io.size", append(dataNode, "hdfs.io.direction", "write")...), dn, work, "BytesWritten", 1},
		{of("hdfs.datanode.block.io", append(dataNode, "hdfs.io.direction", "read")...), dn, work, "BlocksRead", 1},
	}
	assertFigures(t, collector, figures)
	is := func(want float64, metric string, attributes ...string) func() bool {
		return func() bool {
			got, ok := collector.sink.value("", metric, attributes...)
			return ok && got == want
		}
	}
	assert.True(t, is(1, "hdfs.namenode.status", append(nameNode, "hdfs.namenode.state", "active")...)())
	assert.True(t, is(1, "hdfs.datanode.status", append(dataNode, "hdfs.datanode.admin_state", "in_service")...)())
	port := lab.env["HDFS_URI"][strings.LastIndexByte(lab.env["HDFS_URI"], ':')+1:]
	calls, ok := collector.sink.value("", "hdfs.namenode.rpc.calls", append(nameNode, "hdfs.rpc.port", port)...)
	assert.True(t, ok && calls > 0)

	lab.daemon(t, "kill", "namenode")
	source := "hdfs namenode " + nn
	require.Eventually(t, func() bool { return len(collector.logLines(source)) == 1 }, 30*time.Second, interval/4, "the collector does not say that the NameNode is gone")
	lab.daemon(t, "start", "namenode")
	safemode := of("hdfs.namenode.safemode", nameNode...)
	require.Eventually(t, is(1, safemode[0], safemode[1:]...), time.Minute, interval/4, "a NameNode that has just started is in safe mode")
	require.Eventually(t, is(0, safemode[0], safemode[1:]...), 2*time.Minute, interval/4, "the NameNode stays in safe mode")
	assertFigures(t, collector, figures[:6])
	lines := collector.logLines(source)
	require.Len(t, lines, 2, "said once per change of state")
	assert.True(t, strings.HasPrefix(lines[0], "warn ") && strings.HasPrefix(lines[1], "info "), "%v", lines)
	assert.Empty(t, collector.logLines("hdfs datanode "+dn), "the DataNode was there all the time")

	// A DataNode sends a heartbeat every three seconds.
	silent := func() bool {
		age, ok := collector.sink.value("", "hdfs.datanode.heartbeat.age", dataNode...)
		return ok && age > 10
	}
	lab.daemon(t, "kill", "datanode")
	require.Eventually(t, silent, time.Minute, interval/4, "the NameNode does not miss the DataNode")
	assert.Len(t, collector.logLines("hdfs datanode "+dn), 1)
	lab.daemon(t, "start", "datanode")
	require.Eventually(t, func() bool { return !silent() }, time.Minute, interval/4, "the NameNode does not hear of the DataNode again")
	assertFigures(t, collector, figures[8:])
}

// A MapReduce job while it runs, and in the end as the JobHistory server tells of it; also where that is away when the job
// ends.
func TestMapReduce(t *testing.T) {
	history := lab.env["MAPREDUCE_HISTORY_URL"]
	collector := startCollectorOf(t, "mapreduce.yaml", "yarn::endpoints=["+lab.yarn()+"]", "mapreduce::endpoint="+history)
	for _, away := range []bool{false, true} {
		t.Run(fmt.Sprintf("JobHistory away: %t", away), func(t *testing.T) {
			s := lab.submit(t, "mapreduce", "4")
			var id string
			state := func(want string) func() bool {
				return func() bool {
					if m := applicationLine.FindStringSubmatch(s.output.String()); m != nil {
						id = strings.Replace(m[1], "application_", "job_", 1)
					}
					v, ok := collector.sink.value(id, "mapreduce.job.status", "mapreduce.job.state", want)
					return ok && v == 1
				}
			}
			require.Eventually(t, state("running"), 2*time.Minute, interval/4, "the job is not seen while it runs")
			if away {
				lab.daemon(t, "kill", "jobhistory")
				require.Eventually(t, func() bool { return len(collector.logLines("mapreduce")) == 1 }, 30*time.Second, interval/4, "the collector does not say that JobHistory is gone")
			}
			<-s.ended // the client itself asks JobHistory how the job ended
			if away {
				lab.daemon(t, "start", "jobhistory")
			}
			require.Eventually(t, state("succeeded"), 2*time.Minute, interval/4, "the end of the job is not told")
			assertEqualsHistory(t, collector, history+"/ws/v1/history/mapreduce/jobs/"+id, id)
		})
	}
	assert.Len(t, collector.logLines("mapreduce"), 2, "said once per change of state")
	assert.Empty(t, collector.logLines("mapreduce running"))
}

func assertEqualsHistory(t *testing.T, c *collector, base, id string) {
	var job struct {
		Job struct {
			StartTime, FinishTime, AvgMapTime, MapsTotal, SuccessfulMapAttempts, SuccessfulReduceAttempts float64
		}
	}
	require.NoError(t, getJSON(t.Context(), base, &job))
	var counters struct {
		JobCounters struct {
			CounterGroup []struct {
				CounterGroupName string
				Counter          []struct {
					Name                                                   string
					TotalCounterValue, MapCounterValue, ReduceCounterValue float64
				}
			}
		}
	}
	require.NoError(t, getJSON(t.Context(), base+"/counters", &counters))
	var tasks struct {
		Tasks struct {
			Task []struct {
				Type        string
				ElapsedTime float64
			}
		}
	}
	require.NoError(t, getJSON(t.Context(), base+"/tasks", &tasks))

	same := func(want float64, metric string, attributes ...string) {
		got, ok := c.sink.value(id, metric, attributes...)
		assert.True(t, ok && near(got, want), "%s %v is %v, the JobHistory server says %v", metric, attributes, got, want)
	}
	same((job.Job.FinishTime-job.Job.StartTime)/1e3, "mapreduce.job.duration")
	same(job.Job.AvgMapTime/1e3, "mapreduce.job.attempt.duration", "mapreduce.task.phase", "map")
	same(job.Job.MapsTotal, "mapreduce.job.task.planned", "mapreduce.task.type", "map")
	same(job.Job.SuccessfulMapAttempts, "mapreduce.job.attempts", "mapreduce.task.type", "map", "mapreduce.attempt.state", "successful")
	same(job.Job.SuccessfulReduceAttempts, "mapreduce.job.attempts", "mapreduce.task.type", "reduce", "mapreduce.attempt.state", "successful")
	longest := map[string]float64{}
	for _, task := range tasks.Tasks.Task {
		longest[task.Type] = max(longest[task.Type], task.ElapsedTime/1e3)
	}
	same(longest["MAP"], "mapreduce.job.task.duration", "mapreduce.task.type", "map", "mapreduce.task.quantile", "max")
	same(longest["REDUCE"], "mapreduce.job.task.duration", "mapreduce.task.type", "reduce", "mapreduce.task.quantile", "max")
	compared := 0
	for _, group := range counters.JobCounters.CounterGroup {
		for _, counter := range group.Counter {
			switch counter.Name {
			case "HDFS_BYTES_READ", "FILE_BYTES_WRITTEN", "SPILLED_RECORDS", "REDUCE_SHUFFLE_BYTES", "CPU_MILLISECONDS":
				short := group.CounterGroupName[strings.LastIndexByte(group.CounterGroupName, '.')+1:]
				for scope, want := range map[string]float64{"total": counter.TotalCounterValue, "map": counter.MapCounterValue, "reduce": counter.ReduceCounterValue} {
					same(want, "mapreduce.job.counter", "mapreduce.counter.group", short, "mapreduce.counter.name", counter.Name, "mapreduce.counter.scope", scope)
				}
				compared++
			}
		}
	}
	assert.Equal(t, 5, compared)
}
