package recording

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A sparkTree is the REST API of one application attempt on one server, and what of it has been told for good.
type sparkTree struct {
	*recorder
	origin      string
	base        string
	environment bool
	jobs        map[int]bool
	executions  map[int]bool
	stages      map[int]bool
	attempts    map[stageAttempt]bool
}

type (
	sparkAttempt struct {
		AttemptID string `json:"attemptId"`
		Completed bool   `json:"completed"`
	}
	sparkExecution struct {
		ID     int    `json:"id"`
		Status string `json:"status"`
	}
	sparkJob struct {
		JobID    int    `json:"jobId"`
		Status   string `json:"status"`
		StageIDs []int  `json:"stageIds"`
	}
	sparkStage struct {
		StageID        int    `json:"stageId"`
		AttemptID      int    `json:"attemptId"`
		Status         string `json:"status"`
		NumFailedTasks int    `json:"numFailedTasks"`
	}
	stageAttempt struct{ stage, attempt int }

	// stageSeen is what the answers of one pass say about a stage attempt, which may go on while they are asked for.
	stageSeen struct {
		active, ended, failing bool
	}
)

// path returns what the attempt adds to the application's path: nothing in client mode.
func (a sparkAttempt) path() string {
	if a.AttemptID == "" {
		return ""
	}
	return "/" + a.AttemptID
}

func (s sparkStage) id() stageAttempt { return stageAttempt{s.StageID, s.AttemptID} }

func (s sparkStage) ended() bool {
	return s.Status == "COMPLETE" || s.Status == "FAILED" || s.Status == "SKIPPED"
}

func sparkAttempts(a Answer) []sparkAttempt {
	var app struct {
		Attempts []sparkAttempt `json:"attempts"`
	}
	parse(a, &app)
	return app.Attempts
}

func newSparkTree(r *recorder, origin, base string) *sparkTree {
	return &sparkTree{
		recorder:   r,
		origin:     origin,
		base:       base,
		jobs:       map[int]bool{},
		executions: map[int]bool{},
		stages:     map[int]bool{},
		attempts:   map[stageAttempt]bool{},
	}
}

// ask asks for several paths of the tree.
func (t *sparkTree) ask(ctx context.Context, paths ...string) []Answer {
	full := make([]string, len(paths))
	for i, path := range paths {
		full[i] = t.base + path
	}
	return t.all(ctx, t.origin, full...)
}

// crawl asks for SQL executions before the jobs that they name, and for jobs before their stages.
func (t *sparkTree) crawl(ctx context.Context) {
	t.ask(ctx, "/executors", "/allexecutors", "/storage/rdd", "/streaming/statistics")
	if !t.environment {
		// A driver that starts answers 200 with a page.
		answer := t.ask(ctx, "/environment")[0]
		t.environment = answer.Status == http.StatusOK && !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html")
	}
	t.crawlExecutions(ctx)
	t.crawlStages(ctx, t.crawlJobs(ctx))
}

func (t *sparkTree) crawlExecutions(ctx context.Context) {
	var list []sparkExecution
	parse(t.ask(ctx, "/sql?details=false&planDescription=false&offset=0&length=1000")[0], &list)
	for _, execution := range list {
		if t.executions[execution.ID] {
			continue
		}
		path := fmt.Sprintf("/sql/%d?planDescription=false&details=", execution.ID)
		answers := t.ask(ctx, path+"true", path+"false")
		t.executions[execution.ID] = execution.Status != "RUNNING" && answered(answers...)
	}
}

// crawlJobs returns the stages that the jobs name.
func (t *sparkTree) crawlJobs(ctx context.Context) []int {
	known := map[int]sparkJob{}
	for _, list := range t.ask(ctx, "/jobs", "/jobs?status=running") {
		var jobs []sparkJob
		parse(list, &jobs)
		for _, job := range jobs {
			known[job.JobID] = job
		}
	}
	path := func(id int) string { return fmt.Sprintf("/jobs/%d", id) }
	see := func(a Answer) bool {
		var job sparkJob
		parse(a, &job)
		if job.Status == "" {
			return false
		}
		known[job.JobID] = job
		t.jobs[job.JobID] = job.Status != "RUNNING"
		return true
	}
	t.askUntold(ctx, slices.Collect(maps.Keys(known)), t.jobs, path, see)

	var stages []int
	for _, job := range known {
		stages = append(stages, job.StageIDs...)
	}
	return stages
}

func (t *sparkTree) crawlStages(ctx context.Context, ids []int) {
	seen := map[stageAttempt]stageSeen{}
	note := func(stage sparkStage) {
		s := seen[stage.id()]
		s.active = s.active || stage.Status == "ACTIVE"
		s.failing = s.failing || stage.NumFailedTasks > 0
		seen[stage.id()] = s
	}
	for _, list := range t.ask(ctx, "/stages?details=false", "/stages?details=false&status=active") {
		var stages []sparkStage
		parse(list, &stages)
		for _, stage := range stages {
			ids = append(ids, stage.StageID)
			note(stage)
			if !t.attempts[stage.id()] {
				t.stages[stage.StageID] = false
			}
		}
	}
	path := func(id int) string { return fmt.Sprintf("/stages/%d?details=false", id) }
	see := func(a Answer) bool {
		var stages []sparkStage
		parse(a, &stages)
		for _, stage := range stages {
			note(stage)
			s := seen[stage.id()]
			s.ended = stage.ended()
			seen[stage.id()] = s
		}
		if len(stages) == 0 {
			return false
		}
		t.stages[stages[0].StageID] = !slices.ContainsFunc(stages, func(s sparkStage) bool { return !s.ended() })
		return true
	}
	t.askUntold(ctx, ids, t.stages, path, see)

	for id, s := range seen {
		if !t.attempts[id] {
			t.attempts[id] = t.crawlAttempt(ctx, id, s) && s.ended
		}
	}
}

func (t *sparkTree) crawlAttempt(ctx context.Context, id stageAttempt, s stageSeen) bool {
	base := fmt.Sprintf("/stages/%d/%d", id.stage, id.attempt)
	paths := []string{
		base + "?details=false&quantiles=0.0,0.25,0.5,0.75,0.95,1.0&withSummaries=true",
		base + "/taskList?length=5&sortBy=-runtime",
	}
	if s.active {
		paths = append(paths, base+"/taskList?length=5&sortBy=-runtime&status=running")
	}
	if s.failing {
		paths = append(paths, base+"/taskList?length=5&status=failed")
	}
	return answered(t.ask(ctx, paths...)...)
}

// askUntold asks for the ids that have not been told for good, and then for the next ids until there is none.
func (t *sparkTree) askUntold(ctx context.Context, ids []int, told map[int]bool, path func(int) string, see func(Answer) bool) {
	slices.Sort(ids)
	next := 0
	var paths []string
	for _, id := range slices.Compact(ids) {
		next = id + 1
		if !told[id] {
			paths = append(paths, path(id))
		}
	}
	for _, answer := range t.ask(ctx, paths...) {
		see(answer)
	}
	for see(t.ask(ctx, path(next))[0]) {
		next++
	}
}

// answered says whether the server gave an answer to all requests that asking again would not change.
func answered(answers ...Answer) bool {
	return !slices.ContainsFunc(answers, func(a Answer) bool { return a.Status == 0 || a.Status >= http.StatusInternalServerError })
}
