// Package discover finds the applications that run, or have just ended, and tells where each one is read.
// It knows nothing of what was read of them before.
package discover

import (
	"context"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Application is an application that a source told of.
type Application struct {
	Key   track.Key
	Name  string
	User  string
	Queue string
	// Tags are YARN's application tags, separated by commas.
	Tags string
	// Diagnostics is YARN's reason for the application's end.
	Diagnostics  string
	SparkVersion string
	State        track.State
	// Submitted and Ended are zero where the source does not tell.
	Submitted time.Time
	Ended     time.Time
	// Now is the time on the source's clock.
	Now        time.Time
	Allocation *track.Allocation
	// UI is where the application's jobs and stages can be read now; nil if nowhere.
	UI *spark.App
	// DriverAddress asks where the driver's UI is; empty if it is not told. It is nil where the source can't be asked.
	DriverAddress func(context.Context) (string, error)
}
