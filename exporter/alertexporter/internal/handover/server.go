package handover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.uber.org/zap"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/book"
)

const (
	// maxAlerts is how many alerts go into one request; one has some 700 bytes.
	maxAlerts = 1000
	// maxAnswer is how much is read of an answer, in bytes.
	maxAnswer = 4096
)

type server struct {
	Settings
	endpoint string
	url      string
	resend   time.Duration

	requesting chan struct{} // held during requests, so that they arrive in order

	mu      sync.Mutex
	pending map[model.Fingerprint]*alert.Alert
	told    map[model.Fingerprint]*alert.Alert // those that fire
	down    bool
}

func newServer(set Settings, endpoint string) *server {
	return &server{
		Settings:   set,
		endpoint:   endpoint,
		url:        strings.TrimSuffix(endpoint, "/") + "/api/v2/alerts",
		resend:     set.Silence / 5,
		requesting: make(chan struct{}, 1),
		pending:    map[model.Fingerprint]*alert.Alert{},
		told:       map[model.Fingerprint]*alert.Alert{},
	}
}

func (s *server) put(now time.Time, alerts []*alert.Alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range alerts {
		id := a.Fingerprint()
		if told := s.told[id]; told != nil && a.Timeout && now.Sub(told.UpdatedAt) < s.resend && sameWords(a, told) {
			continue
		}
		s.pending[id] = a
	}
	if len(s.pending) > 2*s.Limit {
		// The server ends by itself what it does not hear of.
		maps.DeleteFunc(s.pending, func(id model.Fingerprint, a *alert.Alert) bool {
			if !a.Timeout {
				delete(s.told, id)
			}
			return !a.Timeout
		})
	}
}

// sameWords compares all but the impact, which grows all the time.
func sameWords(a, b *alert.Alert) bool {
	if !a.StartsAt.Equal(b.StartsAt) || len(a.Annotations) != len(b.Annotations) {
		return false
	}
	for name, value := range a.Annotations {
		if name != book.ImpactAnnotation && b.Annotations[name] != value {
			return false
		}
	}
	return true
}

// deliver sends until nothing is left. What is refused for good is not kept: it is said again when it is repeated.
func (s *server) deliver(ctx context.Context) error {
	if err := s.turn(ctx); err != nil {
		return err
	}
	defer func() { <-s.requesting }()
	var refused []error
	for {
		batch := s.batch()
		if len(batch) == 0 {
			return errors.Join(refused...)
		}
		err := s.post(ctx, batch)
		s.posted(batch, err)
		if err == nil {
			s.Accepted(ctx, s.endpoint, len(batch))
			continue
		}
		s.Failed(ctx, s.endpoint)
		if !consumererror.IsPermanent(err) {
			return err
		}
		refused = append(refused, err)
	}
}

// turn waits for other requests to the server. It does not wait for those to a server that is down, since that would
// keep news from the others.
func (s *server) turn(ctx context.Context) error {
	select {
	case s.requesting <- struct{}{}:
		return nil
	default:
	}
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	if down {
		return fmt.Errorf("%s is down and being tried", s.url)
	}
	select {
	case s.requesting <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *server) batch() []*alert.Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := make([]*alert.Alert, 0, min(len(s.pending), maxAlerts))
	for _, a := range s.pending {
		if len(batch) == maxAlerts {
			break
		}
		batch = append(batch, a)
	}
	return batch
}

// posted takes those alerts off the list that were accepted, and those that will never be.
func (s *server) posted(batch []*alert.Alert, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if down := err != nil; down != s.down {
		s.down = down
		if down {
			s.Logger.Warn("An Alertmanager does not take alerts", zap.String("endpoint", s.endpoint), zap.Error(err))
		} else {
			s.Logger.Info("The Alertmanager takes alerts again", zap.String("endpoint", s.endpoint))
		}
	}
	if err != nil && !consumererror.IsPermanent(err) {
		clear(s.told) // it may be restarting, and then has forgotten all
		return
	}
	for _, a := range batch {
		id := a.Fingerprint()
		if s.pending[id] == a {
			delete(s.pending, id)
		}
		if a.Timeout {
			s.told[id] = a
		} else {
			delete(s.told, id)
		}
	}
}

// post sends alerts to the version 2 API.
func (s *server) post(ctx context.Context, alerts []*alert.Alert) error {
	wire := make([]model.Alert, len(alerts))
	for i, a := range alerts {
		wire[i] = a.Alert
		if a.Timeout {
			wire[i].EndsAt = a.EndsAt.Add(s.resend) // it is repeated only so often
		}
	}
	body, err := json.Marshal(wire)
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.Client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("%s answered %s: %s", s.url, response.Status, bytes.TrimSpace(answer))
	switch {
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusServiceUnavailable:
		if seconds, parseErr := strconv.Atoi(response.Header.Get("Retry-After")); parseErr == nil {
			return exporterhelper.NewThrottleRetry(err, time.Duration(seconds)*time.Second)
		}
		return err
	case response.StatusCode/100 == 5:
		return err
	}
	return consumererror.NewPermanent(err)
}
