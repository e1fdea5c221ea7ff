package spark

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// Whatever a server writes for a time or a number is one, or an error: a time is never before 1970.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{"2026-11-23T21:43:00.123GMT", "1969-12-31T23:59:59.999GMT", "9999-12-31T23:59:59.999GMT", "", "yesterday"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var at Time
		if err := at.UnmarshalJSON([]byte(strconv.Quote(text))); err == nil && !at.IsZero() && at.Unix() <= 0 {
			t.Errorf("%q is taken for %s", text, at)
		}
	})
}

// No answer makes the decoder of any endpoint panic.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`[{"jobId": 7, "status": "RUNNING", "stageIds": [1, 2], "submissionTime": "2026-11-23T21:43:00.123GMT"}]`,
		`[{"stageId": 1, "attemptId": 0, "taskMetricsDistributions": {"quantiles": [0, "NaN", null], "executorRunTime": [1, "2"]}}]`,
		`[{"id": "driver", "isActive": true, "peakMemoryMetrics": {"JVMHeapMemory": 1e9}, "removeReason": null}]`, `null`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		for _, into := range []any{&[]Job{}, &[]Stage{}, &[]Executor{}, &[]Task{}, &[]Execution{}, &[]ApplicationInfo{}, new(rest.Float)} {
			if json.Unmarshal(answer, into) == nil && !json.Valid(answer) {
				t.Errorf("%q is no JSON", answer)
			}
		}
	})
}
