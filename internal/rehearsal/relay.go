package rehearsal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// relay hands what the distribution read back to it to be judged, with the times of the recording: rules that ask how
// long something has held go by the time of the data.
type relay struct {
	now    func() time.Time
	judge  *http.Client
	polled func() // is called once a poll was judged
}

// newRelay returns a relay to a judge that listens on a Unix socket.
func newRelay(now func() time.Time, socket string, polled func()) *relay {
	return &relay{now: now, polled: polled, judge: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if err := r.pass(w, request); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	r.polled()
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (r *relay) pass(w http.ResponseWriter, request *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		return err
	}
	read := pmetricotlp.NewExportRequest()
	if err := read.UnmarshalProto(body); err != nil {
		return err
	}
	restamp(read.Metrics(), pcommon.NewTimestampFromTime(r.now()))
	if body, err = read.MarshalProto(); err != nil {
		return err
	}
	judged, err := http.NewRequestWithContext(request.Context(), http.MethodPost, "http://judge/v1/metrics", bytes.NewReader(body))
	if err != nil {
		return err
	}
	judged.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := r.judge.Do(judged)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the judging pipeline answered %s", resp.Status)
	}
	return nil
}

// restamp gives all points the time at.
func restamp(md pmetric.Metrics, at pcommon.Timestamp) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				points := pmetric.NewNumberDataPointSlice()
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					points = m.Gauge().DataPoints()
				case pmetric.MetricTypeSum:
					points = m.Sum().DataPoints()
				}
				for _, point := range points.All() {
					point.SetTimestamp(at)
				}
			}
		}
	}
}
