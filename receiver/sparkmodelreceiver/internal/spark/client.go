// Package spark reads one Spark application from a Spark REST API: the driver's own, the one behind YARN's proxy, or
// the History Server's. It has a method for each endpoint that the receiver uses and holds no state.
package spark

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// API is a Spark REST API.
type API struct {
	server *rest.Client
	prefix []string
	cookie *http.Cookie
}

// apiPath is where a UI has its API.
var apiPath = []string{"api", "v1"}

// NewAPI returns the API of a server that serves it at its root: a driver, or the History Server.
func NewAPI(server *rest.Client) API { return API{server: server, prefix: apiPath} }

// NewProxiedAPI returns the API of a running application's driver behind a proxy: that of YARN's resource manager, or
// of a standalone Master. On a secured cluster YARN's answers with a page that warns of other users' applications, unless
// the cookie is there that it gives to those who have read the page (WebAppProxyServlet).
func NewProxiedAPI(proxy *rest.Client, applicationID string) API {
	return API{
		server: proxy, prefix: append([]string{"proxy", applicationID}, apiPath...),
		cookie: &http.Cookie{Name: "checked_" + applicationID, Value: "true"},
	}
}

// Applications lists the applications that the server knows, with the time on its clock.
func (a API) Applications(ctx context.Context) ([]ApplicationInfo, time.Time, error) {
	return a.list(ctx, nil)
}

// Ended lists the applications of a History Server of which an attempt ended at or after a time and the last one has
// ended, those that ended last first, at most limit, with the time on the server's clock.
func (a API) Ended(ctx context.Context, since time.Time, limit int) ([]ApplicationInfo, time.Time, error) {
	return a.list(ctx, url.Values{
		"status": {"completed"}, "minEndDate": {since.UTC().Format(timeFormat)}, "limit": {strconv.Itoa(limit)},
	})
}

// Unfinished lists the applications of a History Server whose last attempt has not ended, as far as its event log tells,
// at most limit.
func (a API) Unfinished(ctx context.Context, limit int) ([]ApplicationInfo, time.Time, error) {
	return a.list(ctx, url.Values{"status": {"running"}, "limit": {strconv.Itoa(limit)}})
}

func (a API) list(ctx context.Context, query url.Values) ([]ApplicationInfo, time.Time, error) {
	var apps []ApplicationInfo
	date, err := a.server.Get(ctx, rest.Request{Endpoint: "/applications", Path: a.path("applications"), Query: query}, &apps)
	return apps, date, err
}

// Application reads one application.
func (a API) Application(ctx context.Context, id string) (ApplicationInfo, error) {
	var app ApplicationInfo
	_, err := a.server.Get(ctx, rest.Request{Endpoint: "/applications/{app}", Path: a.path("applications", id)}, &app)
	return app, err
}

// Attempt returns the application's part of the API; attempt is empty where the server's addresses have none.
func (a API) Attempt(id, attempt string) App {
	path := a.path("applications", id)
	if attempt != "" {
		path = append(path, attempt)
	}
	return App{server: a.server, root: a.prefix[:len(a.prefix)-len(apiPath)], path: path, cookie: a.cookie}
}

func (a API) path(elements ...string) []string {
	return append(append(make([]string, 0, len(a.prefix)+len(elements)+4), a.prefix...), elements...)
}

// App reads one attempt of an application.
type App struct {
	server *rest.Client
	// root is where the UI is, and path the application's part of the API.
	root, path []string
	cookie     *http.Cookie
}

// IsUnknown tells whether Spark answered that it has no such job, stage or SQL execution: there never was one, or it was forgotten.
// Another 404, such as that of a proxy whose driver has just gone, says nothing of the kind.
func IsUnknown(err error) bool {
	var status *rest.StatusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound && strings.HasPrefix(status.Message, "unknown ")
}

// Info reads what the driver tells of the application itself.
func (a App) Info(ctx context.Context) (ApplicationInfo, error) {
	var info ApplicationInfo
	_, err := a.server.Get(ctx, rest.Request{Endpoint: "/applications/{app}", Path: a.path, Cookie: a.cookie}, &info)
	return info, err
}

// Jobs lists the jobs that Spark still has, newest first; status may be empty.
func (a App) Jobs(ctx context.Context, status string) ([]Job, error) {
	var jobs []Job
	var query url.Values
	if status != "" {
		query = url.Values{"status": {status}}
	}
	_, err := a.get(ctx, "jobs", query, &jobs, "jobs")
	return jobs, err
}

// Job reads one job.
func (a App) Job(ctx context.Context, id int) (Job, error) {
	var job Job
	_, err := a.get(ctx, "jobs/{job}", nil, &job, "jobs", strconv.Itoa(id))
	return job, err
}

// Stages lists the stage attempts that Spark still has, without their tasks; status may be empty. It returns the time
// on the server's clock.
func (a App) Stages(ctx context.Context, status string) ([]Stage, time.Time, error) {
	var stages []Stage
	query := url.Values{"details": {"false"}}
	if status != "" {
		query.Set("status", status)
	}
	date, err := a.get(ctx, "stages", query, &stages, "stages")
	return stages, date, err
}

