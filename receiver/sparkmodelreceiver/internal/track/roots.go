package track

import (
	"slices"
	"strings"
)

// rootProperty tells, at submission, what each trace of an application is of: "application" or "job".
const rootProperty = "spark.sparkmodel.trace.root"

// sessions are the names under which Spark's own shells and servers run (3.5 and 4.x): what they run belongs together
// only by chance, and may go on for months.
var sessions = []string{"PySparkShell", "Spark shell", "SparkR", "Thrift JDBC/ODBC Server", "Spark Connect server"}

// rootsPerJob tells whether each job of an application is to have a trace of its own. Only what never changes while an
// application lives decides, so that whoever reads it comes to the same traces.
func rootsPerJob(properties map[string]string) bool {
	switch properties[rootProperty] {
	case "job":
		return true
	case "application":
		return false
	}
	name := properties["spark.app.name"]
	_, shell := properties["spark.repl.class.outputDir"]
	return shell || slices.Contains(sessions, name) || strings.HasPrefix(name, "SparkSQL::")
}

// Configure takes over what an application's Spark properties tell.
func (a *Application) Configure(namer ModelNamer, tags string, properties map[string]string) {
	a.Settings = ParseSettings(properties)
	a.UIAddress = properties[uiAddressProperty]
	a.Model = namer.Model(a.Name, tags, properties)
	a.Parent = FindParent(tags, properties)
	a.RootsPerJob = rootsPerJob(properties)
}
