package hdfs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/resttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// number reads a figure that must be known.
func number(t *testing.T, n Number) float64 {
	v, ok := Known(n)
	require.True(t, ok)
	return v
}

// What real servers say, read by the queries that the receiver makes and compared with the whole of their beans.
func TestRecordedServers(t *testing.T) {
	for _, name := range []string{"mapreduce-3.4.2", "hadoop-3.5.0"} {
		t.Run(name, func(t *testing.T) {
			rec, err := recording.Load(filepath.Join("..", "..", "..", "..", "testdata", "recordings", name+".har.zst"))
			require.NoError(t, err)
			player := recording.NewPlayer(rec, recording.PlayerOptions{From: rec.End()})
			nn, dn := resttest.New(t, "hdfs", player.Handler(recording.NameNode).ServeHTTP), resttest.New(t, "hdfs", player.Handler(recording.DataNode).ServeHTTP)

			system, err := ReadNamesystem(t.Context(), nn)
			require.NoError(t, err)
			beans := whole(t, nn)
			fs, state := beans["Hadoop:service=NameNode,name=FSNamesystem"], beans["Hadoop:service=NameNode,name=FSNamesystemState"]
			assert.Equal(t, "active", system.HAState)
			assert.Equal(t, "Operational", system.FSState)
			assert.Equal(t, state["CapacityTotal"], number(t, system.CapacityTotal))
			assert.Equal(t, fs["CapacityUsedNonDFS"], number(t, system.CapacityUsedNonDFS), "only FSNamesystem tells")
			assert.Equal(t, state["FsLockQueueLength"], number(t, system.LockQueueLength), "only FSNamesystemState tells")
			assert.Equal(t, fs["MissingReplOneBlocks"], number(t, system.MissingReplicationOne))
			assert.Equal(t, state["NumLiveDataNodes"], number(t, system.LiveDataNodes))
			assert.Equal(t, fs["LastCheckpointTime"], number(t, system.LastCheckpointTime))
			assert.Positive(t, number(t, system.Blocks))

			ports, err := ReadRPC(t.Context(), nn)
			require.NoError(t, err)
			require.Len(t, ports, 1)
			rpc := beans["Hadoop:service=NameNode,name=RpcActivityForPort"+ports[0].Port]
			assert.Equal(t, rpc["RpcQueueTimeAvgTime"], number(t, ports[0].QueueTime))
			assert.Equal(t, rpc["RpcQueueTimeNumOps"], number(t, ports[0].Calls))

			jvm, err := ReadNameNodeJVM(t.Context(), nn)
			require.NoError(t, err)
			assert.Equal(t, beans["Hadoop:service=NameNode,name=JvmMetrics"]["GcTimeMillis"], number(t, jvm.GCTime))

			info, err := ReadNameNodeInfo(t.Context(), nn)
			require.NoError(t, err)
			assert.Equal(t, beans["Hadoop:service=NameNode,name=NameNodeInfo"]["NNStartedTimeInMillis"], number(t, info.Started))
			require.Len(t, info.DataNodes, 1)
			listed := info.DataNodes[0]
			assert.Equal(t, "In Service", listed.AdminState)
			assert.False(t, listed.Dead)
			assert.Equal(t, number(t, system.CapacityTotal), number(t, listed.Capacity), "the only DataNode has all of it")

			node, err := ReadDataNode(t.Context(), dn)
			require.NoError(t, err)
			assert.Equal(t, listed.Name, node.Name, "both name the DataNode alike")
			beans = whole(t, dn)
			about := beans["Hadoop:service=DataNode,name=DataNodeInfo"]
			activity := beans[fmt.Sprintf("Hadoop:service=DataNode,name=DataNodeActivity-%s-%s", about["DatanodeHostname"], about["DataPort"])]
			assert.Equal(t, activity["BytesWritten"], number(t, node.BytesWritten))
			assert.Equal(t, about["DNStartedTimeInMillis"], number(t, node.Started))

			dataset, err := ReadDataset(t.Context(), dn)
			require.NoError(t, err)
			for name, set := range beans {
				if strings.HasPrefix(name, "Hadoop:service=DataNode,name=FSDatasetState-") {
					assert.Equal(t, set["DfsUsed"], number(t, dataset.Used), "the bean without an id is cached")
					assert.Equal(t, set["NumBlocksFailedToUncache"], number(t, dataset.BlocksFailedToUncache))
				}
			}

			jvm, err = ReadDataNodeJVM(t.Context(), dn)
			require.NoError(t, err)
			assert.Equal(t, beans["Hadoop:service=DataNode,name=JvmMetrics"]["ThreadsRunnable"], number(t, jvm.ThreadsRunnable))
			assert.Empty(t, player.Misses())
		})
	}
}

