package yarn

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/resttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	activeInfo  = `{"clusterInfo": {"haState": "ACTIVE", "startedOn": 5}}`
	standbyInfo = `{"clusterInfo": {"haState": "STANDBY", "startedOn": 4}}`
)

func TestActiveFindsTheActiveManager(t *testing.T) {
	first, second := resttest.Says(standbyInfo), resttest.Says(activeInfo)
	one := resttest.New(t, "yarn", func(w http.ResponseWriter, r *http.Request) { first(w, r) })
	two := resttest.New(t, "yarn", func(w http.ResponseWriter, r *http.Request) { second(w, r) })
	c := New([]*rest.Client{one, two})

	rm, info, err := c.Active(t.Context())
	require.NoError(t, err)
	assert.Same(t, two, rm)
	assert.EqualValues(t, 5, info.StartedOn)
	assert.False(t, info.Now.IsZero())

	first, second = resttest.Says(activeInfo), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://elsewhere.example/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	rm, _, err = c.Active(t.Context())
	require.NoError(t, err)
	assert.Same(t, one, rm)

	first = resttest.Says(standbyInfo)
	_, _, err = c.Active(t.Context())
	require.ErrorContains(t, err, `is "STANDBY", not ACTIVE`)
	require.ErrorContains(t, err, "elsewhere.example")
}

// Whatever a manager that is not active answers, the active one is found, and nothing is followed.
func TestStandbyAnswers(t *testing.T) {
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(trap.Close)
	redirect := func(location string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			if location != "" {
				w.Header().Set("Location", location)
			}
			w.Header().Set("Refresh", "5;url="+trap.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
			_, _ = w.Write([]byte("Can not find any active RM. Will retry in next 5 seconds."))
		}
	}
	text := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, standby := range map[string]http.HandlerFunc{
		"json":                      resttest.Says(standbyInfo),
		"json of something else":    resttest.Says(`{}`),
		"redirect to another":       redirect(trap.URL + "/ws/v1/cluster/info"),
		"redirect to itself":        redirect("/ws/v1/cluster/info"),
		"redirect without location": redirect(""),
		"no active one":             text(http.StatusOK, "text/plain", "There is no active RM right now."),
		"login page":                text(http.StatusOK, "text/html", "<html>Sign in</html>"),
		"not active":                text(http.StatusMethodNotAllowed, "text/html", "I am not Active!"),
		"no ticket":                 text(http.StatusUnauthorized, "text/html", "Authentication required"),
	} {
		t.Run(name, func(t *testing.T) {
			one, two := resttest.New(t, "yarn", standby), resttest.New(t, "yarn", resttest.Says(activeInfo))
			rm, _, err := New([]*rest.Client{one, two}).Active(t.Context())
			require.NoError(t, err)
			assert.Same(t, two, rm)
			_, _, err = New([]*rest.Client{one, one}).Active(t.Context())
			require.ErrorContains(t, err, one.Endpoint(), "the error names the manager")
		})
	}
}

func TestApplications(t *testing.T) {
	var query url.Values
	body := `{"apps": {"app": [{"id": "application_1_0001", "state": "RUNNING", "trackingUI": "ApplicationMaster", "allocatedMB": -1,
		"resourceSecondsMap": {"entry": {"key": "memory-mb", "value": "3090"}, "entry": {"key": "vcores", "value": "3"}}}]}}`
	rm := resttest.New(t, "yarn", func(w http.ResponseWriter, r *http.Request) { query = r.URL.Query(); resttest.Says(body)(w, r) })
	apps, err := Running(t.Context(), rm)
	require.NoError(t, err)
	require.Len(t, apps, 1)
	assert.True(t, apps[0].HasUI())
	assert.EqualValues(t, -1, apps[0].AllocatedMB)
	assert.Equal(t, url.Values{"applicationTypes": {"SPARK"}, "deSelects": {"resourceRequests"}, "states": {runningStates}}, query)

	for _, none := range []string{`{"apps": {}}`, `{"apps": null}`} {
		body = none
		apps, err = FinishedSince(t.Context(), rm, time.UnixMilli(1234))
		require.NoError(t, err)
		assert.Empty(t, apps)
	}
	assert.Equal(t, "1234", query.Get("finishedTimeBegin"))
}

func TestAttempt(t *testing.T) {
	for logs, want := range map[string]string{
		"": "1",
		"http://nm:8042/node/containerlogs/container_1795415816459_0002_01_000001/alice":       "1",
		"http://nm:8042/node/containerlogs/container_e02_1795415816459_0002_03_000001/alice":   "3",
		"http://nm:8042/node/containerlogs/container_e117_1795415816459_12345_10_000001/alice": "10",
		"garbage": "1",
	} {
		assert.Equal(t, want, (&App{AMContainerLogs: logs}).Attempt(), logs)
	}
}

func queues(t testing.TB, scheduler string) map[string]Queue {
	var info schedulerInfo
	require.NoError(t, json.Unmarshal([]byte(scheduler), &info))
	byPath := map[string]Queue{}
	for _, q := range info.flatten() {
		byPath[q.Path] = q
	}
	return byPath
}

