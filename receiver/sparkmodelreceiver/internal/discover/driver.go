package discover

import (
	"context"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Driver finds the applications of one driver: as a rule one.
func Driver(ctx context.Context, server *rest.Client) ([]Application, error) {
	api := spark.NewAPI(server)
	list, now, err := api.Applications(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Application, 0, len(list))
	for i := range list {
		info := &list[i]
		if len(info.Attempts) == 0 {
			continue
		}
		attempt := &info.Attempts[0]
		ui := api.Attempt(info.ID, "")
		out = append(out, Application{
			Key:  track.Key{ID: info.ID},
			Name: info.Name, User: attempt.User, SparkVersion: attempt.SparkVersion,
			State: track.Running, Submitted: attempt.StartTime.Time, Now: now,
			UI: &ui,
		})
	}
	return out, nil
}
