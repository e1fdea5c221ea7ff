package sparkmodelreceiver

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

// The two drivers of TestFaults answer as a recorded one did in the middle of a stage; one of them has a fault.
const (
	recordedApp = "application_1795477692675_0002"
	faultyApp   = "application_1795477692675_9999"
	soundApp    = recordedApp
)

// middle is when the recorded driver is read.
const middle = 97 * time.Second

// fault is what a server does wrong, and what comes of it.
type fault struct {
	// name says what the server does; does is what the receiver does then, beside what TestFaults checks of each.
	name, does string
	// path is an expression that the requests match that the fault is in.
	path string
	// later tells that the application was read before.
	later bool
	serve func(w http.ResponseWriter, r *http.Request, next http.Handler)
	// says is a part of the one line in the log, empty where the fault is none of the receiver's business.
	says string
	// timeout is that of a request, where it is to run out.
	timeout time.Duration
	check   func(t *testing.T, got points)
}

func says(status int, contentType, text string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// edits serves the recorded answer with what an expression finds replaced.
func edits(expression, by string) func(http.ResponseWriter, *http.Request, http.Handler) {
	re := regexp.MustCompile(expression)
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("Accept-Encoding")
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.Header().Set("Date", answer.Header().Get("Date"))
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, re.ReplaceAllString(answer.Body.String(), by))
	}
}

// floods writes a text over and over until the client goes away.
func floods(begin, more string, pause time.Duration) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, begin)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, more); err != nil {
				return
			}
			if pause > 0 {
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(pause):
				}
			}
		}
	}
}

const million = 1 << 20

