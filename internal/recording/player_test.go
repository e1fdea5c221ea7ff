package recording

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHandlerFollowsTheTimeLine(t *testing.T) {
	rec := newRecording(t, 30*time.Second)
	p := NewPlayer(rec, PlayerOptions{})
	for offset, want := range map[time.Duration]string{0: "0s", 9 * time.Second: "0s", 10 * time.Second: "10s", time.Hour: "30s"} {
		p.Seek(rec.Start().Add(offset))
		w := replay(p, "/status", "")
		assert.Equal(t, want, w.Body.String())
		assert.Equal(t, []string{p.Now().Format(http.TimeFormat)}, w.Header()["Date"])
	}
	assert.Equal(t, map[Target]Traffic{{ResourceManager, "/status"}: {Requests: 4, Bytes: 10}}, p.Requests())
	assert.Empty(t, p.Misses())
}

func TestHandlerShowsCompletePassesOnly(t *testing.T) {
	rec := newRecording(t, 30*time.Second)
	p := NewPlayer(rec, PlayerOptions{From: rec.answers[1].At})
	assert.Equal(t, "0s", replay(p, "/status", "").Body.String())
}

func TestMisses(t *testing.T) {
	rec := newRecording(t, 30*time.Second)
	rec.answers[2].URL = "/late"
	p := NewPlayer(rec, PlayerOptions{})

	w := replay(p, "/late?finishedTimeBegin=7", "")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "not yet: /late", w.Header().Get("Recording-Miss"))
	w = replay(p, "/never?b=2&a=1", "")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "/never?a=1&b=2", w.Header().Get("Recording-Miss"))
	replay(p, "/never?a=1&b=2", "")
	assert.Equal(t, map[Miss]int{
		{Target{ResourceManager, "/late"}, true}:           1,
		{Target{ResourceManager, "/never?a=1&b=2"}, false}: 2,
	}, p.Misses())
	assert.Empty(t, p.Requests())

	for i := range 2 * maxMisses {
		replay(p, fmt.Sprint("/x", i), "")
	}
	misses := p.Misses()
	assert.Len(t, misses, maxMisses+1)
	assert.Equal(t, maxMisses+2, misses[Miss{}])
}

func TestHandlerCompressesLikeTheServer(t *testing.T) {
	rec := newRecording(t, 0)
	body := strings.Repeat("spark ", 1000)
	rec.answers[0].Body = body
	rec.answers[0].Header = http.Header{"Content-Encoding": {"gzip"}, "Content-Length": {"1"}}
	p := NewPlayer(rec, PlayerOptions{})

	for accept, zipped := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "": false, "gzip;q=0": false, "identity": false,
	} {
		w := replay(p, "/status", accept)
		got := w.Body.Bytes()
		if zipped {
			assert.Equal(t, "gzip", w.Header().Get("Content-Encoding"), accept)
			assert.Empty(t, w.Header().Get("Content-Length"), accept)
			zr, err := gzip.NewReader(bytes.NewReader(got))
			require.NoError(t, err)
			got, err = io.ReadAll(zr)
			require.NoError(t, err)
		} else {
			assert.NotContains(t, w.Header(), "Content-Encoding", accept)
			assert.Equal(t, "6000", w.Header().Get("Content-Length"), accept)
		}
		assert.Equal(t, body, string(got), accept)
	}
}

func TestHandlerWithoutAnAnswer(t *testing.T) {
	rec := newRecording(t, 0)
	rec.answers[0] = Answer{Origin: ResourceManager, URL: "/status", At: rec.answers[0].At, Err: "connection refused"}
	server := httptest.NewServer(NewPlayer(rec, PlayerOptions{}).Handler(ResourceManager))
	defer server.Close()
	_, err := server.Client().Get(server.URL + "/status")
	assert.ErrorIs(t, err, io.EOF)
}

func TestHandlerAddsNothing(t *testing.T) {
	rec := newRecording(t, 0)
	rec.answers[0].Header = http.Header{"Server": {"Jetty"}, "Date": {"then", "then"}}
	rec.answers[0].Status = http.StatusTeapot
	p := NewPlayer(rec, PlayerOptions{})
	server := httptest.NewServer(p.Handler(ResourceManager))
	defer server.Close()

	resp, err := server.Client().Get(server.URL + "/status")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusTeapot, resp.StatusCode)
	assert.Equal(t, http.Header{
		"Server":         {"Jetty"},
		"Date":           {p.Now().Format(http.TimeFormat)},
		"Content-Length": {"2"},
	}, resp.Header)

	resp, err = server.Client().Post(server.URL+"/status", "", nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)

	resp, err = server.Client().Head(server.URL + "/status")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusTeapot, resp.StatusCode)
}

func replay(p *Player, target, acceptEncoding string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Accept-Encoding", acceptEncoding)
	p.Handler(ResourceManager).ServeHTTP(w, r)
	return w
}