// StageAttempts reads all attempts of one stage, without their tasks.
func (a App) StageAttempts(ctx context.Context, id int) ([]Stage, error) {
	var stages []Stage
	_, err := a.get(ctx, "stages/{stage}", url.Values{"details": {"false"}}, &stages, "stages", strconv.Itoa(id))
	return stages, err
}

// quantiles are multiples of 0.05, the only ones that Spark keeps once it has computed them
// (AppStatusStore.taskSummary).
const quantiles = "0.0,0.25,0.5,0.75,0.95,1.0"

// StageAttempt reads one attempt of a stage with the quantiles of its tasks.
func (a App) StageAttempt(ctx context.Context, id, attempt int) (Stage, error) {
	var stage Stage
	query := url.Values{"details": {"false"}, "withSummaries": {"true"}, "quantiles": {quantiles}}
	_, err := a.get(ctx, "stages/{stage}/{attempt}", query, &stage, "stages", strconv.Itoa(id), strconv.Itoa(attempt))
	return stage, err
}

// runningTasks is how many running tasks are asked for: the one that has run longest is among them, whichever of
// the heartbeats that the order comes from is late.
const runningTasks = 5

// RunningTasks reads a few of a stage attempt's running tasks, and the time on the server's clock.
func (a App) RunningTasks(ctx context.Context, id, attempt int) ([]Task, time.Time, error) {
	var tasks []Task
	query := url.Values{"length": {strconv.Itoa(runningTasks)}, "sortBy": {"-runtime"}, "status": {"running"}}
	date, err := a.get(ctx, "stages/{stage}/{attempt}/taskList", query, &tasks, "stages", strconv.Itoa(id), strconv.Itoa(attempt), "taskList")
	return tasks, date, err
}

// failedTasks is how many failed tasks of a stage attempt are asked for: as a rule they failed for the same reason.
const failedTasks = 5

// FailedTasks reads the first of a stage attempt's failed tasks.
func (a App) FailedTasks(ctx context.Context, id, attempt int) ([]Task, error) {
	var tasks []Task
	query := url.Values{"length": {strconv.Itoa(failedTasks)}, "status": {"failed"}}
	_, err := a.get(ctx, "stages/{stage}/{attempt}/taskList", query, &tasks, "stages", strconv.Itoa(id), strconv.Itoa(attempt), "taskList")
	return tasks, err
}

// SlowestTasks is how many of a stage attempt's slowest tasks are asked for.
const SlowestTasks = 5

// SlowestTasks reads the tasks of a stage attempt that ran longest, the longest first.
func (a App) SlowestTasks(ctx context.Context, id, attempt int) ([]Task, error) {
	var tasks []Task
	query := url.Values{"length": {strconv.Itoa(SlowestTasks)}, "sortBy": {"-runtime"}}
	_, err := a.get(ctx, "stages/{stage}/{attempt}/taskList", query, &tasks, "stages", strconv.Itoa(id), strconv.Itoa(attempt), "taskList")
	return tasks, err
}

// ExecutionsPage is how many SQL executions are listed at most by one request.
const ExecutionsPage = 1000

// Executions lists the SQL executions that Spark still has, without their plans, oldest first, from an offset on.
func (a App) Executions(ctx context.Context, offset int) ([]Execution, error) {
	var executions []Execution
	query := url.Values{
		"details": {"false"}, "planDescription": {"false"},
		"offset": {strconv.Itoa(offset)}, "length": {strconv.Itoa(ExecutionsPage)},
	}
	_, err := a.get(ctx, "sql", query, &executions, "sql")
	return executions, err
}

// Execution reads one SQL execution with the nodes of its plan.
func (a App) Execution(ctx context.Context, id int) (Execution, error) {
	var execution Execution
	query := url.Values{"details": {"true"}, "planDescription": {"false"}}
	_, err := a.get(ctx, "sql/{execution}", query, &execution, "sql", strconv.Itoa(id))
	return execution, err
}

// Executors lists the executors that are alive, the driver among them.
func (a App) Executors(ctx context.Context) ([]Executor, error) {
	var executors []Executor
	_, err := a.get(ctx, "executors", nil, &executors, "executors")
	return executors, err
}

// AllExecutors lists the executors, those included that were removed and that Spark still has.
func (a App) AllExecutors(ctx context.Context) ([]Executor, error) {
	var executors []Executor
	_, err := a.get(ctx, "allexecutors", nil, &executors, "allexecutors")
	return executors, err
}

// Properties reads the Spark properties of the application.
func (a App) Properties(ctx context.Context) (map[string]string, error) {
	var answer struct {
		SparkProperties [][]string `json:"sparkProperties"`
	}
	_, err := a.get(ctx, "environment", nil, &answer, "environment")
	properties := make(map[string]string, len(answer.SparkProperties))
	for _, pair := range answer.SparkProperties {
		if len(pair) == 2 {
			properties[pair[0]] = pair[1]
		}
	}
	return properties, err
}

func (a App) get(ctx context.Context, endpoint string, query url.Values, v any, elements ...string) (time.Time, error) {
	path := append(append(make([]string, 0, len(a.path)+len(elements)), a.path...), elements...)
	return a.server.Get(ctx, rest.Request{Endpoint: "/applications/{app}/" + endpoint, Path: path, Query: query, Cookie: a.cookie}, v)
}