var faults = []fault{
	{name: "HTML with status 200 instead of the applications", path: "/applications$", says: `the answer is "text/html", not JSON`,
		serve: says(200, "text/html", "<html>Spark is starting up. Please wait a while until it's ready.</html>")},
	{name: "plain text with status 200 while Spark starts", path: "/environment", says: `the answer is "text/plain", not JSON: Spark is starting up`,
		serve: says(200, "text/plain", "Spark is starting up. Please wait a while until it's ready.")},
	{name: "HTML with status 200 in the middle of an application's life", path: "/jobs", later: true, says: "not JSON",
		serve: says(200, "text/html;charset=utf-8", "<html>This application has no tracking URL</html>")},
	{name: "no content type", path: "/jobs", later: true, says: "not JSON",
		serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "[]")
		}},
	{name: "an answer that ends in the middle", path: "/stages", says: "unexpected EOF", serve: says(200, "application/json", `[{"stageId": 1, "status": "COMPL`)},
	{name: "an empty answer", path: "/stages", says: "EOF", serve: says(200, "application/json", "")},
	{name: "a connection that is cut in the middle", path: "/executors", later: true, says: "unexpected EOF",
		serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `[{"id": "1"`)
		}},
	{name: "a connection that is closed at once", says: "no answer",
		serve: func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }},
	{name: "an endless list", does: "gives up after 64 MiB", path: "/jobs", says: "the answer is larger than 67108864 bytes",
		serve: floods("[", strings.Repeat(`{"jobId": 1, "status": "SUCCEEDED"},`, 1000), 0)},
	{name: "an endless text", does: "gives up after 64 MiB", path: "/jobs", says: "the answer is larger than 67108864 bytes",
		serve: floods(`[{"name": "`, strings.Repeat("x", million), 0)},
	{name: "endless blanks", does: "gives up after 64 MiB", path: "/jobs", says: "the answer is larger than 67108864 bytes",
		serve: floods("[]", strings.Repeat(" ", million), 0)},
	{name: "a compressed answer that unpacks to a gigabyte", does: "gives up after 64 MiB, unpacked", path: "/jobs", says: "the answer is larger than 67108864 bytes", serve: bomb},
	{name: "an answer that is not compressed as it says", path: "/jobs", says: "unexpected EOF",
		serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "[]")
		}},
	{name: "a slow trickle", does: "gives up at the request's deadline", path: "/jobs", later: true, timeout: time.Second, says: "deadline exceeded",
		serve: floods("[", " ", 20*time.Millisecond)},
	{name: "no answer at all", does: "gives up at the request's deadline", path: "/jobs", later: true, timeout: time.Second, says: "deadline exceeded",
		serve: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }},
	{name: "a redirect to itself", does: "follows no redirect", says: "redirects to",
		serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}},
	{name: "a redirect without a location", says: "without a location",
		serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusTemporaryRedirect)
		}},
	{name: "401", does: "says that an authenticator is missing", says: "configure an authenticator", serve: says(401, "text/html", "Authentication required")},
	{name: "403", does: "says that a right is missing", path: "/stages", says: "the right to view", serve: says(403, "text/plain", `user "x" is not authorized`)},
	{name: "404 for everything, as a proxy whose driver has gone", path: "/applications/", later: true, says: "status 404",
		serve: says(404, "text/html", "<html>Application could not be found in RM or history server</html>")},
	{name: "500 with a stack trace of a megabyte", does: "logs its first 160 bytes", path: "/executors", later: true, says: "status 500: java.lang",
		serve: says(500, "text/plain", "java.lang.NullPointerException\n"+strings.Repeat("\tat org.apache.spark\n", million/21))},
	{name: "503 while a log is loaded", path: "/stages", says: "status 503", serve: says(503, "text/html", "<html>Service Unavailable</html>")},
	{name: "an object instead of a list", path: "/jobs", says: "cannot unmarshal object", serve: says(200, "application/json", `{"jobs": []}`)},
	{name: "a list instead of an object", path: "/environment", says: "cannot unmarshal array", serve: says(200, "application/json", `[]`)},
	{name: "texts instead of numbers", path: "/stages", says: "cannot unmarshal string", serve: edits(`"stageId" ?: ?(\d+)`, `"stageId": "$1"`)},
	{name: "a number that is too large", path: "/stages", says: "cannot unmarshal number", serve: edits(`"inputBytes" ?: ?\d+`, `"inputBytes": 1e999`)},
	{name: "lists in ten thousand lists", path: "/jobs", says: "not the JSON it should be", serve: says(200, "application/json", strings.Repeat("[", 20_000))},
	{name: "null instead of a list", does: "takes it for an empty list", path: `/jobs\?status`, later: true, serve: says(200, "application/json", "null")},
	{name: "keys that come twice", does: "believes the last", path: "executors", serve: edits(`"totalCores" ?: ?(\d+)`, `"totalCores": 77, "totalCores": $1`),
		check: func(t *testing.T, got points) {
			assert.NotContains(t, values(got, faultyApp, "spark.executor.core.limit"), 77.0)
		}},
	{name: "fields and states that nobody knows", does: "ignores them", path: "/stages", serve: edits(`"status" ?: ?"ACTIVE"`, `"status": "MELTING", "new": {"field": [1]}`)},
	{name: `"NaN" in quantiles`, does: "leaves the figure out", path: "withSummaries", serve: edits(`"executorRunTime" ?: ?\[[^\]]*\]`, `"executorRunTime": ["NaN", "NaN", "NaN", "NaN", "NaN", "NaN"]`),
		check: func(t *testing.T, got points) { assert.Empty(t, values(got, faultyApp, "spark.stage.task.run_time")) }},
	{name: "numbers below zero", does: "leaves the figures out", path: "executors", serve: edits(`"(totalGCTime|completedTasks|memoryUsed|totalCores)" ?: ?\d+`, `"$1": -1`),
		check: func(t *testing.T, got points) {
			assert.NotEmpty(t, values(got, faultyApp, "spark.executor.task.active"))
			assert.Empty(t, values(got, faultyApp, "spark.executor.gc_time"))
			for name, dp := range got {
				assert.False(t, strings.HasPrefix(name, faultyApp+" spark.executor.") && dp.IntValue() < 0, name)
			}
		}},
	{name: "times before 1970", does: "takes them for unknown", path: "/applications$", serve: edits(`"startTime" ?: ?"[^"]*"`, `"startTime": "1969-12-31T23:59:59.999GMT"`),
		check: func(t *testing.T, got points) { assert.Empty(t, values(got, faultyApp, "spark.application.duration")) }},
	{name: "times that are none", path: "/stages", says: "not a time as Spark writes it", serve: edits(`"submissionTime" ?: ?"[^"]*"`, `"submissionTime": "yesterday"`)},
	{name: "times in the year 9999", does: "leaves durations out", path: "/applications$", serve: edits(`"startTime" ?: ?"[^"]*"`, `"startTime": "9999-12-31T23:59:59.999GMT"`),
		check: func(t *testing.T, got points) { assert.Empty(t, values(got, faultyApp, "spark.application.duration")) }},
	{name: "job ids that jump by millions", does: "asks for a thousand of them in a poll at most", path: "/jobs", later: true,
		serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			if r.FormValue("status") == "running" {
				says(200, "application/json", `[{"jobId": 5000000, "status": "RUNNING", "stageIds": []}]`)(w, r, nil)
				return
			}
			says(404, "text/plain", "unknown job")(w, r, nil)
		}},
	{name: "the answer to another question", path: "/jobs", later: true, says: "the answer is job 3",
		serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.FormValue("status") != "" {
				next.ServeHTTP(w, r)
				return
			}
			says(200, "application/json", `{"jobId": 3, "status": "RUNNING"}`)(w, r, nil)
		}},
	{name: "stages that Spark has forgotten", does: "keeps what was seen of them in the totals", path: "/stages", later: true,
		serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			if strings.HasSuffix(r.URL.Path, "/stages") {
				says(200, "application/json", "[]")(w, r, nil)
				return
			}
			says(404, "text/plain", "unknown stage")(w, r, nil)
		},
		check: func(t *testing.T, got points) {
			assert.NotEmpty(t, values(got, faultyApp, "spark.application.io.size"))
		}},
	{name: "an application name of a megabyte", does: "cuts it to a kilobyte", path: "/applications$", serve: edits(`"name" ?: ?"[^"]*"`, `"name": "`+strings.Repeat("ä", million/2)+`"`)},
	{name: "stage names of a megabyte", does: "cuts them to a kilobyte", path: "/stages", serve: edits(`"name" ?: ?"[^"]*"`, `"name": "`+strings.Repeat("ä", million/2)+`"`)},
	{name: "text that is not UTF-8", does: "replaces what is not", path: "/stages", serve: edits(`"name" ?: ?"[^"]*"`, "\"name\": \"\xff\xfe\"")},
	{name: "an application without attempts", does: "does not watch it", path: "/applications$", serve: says(200, "application/json", `[{"id": "`+faultyApp+`", "attempts": []}]`)},
	{name: "an application whose id leads elsewhere", does: "asks for nothing outside the API", path: "/applications$",
		says:  "no element of a path",
		serve: says(200, "application/json", `[{"id": "..", "name": "x", "attempts": [{"startTime": "2026-11-24T10:00:00.000GMT"}]}]`)},
	{name: "the same application twice in a list", does: "watches it once", path: "/applications$", serve: edits(`^\s*\[((?s).*)\]\s*$`, `[$1, $1]`)},
	{name: "no date", does: "leaves durations out", path: "/applications$",
		serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			answer := httptest.NewRecorder()
			r.Header.Del("Accept-Encoding")
			next.ServeHTTP(answer, r)
			w.Header()["Date"] = nil
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer.Body.Bytes())
		}},
	{name: "an executor list without the driver", does: "emits what there is", path: "executors", serve: says(200, "application/json", `[{"id": "1", "isActive": true}]`)},
}

