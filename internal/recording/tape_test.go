package recording

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What passes through a tape is answered the same way when it is played.
func TestTape(t *testing.T) {
	text := "[1]"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	tape, err := NewTape(Options{Origins: map[string]string{History: server.URL}})
	require.NoError(t, err)
	live := httptest.NewServer(tape.Handler(History))
	defer live.Close()
	defer tape.client.CloseIdleConnections()

	assert.Equal(t, answerOf(t, live.URL+"/jobs?status=running"), "200 [1]")
	assert.Equal(t, answerOf(t, live.URL+"/gone"), "404 404 page not found\n")
	tape.EndPass()
	text = "[1, 2]"
	assert.Equal(t, answerOf(t, live.URL+"/jobs?status=running"), "200 [1, 2]")
	tape.EndPass()

	rec, err := tape.Recording()
	require.NoError(t, err)
	player := NewPlayer(rec, PlayerOptions{})
	played := httptest.NewServer(player.Handler(History))
	defer played.Close()
	for i, want := range []string{"200 [1]", "200 [1, 2]"} {
		player.Seek(rec.Passes()[i])
		assert.Equal(t, want, answerOf(t, played.URL+"/jobs?status=running"))
		assert.Equal(t, "404 404 page not found\n", answerOf(t, played.URL+"/gone"))
	}
	assert.Empty(t, player.Misses())
}

func answerOf(t *testing.T, url string) string {
	resp, err := http.Get(url) //nolint:noctx // a test's own server
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.Status[:3] + " " + string(body)
}
