package recording

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// afterEnd is for how many passes an application that has ended is still asked for on the resource manager.
	afterEnd = 5
	// historyPatience is how long the history server may take to see that an application has ended.
	historyPatience = time.Minute
)

// endpoints are asked in every n-th pass over the cluster.
var endpoints = map[string][]struct {
	every int
	path  string
}{
	ResourceManager: {
		{1, "/ws/v1/cluster/info"},
		{1, "/ws/v1/cluster/metrics"},
		{1, "/ws/v1/cluster/scheduler"},
		{1, "/ws/v1/cluster/nodes"},
		{1, "/jmx?qry=Hadoop:service=ResourceManager,name=ClusterMetrics"},
		{10, "/jmx"},
	},
	History: {
		{1, "/api/v1/version"},
		{1, "/api/v1/applications"},
	},
	NameNode:   {{5, "/jmx"}},
	DataNode:   {{5, "/jmx"}},
	JobHistory: {{1, "/ws/v1/history/mapreduce/jobs"}},
}

// A crawler goes over a cluster pass by pass and asks for everything that a receiver may ask for then: what one answer
// names is asked for after it, so that the answers of a pass are complete in themselves.
type crawler struct {
	*recorder
	started time.Time
	passNo  int
	apps    map[string]*application
	jobs    map[string]bool // MapReduce jobs that the job history has told all about
}

// An application is one that the resource manager or, without one, the history server has listed.
type application struct {
	id        string
	mapReduce bool
	ended     time.Time
	farewells int // passes over the resource manager since the end
	probe     int // the last status of its own REST API through the proxy
	live      map[string]*sparkTree
	past      map[string]*sparkTree
	told      bool // the history server has told all
}

func newCrawler(r *recorder) *crawler {
	return &crawler{recorder: r, started: time.Now(), apps: map[string]*application{}, jobs: map[string]bool{}}
}

func (c *crawler) has(origin string) bool { return c.bases[origin] != "" }

// together runs what is independent of each other.
func together[T any](items []T, do func(T)) {
	var g errgroup.Group
	for _, item := range items {
		g.Go(func() error {
			do(item)
			return nil
		})
	}
	_ = g.Wait()
}

func (c *crawler) pass(ctx context.Context) {
	if c.has(ResourceManager) {
		c.discover(ctx)
	}
	together(slices.Collect(maps.Keys(c.bases)), func(origin string) { c.fixed(ctx, origin) })
	if c.has(History) && !c.has(ResourceManager) {
		c.discoverInHistory()
	}
	together(slices.Collect(maps.Values(c.apps)), func(app *application) {
		if c.has(ResourceManager) && (app.ended.IsZero() || app.farewells < afterEnd) {
			c.running(ctx, app)
		}
		if c.has(History) && !app.mapReduce && !app.told {
			c.ended(ctx, app)
		}
	})
	if c.has(JobHistory) {
		c.mapReduceHistory(ctx)
	}
	c.passNo++
}

func (c *crawler) fixed(ctx context.Context, origin string) {
	var paths []string
	for _, e := range endpoints[origin] {
		if c.passNo%e.every == 0 {
			paths = append(paths, e.path)
		}
	}
	c.all(ctx, origin, paths...)
}

// discover learns from the resource manager's lists which applications there are and which of them have ended.
func (c *crawler) discover(ctx context.Context) {
	for _, kind := range []string{"SPARK", "MAPREDUCE"} {
		list := "/ws/v1/cluster/apps?applicationTypes=" + kind + "&deSelects=resourceRequests"
		answers := c.all(ctx, ResourceManager,
			list+"&states=NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING",
			fmt.Sprintf("%s&finishedTimeBegin=%d&states=FINISHED,FAILED,KILLED", list, c.started.UnixMilli()))
		for _, id := range yarnApps(answers[0]) {
			c.app(id).mapReduce = kind == "MAPREDUCE"
		}
		for _, id := range yarnApps(answers[1]) {
			app := c.app(id)
			app.mapReduce = kind == "MAPREDUCE"
			if app.ended.IsZero() {
				app.ended = time.Now()
			}
		}
	}
}

func (c *crawler) discoverInHistory() {
	var list []struct {
		ID string `json:"id"`
	}
	parse(c.latest(History, "/api/v1/applications"), &list)
	for _, item := range list {
		c.app(item.ID)
	}
}

func (c *crawler) app(id string) *application {
	app := c.apps[id]
	if app == nil {
		app = &application{id: id, live: map[string]*sparkTree{}, past: map[string]*sparkTree{}}
		c.apps[id] = app
	}
	return app
}

