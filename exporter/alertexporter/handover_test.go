package alertexporter

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/metadatatest"
)

// alertmanager stands for the version 2 API.
type alertmanager struct {
	*httptest.Server
	mu        sync.Mutex
	status    int
	header    http.Header
	requests  int
	alerts    []model.Alert
	authority string
}

func newAlertmanager(t *testing.T) *alertmanager {
	am := &alertmanager{status: http.StatusOK}
	am.Server = httptest.NewServer(am)
	t.Cleanup(am.Close)
	return am
}

func (am *alertmanager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	am.mu.Lock()
	defer am.mu.Unlock()
	am.requests++
	am.authority = r.Header.Get("Authorization")
	var alerts []model.Alert
	if r.Method != http.MethodPost || r.URL.Path != "/prefix/api/v2/alerts" || json.NewDecoder(r.Body).Decode(&alerts) != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if am.status == http.StatusOK {
		am.alerts = append(am.alerts, alerts...)
	}
	for name, values := range am.header {
		w.Header()[name] = values
	}
	w.WriteHeader(am.status)
}

func (am *alertmanager) answer(status int) {
	am.mu.Lock()
	defer am.mu.Unlock()
	am.status = status
}

func (am *alertmanager) seen() (requests int, alerts []model.Alert) {
	am.mu.Lock()
	defer am.mu.Unlock()
	return am.requests, append([]model.Alert(nil), am.alerts...)
}

func (am *alertmanager) eventually(t *testing.T, alerts int) []model.Alert {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, got := am.seen()
		assert.Len(c, got, alerts)
	}, 10*time.Second, 5*time.Millisecond)
	_, got := am.seen()
	return got
}

func serversConfig(ams ...*alertmanager) *Config {
	cfg := createDefaultConfig().(*Config)
	servers := cfg.Alertmanagers.GetOrInsertDefault()
	for _, am := range ams {
		servers.Endpoints = append(servers.Endpoints, am.URL+"/prefix/")
	}
	servers.RetryConfig.InitialInterval = 20 * time.Millisecond
	return cfg
}

func TestAlertmanagerIsToldBeginningAndEnd(t *testing.T) {
	set, tel := telemetrySettings(t)
	am := newAlertmanager(t)
	r := run(t, serversConfig(am), nil, nil, set)
	begun := time.Now()
	r.say(skew)
	firing := am.eventually(t, 1)[0]
	assert.Equal(t, model.LabelValue("task_skew"), firing.Labels["alertname"])
	assert.Equal(t, model.LabelValue("application_1700000000000_0007"), firing.Labels["spark_application_id"], "resource attributes are labels")
	assert.Equal(t, model.LabelValue("severe"), firing.Labels["severity"])
	assert.Equal(t, model.LabelValue("stage 12"), firing.Annotations["entity"])
	assert.WithinDuration(t, begun, firing.StartsAt, time.Second)
	assert.WithinDuration(t, begun.Add(6*time.Minute), firing.EndsAt, 5*time.Second, "if nothing more is heard")

	for range 5 {
		r.say(with(skew, func(p *point) { p.impact += 100 }))
	}
	time.Sleep(50 * time.Millisecond)
	am.eventually(t, 1) // it is not said again at each poll

	r.say(over(skew))
	ended := am.eventually(t, 2)[1]
	assert.Equal(t, firing.Labels, ended.Labels)
	assert.True(t, firing.StartsAt.Equal(ended.StartsAt))
	assert.WithinDuration(t, time.Now(), ended.EndsAt, time.Second)
	assert.False(t, ended.EndsAt.After(time.Now()))

	metadatatest.AssertEqualExporterAlertHandedOver(t, tel, []metricdata.DataPoint[int64]{
		{Value: 2, Attributes: attribute.NewSet(attribute.String("server.address", am.URL+"/prefix/"))},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestAlertmanagerThatFails(t *testing.T) {
	for status, again := range map[int]bool{
		http.StatusBadRequest:          false,
		http.StatusUnauthorized:        false,
		http.StatusTooManyRequests:     true,
		http.StatusInternalServerError: true,
		http.StatusServiceUnavailable:  true,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			am := newAlertmanager(t)
			am.answer(status)
			r := run(t, serversConfig(am), nil, nil, settings())
			r.say(skew)
			if !again {
				time.Sleep(200 * time.Millisecond)
				requests, _ := am.seen()
				assert.Equal(t, 1, requests, "what is refused for good is not tried again")
				am.answer(http.StatusOK)
				r.say(with(skew, func(p *point) { p.stage = "13" }))
				am.eventually(t, 1) // and stands in nobody's way
				return
			}
			require.Eventually(t, func() bool { requests, _ := am.seen(); return requests > 1 }, 10*time.Second, 5*time.Millisecond)
			am.answer(http.StatusOK)
			am.eventually(t, 1)
		})
	}
}

func TestAlertmanagerDownMissesNoEnd(t *testing.T) {
	am := newAlertmanager(t)
	r := run(t, serversConfig(am), nil, nil, settings())
	r.say(skew)
	am.eventually(t, 1)
	am.answer(http.StatusBadGateway)
	spill := point{rule: "task_spill", severity: 2}
	r.say(over(skew), spill)
	time.Sleep(100 * time.Millisecond)
	r.say(over(spill))
	time.Sleep(100 * time.Millisecond)
	am.answer(http.StatusOK)
	got := am.eventually(t, 3)[1:]
	for _, a := range got {
		assert.True(t, a.Resolved(), "it is told how things are, not how they were")
	}
}

func TestTwoAlertmanagersOneDown(t *testing.T) {
	up, down := newAlertmanager(t), newAlertmanager(t)
	down.answer(http.StatusInternalServerError)
	r := run(t, serversConfig(up, down), nil, nil, settings())
	r.say(skew)
	up.eventually(t, 1)
	time.Sleep(200 * time.Millisecond)
	requests, _ := up.seen()
	assert.Equal(t, 1, requests, "nothing is doubled for the sake of the other one")
	down.answer(http.StatusOK)
	r.say(skew) // as at the next poll
	down.eventually(t, 1)
	up.eventually(t, 1)
}

func TestAlertmanagerThatForgot(t *testing.T) {
	am := newAlertmanager(t)
	r := run(t, serversConfig(am), nil, nil, settings())
	r.say(skew)
	am.eventually(t, 1)
	am.answer(http.StatusServiceUnavailable) // while it is restarted
	spill := point{rule: "task_spill", severity: 2}
	r.say(skew, spill)
	require.Eventually(t, func() bool { requests, _ := am.seen(); return requests > 1 }, 10*time.Second, 5*time.Millisecond)
	am.answer(http.StatusOK)
	r.say(skew, spill)
	rules := map[model.LabelValue]bool{}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, got := am.seen()
		for _, a := range got[1:] {
			rules[a.Labels["alertname"]] = true
		}
		assert.Len(c, rules, 2)
	}, 10*time.Second, 5*time.Millisecond)
}