// bomb answers with a gigabyte of blanks, compressed.
func bomb(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	zw, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	blanks := bytes.Repeat([]byte(" "), million)
	for range 1024 {
		if _, err := zw.Write(blanks); err != nil {
			return
		}
	}
	_ = zw.Close()
}

// values returns the values of a metric of an application.
func values(got points, application, metric string) []float64 {
	var out []float64
	for name, dp := range got {
		if strings.HasPrefix(name, application+" "+metric) {
			out = append(out, dp.DoubleValue()+float64(dp.IntValue()))
		}
	}
	return out
}

// recordedDriver answers as a driver did in the middle of a stage, under another application id.
func recordedDriver(t *testing.T, rec *recording.Recording, id string) http.Handler {
	player := recording.NewPlayer(rec, recording.PlayerOptions{From: rec.Start().Add(middle)})
	proxy := player.Handler(recording.ResourceManager)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/proxy/" + recordedApp + strings.ReplaceAll(r.URL.Path, id, recordedApp)
		r.URL.RawPath = ""
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, r)
		if answer.Code == http.StatusNotFound && strings.Contains(r.URL.Path, "/jobs/") {
			http.Error(w, "unknown job: "+path.Base(r.URL.Path), http.StatusNotFound)
			return
		}
		for name, values := range answer.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, strings.ReplaceAll(answer.Body.String(), recordedApp, id))
	})
}