func TestCapacitySchedulerAtAnyDepth(t *testing.T) {
	got := queues(t, `{"type": "capacityScheduler", "queueName": "root", "capacity": 100, "usedCapacity": 33.3, "maxCapacity": 100, "queues": {"queue": [
		{"queueName": "ml", "absoluteCapacity": 60, "queues": {"queue": [
			{"queueName": "train", "capacity": 66.7, "maxCapacity": 90, "absoluteCapacity": 40, "absoluteUsedCapacity": "NaN", "usedCapacity": 138.9, "numPendingApplications": 2, "queues": {"queue": [{"queueName": "deep"}]}}]}},
		{"queueName": "etl", "queuePath": "root.etl"}]}}`)
	require.Len(t, got, 5)
	assert.InDelta(t, 0.333, *got["root"].Usage, 1e-9)
	assert.InDelta(t, 1, *got["root"].Guaranteed, 1e-9)
	assert.InDelta(t, 1.389, *got["root.ml.train"].Utilization, 1e-9)
	assert.InDelta(t, 0.667, *got["root.ml.train"].OfParent.Guaranteed, 1e-9)
	assert.InDelta(t, 0.9, *got["root.ml.train"].OfParent.Limit, 1e-9)
	assert.Equal(t, Shares{}, got["root"].OfParent, "the root has no parent")
	assert.Equal(t, Shares{}, got["root.ml"].OfParent, "not told")
	assert.Nil(t, got["root.ml.train"].Usage)
	assert.EqualValues(t, 2, *got["root.ml.train"].AppsPending)
	assert.Nil(t, got["root.ml"].AppsPending)
	assert.Contains(t, got, "root.ml.train.deep")
	assert.Contains(t, got, "root.etl")
}

// Where nodes have labels, a queue's own figures are those of the default partition alone (answers of Hadoop 3.4.2).
func TestPartitionsAndUsers(t *testing.T) {
	train := queues(t, `{"type": "capacityScheduler", "queueName": "root", "queues": {"queue": [{
		"queueName": "train", "queuePath": "root.train", "usedCapacity": 39.7, "absoluteUsedCapacity": 29.8,
		"resourcesUsed": {"memory": 1536, "vCores": 1}, "userLimit": 50, "userLimitFactor": 10.0, "maxApplicationsPerUser": 3000,
		"userAMResourceLimit": {"memory": 7424, "vCores": 8},
		"users": {"user": [{"username": "alice", "resourcesUsed": {"memory": 3584, "vCores": 3}, "numActiveApplications": 1, "numPendingApplications": 2}]},
		"capacities": {"queueCapacitiesByPartition": [
			{"partitionName": "", "usedCapacity": 39.7, "absoluteCapacity": 75, "absoluteMaxCapacity": 100, "absoluteUsedCapacity": 29.8},
			{"partitionName": "gpu", "usedCapacity": 55.6, "absoluteCapacity": 75, "absoluteMaxCapacity": 100, "absoluteUsedCapacity": 41.7}]},
		"resources": {"resourceUsagesByPartition": [
			{"partitionName": "", "used": {"memory": 1536, "vCores": 1}}, {"partitionName": "gpu", "used": {"memory": 2048, "vCores": 2}}]}}]}}`)["root.train"]
	assert.Equal(t, Resource{Memory: 3584, VCores: 3}, *train.Used)
	require.Len(t, train.Partitions, 2)
	assert.Equal(t, "gpu", train.Partitions[1].Name)
	assert.InDelta(t, 0.556, *train.Partitions[1].Utilization, 1e-9)
	assert.Equal(t, Resource{Memory: 2048, VCores: 2}, *train.Partitions[1].Used)
	assert.InDelta(t, 0.5, *train.UserLimit, 1e-9)
	assert.InDelta(t, 10, *train.UserLimitFactor, 1e-9)
	assert.EqualValues(t, 3000, *train.AppsUserLimit)
	assert.EqualValues(t, 7424, train.AMUserLimit.Memory)
	assert.Equal(t, []User{{Name: "alice", Used: &Resource{Memory: 3584, VCores: 3}, AppsActive: 1, AppsPending: 2}}, train.Users)
}

func TestFairScheduler(t *testing.T) {
	got := queues(t, `{"type": "fairScheduler", "rootQueue": {"queueName": "root", "childQueues": {"queue": [
		{"queueName": "root.prod", "childQueues": [{"queueName": "root.prod.ml", "numPendingApps": 3, "usedResources": {"memory": 2048, "vCores": 2},
			"minResources": {"memory": 1024, "vCores": 1}, "maxResources": {"memory": 9000, "vCores": 9}, "fairResources": {"memory": 3000, "vCores": 3},
			"steadyFairResources": {"memory": 2000, "vCores": 2}, "demandResources": {"memory": 5000, "vCores": 5}}]}]}}}`)
	require.Len(t, got, 3)
	assert.EqualValues(t, 3, *got["root.prod.ml"].AppsPending)
	assert.Equal(t, Resource{Memory: 2048, VCores: 2}, *got["root.prod.ml"].Used)
	assert.Equal(t, Fair{
		Minimum: &Resource{Memory: 1024, VCores: 1}, Limit: &Resource{Memory: 9000, VCores: 9}, FairShare: &Resource{Memory: 3000, VCores: 3},
		SteadyFairShare: &Resource{Memory: 2000, VCores: 2}, Demand: &Resource{Memory: 5000, VCores: 5},
	}, *got["root.prod.ml"].Fair)
	assert.Nil(t, got["root"].Usage)
}

func FuzzScheduler(f *testing.F) {
	f.Add(`{"queueName": "root", "queues": {"queue": [{"queueName": "a", "capacity": "NaN"}]}}`)
	f.Add(`{"rootQueue": {"childQueues": [{"childQueues": {"queue": []}}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var info schedulerInfo
		if json.Unmarshal([]byte(body), &info) == nil {
			info.flatten()
		}
	})
}
