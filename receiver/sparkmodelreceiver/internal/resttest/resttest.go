// Package resttest has servers for the tests of what asks by package rest.
package resttest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// New returns a client of a server that answers until the test ends; source names it in errors.
func New(t testing.TB, source string, h http.HandlerFunc) *rest.Client {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := rest.New(rest.Options{
		Source: source, Endpoint: server.URL, HTTP: &http.Client{Transport: transport}, Timeout: 5 * time.Second, Concurrency: 4,
		Observe: func(context.Context, rest.Observation) {},
	})
	require.NoError(t, err)
	return c
}

// Says answers every request with a JSON text.
func Says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf8")
		_, _ = w.Write([]byte(body))
	}
}