// Whatever one driver answers: the other application goes on, there is one line in the log, a poll ends in time and
// in bounded memory, and once the fault is over the application is read.
func TestFaults(t *testing.T) {
	rec := loaded(t, "hadoop-3.5.0")
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			var on atomic.Bool
			sound := httptest.NewServer(recordedDriver(t, rec, soundApp))
			defer sound.Close()
			driver := recordedDriver(t, rec, faultyApp)
			faulty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if on.Load() && regexp.MustCompile(f.path).MatchString(r.URL.String()) {
					f.serve(w, r, driver)
					return
				}
				driver.ServeHTTP(w, r)
			}))
			defer faulty.Close()

			cfg := createDefaultConfig().(*Config)
			cfg.Stages.MinDuration = 0
			cfg.Driver.GetOrInsertDefault().Endpoints = []string{sound.URL, faulty.URL}
			cfg.Driver.Get().ClientConfig.Timeout = cmp.Or(f.timeout, time.Minute)
			p := newPolled(t, cfg)
			if f.later {
				assert.NotEmpty(t, values(p.polls(t), faultyApp, "spark.application.job.result"))
			}

			on.Store(true)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			const polls = 3
			for range polls {
				got := p.polls(t)
				p.pass(patience)
				assert.NotEmpty(t, values(got, soundApp, "spark.application.job.result"), "the other application goes on")
				for _, md := range p.sink.AllMetrics() {
					assert.Less(t, longestAttribute(md), 2000, "attributes are cut")
				}
				if f.check != nil {
					f.check(t, got)
				}
			}
			assert.Less(t, time.Since(begin), polls*10*time.Second, "time of these polls")
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(polls*400<<20), "memory of these polls")

			warnings := p.logs.FilterLevelExact(zap.WarnLevel).All()
			if f.says == "" {
				assert.Empty(t, warnings)
			} else if assert.Len(t, warnings, 1, "one line in the log") {
				text := fmt.Sprint(warnings[0].ContextMap()["error"])
				assert.Contains(t, text, f.says)
				assert.Less(t, len(text), 800)
			}

			on.Store(false)
			p.polls(t)
			assert.NotEmpty(t, values(p.polls(t), faultyApp, "spark.executor.task.active"), "once it is over, the application is read")
			assert.LessOrEqual(t, p.logs.FilterMessage("can be read again").Len(), len(warnings))
		})
	}
}

func longestAttribute(md pmetric.Metrics) (longest int) {
	measure := func(attributes pcommon.Map) {
		for _, v := range attributes.All() {
			longest = max(longest, len(v.AsString()))
		}
	}
	for _, rm := range md.ResourceMetrics().All() {
		measure(rm.Resource().Attributes())
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range numbers(m).All() {
				measure(dp.Attributes())
			}
		}
	}
	return longest
}