// whole reads all beans of a server, by name.
func whole(t *testing.T, server *rest.Client) map[string]map[string]any {
	var answer struct {
		Beans []map[string]any `json:"beans"`
	}
	_, err := server.Get(t.Context(), rest.Request{Path: []string{"jmx"}}, &answer)
	require.NoError(t, err)
	byName := map[string]map[string]any{}
	for _, bean := range answer.Beans {
		byName[bean["name"].(string)] = bean
	}
	return byName
}

// Beans that a healthy server would not give; hand-made.
func TestFaultyBeans(t *testing.T) {
	ask := func(body string) (Namesystem, error) {
		return ReadNamesystem(t.Context(), resttest.New(t, "hdfs", resttest.Says(body)))
	}

	_, err := ask(`{"beans": []}`)
	require.ErrorContains(t, err, "has no bean FSNamesystem yet: it is starting")
	_, err = ask(`{}`)
	require.ErrorContains(t, err, "has no bean FSNamesystem")
	_, err = ask(`{"beans": ["x"]}`)
	require.ErrorContains(t, err, "hdfs: a bean of http://127.0.0.1:")
	_, err = ask(`{"beans": [{"name": "Hadoop:service=NameNode,name=FSNamesystem", "CapacityTotal": {}}]}`)
	require.ErrorContains(t, err, "hdfs: bean FSNamesystem of http://127.0.0.1:")
	_, err = ReadNamesystem(t.Context(), resttest.New(t, "hdfs", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>NameNode is still loading. Redirecting to the Startup Progress page.</html>"))
	})))
	require.ErrorContains(t, err, `the answer is "text/html", not JSON: <html>NameNode is still loading`)

	system, err := ask(`{"beans": [
		{"name": "Hadoop:service=NameNode,name=FSNamesystem", "tag.HAState": "standby", "CapacityTotal": "NaN", "CapacityUsed": null, "FilesTotal": "7", "BlocksTotal": 1e999999},
		{"name": "Hadoop:service=DataNode,name=FSNamesystem", "tag.HAState": "active"}]}`)
	require.Error(t, err, "a number out of range")
	assert.Empty(t, system.FSState)
	system, err = ask(`{"beans": [
		{"name": "Hadoop:service=NameNode,name=FSNamesystem", "tag.HAState": "standby", "CapacityTotal": "NaN", "CapacityUsed": null, "FilesTotal": "7"},
		{"name": "Hadoop:service=DataNode,name=FSNamesystem", "tag.HAState": "active"}]}`)
	require.NoError(t, err)
	assert.Equal(t, "standby", system.HAState, "another service's bean is not this one's")
	for name, n := range map[string]Number{"NaN": system.CapacityTotal, "null": system.CapacityUsed, "absent": system.Load} {
		_, known := Known(n)
		assert.False(t, known, name)
	}
	assert.Equal(t, 7.0, number(t, system.Files))

	_, err = ReadNameNodeInfo(t.Context(), resttest.New(t, "hdfs", resttest.Says(`{"beans": [{"name": "Hadoop:service=NameNode,name=NameNodeInfo", "LiveNodes": "{\"a"}]}`)))
	require.ErrorContains(t, err, "hdfs: the DataNodes that http://127.0.0.1:")
	_, err = ReadDataNode(t.Context(), resttest.New(t, "hdfs", resttest.Says(`{"beans": [{"name": "Hadoop:service=DataNode,name=DataNodeInfo"}]}`)))
	require.ErrorContains(t, err, "has no bean DataNodeActivity yet")
	_, err = ReadDataNode(t.Context(), resttest.New(t, "hdfs", resttest.Says(`{"beans": [{"name": "Hadoop:service=DataNode,name=DataNodeActivity-x"}]}`)))
	require.ErrorContains(t, err, "has no bean DataNodeActivity yet", "no port")
}

