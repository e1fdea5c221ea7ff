// Package master reads the Master of a standalone Spark cluster: its workers and its applications.
// It finds the one that is alive among several Masters and holds no state.
package master

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// State is what a Master tells of its cluster. Memory is in MB.
type State struct {
	Status     string   `json:"status"`
	Workers    []Worker `json:"workers"`
	Cores      int64    `json:"cores"`
	CoresUsed  int64    `json:"coresused"`
	Memory     int64    `json:"memory"`
	MemoryUsed int64    `json:"memoryused"`
	Active     []App    `json:"activeapps"`
	// Completed are the applications that have ended, as far as the Master remembers: 200 by default
	// (spark.deploy.retainedApplications).
	Completed []App `json:"completedapps"`
	Drivers   []struct {
		ID string `json:"id"`
	} `json:"activedrivers"`
	// Now is the time on the Master's clock.
	Now time.Time `json:"-"`
}

// Worker is a worker, whether it is alive or not. Memory is in MB.
type Worker struct {
	Host       string `json:"host"`
	Port       int    `json:"port"`
	State      string `json:"state"`
	Cores      int64  `json:"cores"`
	CoresUsed  int64  `json:"coresused"`
	Memory     int64  `json:"memory"`
	MemoryUsed int64  `json:"memoryused"`
	// LastHeartbeat is in ms since 1970.
	LastHeartbeat int64 `json:"lastheartbeat"`
}

// App is an application. Times are in ms.
type App struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	User      string `json:"user"`
	State     string `json:"state"`
	StartTime int64  `json:"starttime"`
	Duration  int64  `json:"duration"`
}

// Alive asks the Masters of a cluster until one says that it is alive: others stand by, or recover.
func Alive(ctx context.Context, masters []*rest.Client) (*rest.Client, State, error) {
	var errs []error
	for _, m := range masters {
		var state State
		// The slash at the end is part of the address.
		date, err := m.Get(ctx, rest.Request{Endpoint: "/json", Path: []string{"json"}, Slash: true}, &state)
		switch {
		case err != nil:
			errs = append(errs, err)
		case date.IsZero():
			errs = append(errs, fmt.Errorf("%s: the answer of %s has no Date header", m.Source(), m.Endpoint()))
		case state.Status != "ALIVE":
			errs = append(errs, fmt.Errorf("%s: master %s is %q, not ALIVE", m.Source(), m.Endpoint(), state.Status))
		default:
			state.Now = date
			return m, state, nil
		}
	}
	return nil, State{}, errors.Join(errs...)
}