// running asks for an application on the resource manager and, through its proxy, in the application itself.
func (c *crawler) running(ctx context.Context, app *application) {
	if !app.ended.IsZero() {
		app.farewells++
	}
	proxy := "/proxy/" + app.id
	probes := []string{proxy + "/ws/v1/mapreduce/jobs"}
	if !app.mapReduce {
		probes = []string{proxy + "/api/v1/applications/" + app.id, proxy + "/api/v1/applications", proxy + "/metrics/json/"}
	}
	c.all(ctx, ResourceManager, "/ws/v1/cluster/apps/"+app.id, "/ws/v1/cluster/apps/"+app.id+"/appattempts")
	probe := c.all(ctx, ResourceManager, probes...)[0]
	switch {
	case probe.Status == http.StatusOK && app.mapReduce:
		c.mapReduceJobs(ctx, probe, probes[0], ResourceManager)
	case probe.Status == http.StatusOK:
		attempts := sparkAttempts(probe)
		if len(attempts) == 0 {
			attempts = []sparkAttempt{{}} // it is starting up
		}
		for _, attempt := range attempts {
			c.tree(app.live, attempt.path(), ResourceManager, probes[0]+attempt.path()).crawl(ctx)
		}
	case probe.Status != app.probe:
		clear(app.live)
		c.unreachable(ctx, app, proxy+"/", probes)
	}
	app.probe = probe.Status
}

// unreachable asks once for everything below an application's proxy but the probes: all of it answers differently now.
func (c *crawler) unreachable(ctx context.Context, app *application, proxy string, probes []string) {
	known := slices.DeleteFunc(c.under(ResourceManager, proxy), func(path string) bool { return slices.Contains(probes, path) })
	if len(known) == 0 && !app.mapReduce {
		newSparkTree(c.recorder, ResourceManager, probes[0]).crawl(ctx)
	}
	c.all(ctx, ResourceManager, known...)
}

// ended asks the history server for an application until it knows the end.
func (c *crawler) ended(ctx context.Context, app *application) {
	if c.has(ResourceManager) && (app.ended.IsZero() || time.Since(app.ended) > historyPatience) {
		return
	}
	base := "/api/v1/applications/" + app.id
	attempts := sparkAttempts(c.get(ctx, History, base))
	for _, attempt := range attempts {
		name := fmt.Sprint(attempt.path(), attempt.Completed)
		c.tree(app.past, name, History, base+attempt.path()).crawl(ctx)
	}
	app.told = len(attempts) > 0 && !slices.ContainsFunc(attempts, func(a sparkAttempt) bool { return !a.Completed })
}

func (c *crawler) tree(trees map[string]*sparkTree, name, origin, base string) *sparkTree {
	if trees[name] == nil {
		trees[name] = newSparkTree(c.recorder, origin, base)
	}
	return trees[name]
}

// mapReduceHistory asks for the MapReduce jobs that ended while the recording ran or, without a resource manager, all.
func (c *crawler) mapReduceHistory(ctx context.Context) {
	const list = "/ws/v1/history/mapreduce/jobs"
	c.mapReduceJobs(ctx, c.latest(JobHistory, list), list, JobHistory)
}

func (c *crawler) mapReduceJobs(ctx context.Context, list Answer, path, origin string) {
	var jobs struct {
		Jobs struct {
			Job []struct {
				ID string `json:"id"`
			} `json:"job"`
		} `json:"jobs"`
	}
	parse(list, &jobs)
	for _, job := range jobs.Jobs.Job {
		known := c.apps[strings.Replace(job.ID, "job_", "application_", 1)] != nil || !c.has(ResourceManager)
		if origin == JobHistory && (!known || c.jobs[job.ID]) {
			continue
		}
		base := path + "/" + job.ID
		answers := c.all(ctx, origin, base, base+"/counters", base+"/tasks")
		if origin == JobHistory && answers[0].Status == http.StatusOK && answers[1].Status == http.StatusOK {
			c.jobs[job.ID] = true
		}
	}
}

func yarnApps(a Answer) []string {
	var list struct {
		Apps struct {
			App []struct {
				ID string `json:"id"`
			} `json:"app"`
		} `json:"apps"`
	}
	parse(a, &list)
	var ids []string
	for _, app := range list.Apps.App {
		ids = append(ids, app.ID)
	}
	return ids
}

// parse fills in v from a good answer; whatever else a server says names nothing to ask for.
func parse(a Answer, v any) {
	if a.Status == http.StatusOK {
		_ = json.Unmarshal([]byte(a.Body), v)
	}
}
