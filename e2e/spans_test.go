//go:build cluster

package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sinceSubmission is the attribute of a stage or query that counts from the submission, which only YARN knows.
var sinceSubmission = regexp.MustCompile(`\{"key":"spark\.(?:stage|sql)\.run\.duration","value":\{"doubleValue":[^}]*\}\},?`)

// Two collectors that read a driver, and one that has the History Server alone, make the same spans of jobs, SQL
// executions, stages and tasks, byte for byte but for what counts from the submission.
func TestSpansAreTheSame(t *testing.T) {
	traces := []string{
		"--set", "service::pipelines::traces::receivers=[sparkmodel]",
		"--set", "service::pipelines::traces::processors=[]",
		"--set", "service::pipelines::traces::exporters=[otlp_http]",
	}
	live := func() *collector {
		return startTracer(t, traces, "yarn.yaml", "yarn::endpoints=["+lab.yarn()+"]", "history::endpoint="+lab.history())
	}
	first, second := live(), live()
	ids := lab.submit(t, "failing_tasks", spark4).wait(t)
	id := ids[len(ids)-1]
	lab.truth(t, id)
	past := startTracer(t, traces, "history.yaml", "history::endpoint="+lab.history())
	ended := func(c *collector) map[string]string {
		var spans map[string]string
		require.Eventually(t, func() bool {
			spans = c.sink.spansOf(id)
			for name := range spans {
				if strings.HasPrefix(name, "spark.application ") {
					return true
				}
			}
			return false
		}, 2*time.Minute, interval/4, "the application's span is missing")
		return spans
	}
	want := ended(past)
	kinds := map[string]int{}
	for who, got := range map[string]map[string]string{"first": ended(first), "second": ended(second)} {
		for name, span := range want {
			kind, _, _ := strings.Cut(name, " ")
			switch kind {
			case "spark.job", "spark.sql", "spark.stage", "spark.task":
				kinds[kind]++
				assert.Equal(t, sinceSubmission.ReplaceAllString(span, ""), sinceSubmission.ReplaceAllString(got[name], ""), "%s: %s", who, name)
			}
		}
	}
	for _, kind := range []string{"spark.job", "spark.stage", "spark.task"} {
		assert.Positive(t, kinds[kind], kind)
	}
	assert.Equal(t, len(ended(first)), len(ended(second)))
}
