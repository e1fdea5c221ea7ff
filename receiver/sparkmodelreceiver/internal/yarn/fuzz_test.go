package yarn

import (
	"encoding/json"
	"strings"
	"testing"
)

// No answer makes the decoders panic, and every application has an attempt. The long seeds are cut from those of Hadoop 3.4.2.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"id":"application_1795475525737_0001","user":"root","name":"churn","queue":"root.ml.train","state":"ACCEPTED","progress":0.0,"applicationTags":"","launchTime":0,"allocatedMB":-1,"queueUsagePercentage":0.0,"resourceSecondsMap":{}}`,
		`{"amContainerLogs":"http://nm:8042/node/containerlogs/container_e02_1795415816459_0002_03_000001/alice"}`,
		`{"rack":"/default-rack","state":"RUNNING","id":"localhost:22015","lastHealthUpdate":1795475521429,"numContainers":0,"availMemoryMB":6144,"availableVirtualCores":6,"cpuUtilization":99.800064}`,
		`{"appsSubmitted":1,"availableMB":12288,"pendingMB":0,"totalUsedResourcesAcrossPartition":{"memory":0,"vCores":0,"resourceInformations":{"resourceInformation":[]}}}`,
		`{"progress":"NaN"}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		var app App
		for _, into := range []any{&app, new(Node), new(ClusterMetrics), new(Info)} {
			if json.Unmarshal(answer, into) == nil && !json.Valid(answer) {
				t.Errorf("%q is no JSON", answer)
			}
		}
		if attempt := app.Attempt(); attempt == "" || strings.Trim(attempt, "0123456789") != "" {
			t.Errorf("%q is an attempt of %q", attempt, answer)
		}
	})
}