func TestServerThatHangsKeepsNoNewsFromTheOthers(t *testing.T) {
	up := newAlertmanager(t)
	released := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-released:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(released) })
	cfg := serversConfig(up)
	servers := cfg.Alertmanagers.Get()
	servers.Endpoints = append(servers.Endpoints, hanging.URL)
	servers.ClientConfig.Timeout = 500 * time.Millisecond
	servers.QueueConfig.Get().NumConsumers = 2
	r := run(t, cfg, nil, nil, settings())
	begun := time.Now()
	for i := range 100 {
		r.say(with(skew, func(p *point) { p.stage = strconv.Itoa(i) }))
	}
	up.eventually(t, 100)
	assert.Less(t, time.Since(begun), 100*servers.ClientConfig.Timeout/4)
}

func TestEscalationEndsTheFormerSeverity(t *testing.T) {
	am := newAlertmanager(t)
	r := run(t, serversConfig(am), nil, nil, settings())
	r.say(skew)
	am.eventually(t, 1)
	r.say(with(skew, func(p *point) { p.severity = 4 }))
	bySeverity := map[model.LabelValue]model.Alert{}
	for _, a := range am.eventually(t, 3)[1:] {
		bySeverity[a.Labels["severity"]] = a
	}
	severe, critical := bySeverity["severe"], bySeverity["critical"]
	assert.True(t, severe.Resolved())
	assert.False(t, critical.Resolved())
	assert.True(t, severe.StartsAt.Equal(critical.StartsAt))
}

func TestRestartOfTheExporterKeepsTheBeginning(t *testing.T) {
	am := newAlertmanager(t)
	d := newDisk()
	first := run(t, serversConfig(am), nil, d, settings())
	first.say(skew)
	begun := am.eventually(t, 1)[0].StartsAt
	first.stop()
	second := run(t, serversConfig(am), nil, d, settings())
	second.say(skew)
	assert.True(t, begun.Equal(am.eventually(t, 2)[1].StartsAt))
	second.say(over(skew))
	assert.True(t, am.eventually(t, 3)[2].Resolved())
}

type authenticator struct {
	component.StartFunc
	component.ShutdownFunc
}

func (authenticator) RoundTripper(base http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r.Header.Set("Authorization", "Bearer token")
		return base.RoundTrip(r)
	}), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var (
	_ extension.Extension      = authenticator{}
	_ extensionauth.HTTPClient = authenticator{}
)

func TestAnyAuthenticator(t *testing.T) {
	am := newAlertmanager(t)
	cfg := serversConfig(am)
	id := component.MustNewID("any")
	cfg.Alertmanagers.Get().ClientConfig.Auth = configoptional.Some(configauth.Config{AuthenticatorID: id})
	f := NewFactory()
	e, err := f.CreateMetrics(context.Background(), settings(), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(context.Background(), host{extensions: map[component.ID]component.Component{id: authenticator{}}}))
	defer func() { require.NoError(t, e.Shutdown(context.Background())) }()
	require.NoError(t, e.ConsumeMetrics(context.Background(), flags(skew)))
	am.eventually(t, 1)
	assert.Equal(t, "Bearer token", am.authority)
}