// elsewhere are faults whose tests are those of the server or of the room that they belong to.
var elsewhere = []struct{ name, does, test string }{
	{"a standby resource manager: 307 with a location, without one, to itself, or a text with status 200", "asks the next one, follows nothing", "TestStandbyAnswers"},
	{"a failover of the resource manager: totals that run backwards, another cluster id, fewer containers", "goes on with the same series, which never fall", "TestFailover"},
	{"memory-seconds and preemptions that run backwards", "keeps the highest", "TestAllocationNeverRunsBackwards"},
	{"keys that come twice in YARN's resources", "reads what follows them", "TestApplications"},
	{"applications that YARN has forgotten", "asks for them once more, and then takes them for lost", "TestForgottenApplications"},
	{"an application that YARN has forgotten and the History Server knows", "takes its end from there", "TestForgottenApplicationThatHistoryHas"},
	{"figures that YARN blanks for a user without rights", "leaves them out", "TestBlankedApplication"},
	{"the proxy's warning page in place of a driver", "does not press its button, says what to configure", "TestWarningPage"},
	{"redirects to pages of the resource manager and of history, between attempts and after the end", "follows none", "TestPagesInPlaceOfADriver"},
	{"a new attempt that the live UI does not tell from the one before", "counts them apart, by the container's id", "TestAttempts"},
	{"figures of the default partition alone", "takes those of all partitions", "TestClusterCountsEveryPartition"},
	{"redirects and tracking URLs to other hosts", "sends them nothing, no credentials above all", "TestCredentialsGoToConfiguredHostsAlone"},
	{"secrets in properties, addresses and headers", "emits and logs none", "TestSecretsAreNotEmitted"},
	{"jobs and stages that Spark has forgotten", "keeps totals that never fall", "TestTotalsDoNotShrinkWhenSparkForgets"},
	{"a request that fails in the middle of a poll", "reads the same in the next", "TestNothingIsLostToAFailedRequest"},
	{"a 404 of a proxy in place of Spark's", "does not take it for a forgotten job", "TestAnotherServersNotFound"},
	{"a stage that is retried, with attempts between two polls", "counts each attempt once", "TestRetriedStageCountsEachAttemptOnce"},
	{"a stage that never began", "asks for it once", "TestStageThatNeverBegan"},
	{"an application that the History Server shows as running for ever", "reads what there is", "TestEnded"},
	{"executors' totals that history does not know", "keeps those that were seen", "TestExecutorsTotalsNeverFall"},
	{"sums of a stage that history tells less of than the driver did", "keeps those that were seen", "TestStagesSumsNeverFall"},
	{"a driver whose metrics can't be read", "tells all else, and asks again at the next poll", "TestMetricsThatCanNotBeRead"},
	{"reasons for lost executors in Spark's many words", "tells eight classes", "TestClassifyLoss"},
	{"a streaming query that is stopped fails its job", "is no failure", "TestCancelledIsNoError"},
	{"jobs and stages that never end", "end with their application", "TestWhatNeverEndedEndsWithItsApplication"},
	{"attempts in any order", "counts each", "TestAttemptsInAnyOrder"},
	{"a thousand endings that nobody takes", "keeps a bounded number, counts the others", "TestEndingsAreBounded"},
	{"a life of 20,000 jobs", "keeps a bounded state", "TestStateIsBounded"},
	{"a pipeline that refuses metrics", "sends the last figures of what ended again", "TestRefusedDataIsSentAgain"},
	{"a pipeline that refuses one batch of many", "sends that one again", "TestBatchesAreDeliveredOneByOne"},
	{"a pipeline that refuses spans", "sends them again", "TestRefusedSpansAreSentAgain"},
	{"JMX beans with wrong types", "leaves the figures out", "TestFaultyBeans"},
	{"a standby NameNode, none, or one that does not answer", "reads the others", "TestHDFSHighAvailability"},
	{"MapReduce servers that answer wrongly", "goes on with the others", "TestMapReduceFaults"},
}

const faultsPage = "../../docs/faults.md"

// The page of faults is this table.
func TestFaultsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(`# Faults, and what the receiver does

Whatever one server answers, the receiver reads the others, says so in one line of the log, and needs bounded time and
memory. Each of these is a test; go test ./receiver/sparkmodelreceiver -run TestFaultsPage -update writes this page.

| what the server does | what the receiver does | test |
|---|---|---|
`)
	for _, f := range faults {
		does := f.does
		if does == "" {
			does = "reads it again at the next poll"
		}
		if f.says != "" {
			does += fmt.Sprintf("; logs once: `…%s…`", f.says)
		}
		fmt.Fprintf(&page, "| %s | %s | TestFaults |\n", f.name, does)
	}
	tests := testNames(t)
	for _, e := range elsewhere {
		assert.Contains(t, tests, e.test)
		fmt.Fprintf(&page, "| %s | %s | %s |\n", e.name, e.does, e.test)
	}
	if *update {
		require.NoError(t, os.WriteFile(faultsPage, []byte(page.String()), 0o600))
	}
	want, err := os.ReadFile(faultsPage)
	require.NoError(t, err)
	assert.Equal(t, string(want), page.String())
}

// testNames returns the names of the receiver's tests.
func testNames(t *testing.T) map[string]bool {
	names := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t `).FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return err
	}))
	return names
}
