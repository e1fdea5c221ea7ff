// Package handover hands alerts over to Alertmanager servers.
//
// It keeps for each server what that one has still to be told, and not what happened: after an outage a server is told
// how things are now, once.
package handover

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
)

// Settings of a handover.
type Settings struct {
	// Endpoints are the addresses of the servers. All of them get all alerts.
	Endpoints []string
	Client    *http.Client
	// Silence is how long a server holds an alert of which it hears nothing.
	Silence time.Duration
	// Limit is how many alerts can fire.
	Limit  int
	Logger *zap.Logger
	// Accepted and Failed are called after each request, with the endpoint.
	Accepted func(ctx context.Context, endpoint string, alerts int)
	Failed   func(ctx context.Context, endpoint string)
}

// Handover hands alerts over. It is safe for concurrent use.
type Handover struct {
	servers []*server
}

// New returns a handover that has told nobody of anything.
func New(set Settings) *Handover {
	h := &Handover{}
	for _, endpoint := range set.Endpoints {
		h.servers = append(h.servers, newServer(set, endpoint))
	}
	return h
}

// Put notes what the servers have to be told. An alert that fires on as before is noted again after a fifth of the
// time of silence, so that two requests in a row may fail.
func (h *Handover) Put(now time.Time, alerts []*alert.Alert) {
	for _, s := range h.servers {
		s.put(now, alerts)
	}
}

// Deliver tells all servers what they have not been told yet. It fails if no server accepts it: a server that is down
// is told with a later call. The error is permanent if the alerts themselves were refused.
func (h *Handover) Deliver(ctx context.Context) error {
	errs := make([]error, len(h.servers))
	var deliveries sync.WaitGroup
	for i, s := range h.servers {
		deliveries.Go(func() { errs[i] = s.deliver(ctx) })
	}
	deliveries.Wait()
	var transient []error
	for _, err := range errs {
		if err == nil {
			return nil
		}
		if !consumererror.IsPermanent(err) {
			transient = append(transient, err)
		}
	}
	if len(transient) > 0 {
		return errors.Join(transient...)
	}
	return errors.Join(errs...)
}