// Dead DataNodes and those that are being taken out of service; hand-made after the fields of FSNamesystem.getDeadNodes.
func TestListedDataNodes(t *testing.T) {
	info, err := ReadNameNodeInfo(t.Context(), resttest.New(t, "hdfs", resttest.Says(`{"beans": [{"name": "Hadoop:service=NameNode,name=NameNodeInfo",
		"LiveNodes": "{\"b:9866\":{\"adminState\":\"Decommission In Progress\",\"capacity\":5}}",
		"DeadNodes": "{\"a:9866\":{\"lastContact\":900,\"decommissioned\":false,\"adminState\":\"In Service\",\"xferaddr\":\"10.0.0.1:9866\"}}"}]}`)))
	require.NoError(t, err)
	require.Len(t, info.DataNodes, 2)
	assert.Equal(t, "a:9866", info.DataNodes[0].Name)
	assert.True(t, info.DataNodes[0].Dead)
	assert.Equal(t, 900.0, number(t, info.DataNodes[0].LastContact))
	assert.Equal(t, "Decommission In Progress", info.DataNodes[1].AdminState)
}

// A request names its beans: without a query a server would answer with all of them.
func TestEveryRequestHasAQuery(t *testing.T) {
	var queries []url.Values
	server := resttest.New(t, "hdfs", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/jmx", r.URL.Path)
		queries = append(queries, r.URL.Query())
		resttest.Says(`{"beans": []}`)(w, r)
	}))
	_, _ = ReadNamesystem(t.Context(), server)
	_, _ = ReadRPC(t.Context(), server)
	_, _ = ReadNameNodeJVM(t.Context(), server)
	_, _ = ReadNameNodeInfo(t.Context(), server)
	_, _ = ReadDataNode(t.Context(), server)
	_, _ = ReadDataset(t.Context(), server)
	_, _ = ReadDataNodeJVM(t.Context(), server)
	require.Len(t, queries, 7)
	for _, q := range queries {
		assert.Regexp(t, "^Hadoop:service=(NameNode|DataNode),name=[A-Za-z]+[*]?$", q.Get("qry"))
	}
}

// Whatever beans hold ends in figures or in an error.
func FuzzBeans(f *testing.F) {
	for _, seed := range []string{
		`{"name": "Hadoop:service=NameNode,name=FSNamesystem", "tag.HAState": "active", "CapacityTotal": 5}`,
		`{"name": "Hadoop:service=NameNode,name=NameNodeInfo", "LiveNodes": "{\"a:1\":{\"capacity\":\"NaN\"}}", "DeadNodes": "[]"}`,
		`{"name": "Hadoop:service=DataNode,name=DataNodeActivity-a-b-9866", "BytesRead": null}`,
		`{"name": "Hadoop:service=NameNode,name=RpcActivityForPort1", "tag.port": 1}`,
		`null`, `[]`, `7`,
	} {
		f.Add(seed)
	}
	body := ""
	server := resttest.New(f, "hdfs", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { resttest.Says(body)(w, r) }))
	f.Fuzz(func(t *testing.T, bean string) {
		if !json.Valid([]byte(bean)) {
			bean = strconv.Quote(bean)
		}
		body = `{"beans": [` + bean + `]}`
		if system, err := ReadNamesystem(t.Context(), server); err == nil {
			assert.NotEmpty(t, system.HAState)
		}
		if node, err := ReadDataNode(t.Context(), server); err == nil {
			assert.Contains(t, node.Name, ":")
		}
		ports, err := ReadRPC(t.Context(), server)
		assert.True(t, err != nil || len(ports) <= 1)
		_, _ = ReadNameNodeInfo(t.Context(), server)
		_, _ = ReadDataset(t.Context(), server)
		_, _ = ReadNameNodeJVM(t.Context(), server)
	})
}
