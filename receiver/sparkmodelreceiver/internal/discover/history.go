package discover

import (
	"context"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Record is what the History Server has of an attempt of an application.
type Record struct {
	spark.ApplicationAttempt
	// UI is where the attempt is read.
	UI spark.App
}

// History finds an attempt at the History Server; nil if it has none yet.
func History(ctx context.Context, server *rest.Client, key track.Key) (*Record, error) {
	api := spark.NewAPI(server)
	info, err := api.Application(ctx, key.ID)
	if rest.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range info.Attempts {
		// In client mode the only attempt has no id there, although YARN counts it.
		if a := &info.Attempts[i]; a.AttemptID == key.Attempt || a.AttemptID == "" {
			return &Record{ApplicationAttempt: *a, UI: api.Attempt(key.ID, a.AttemptID)}, nil
		}
	}
	return nil, nil
}
