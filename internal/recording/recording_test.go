package recording

import (
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKey(t *testing.T) {
	for request, want := range map[string]string{
		"/jmx": "/jmx",
		"/jmx?qry=Hadoop:service=ResourceManager,name=ClusterMetrics":       "/jmx?qry=Hadoop:service=ResourceManager,name=ClusterMetrics",
		"/jmx?qry=Hadoop%3Aservice%3DResourceManager%2Cname=ClusterMetrics": "/jmx?qry=Hadoop:service=ResourceManager,name=ClusterMetrics",
		"/apps?states=NEW,RUNNING&finishedTimeBegin=1&deSelects=x":          "/apps?deSelects=x&states=NEW,RUNNING",
		"/apps?startedTimeBegin=3":                                          "/apps",
		"/x?b=2&a=1&b=1":                                                    "/x?a=1&b=2&b=1",
	} {
		u, err := url.Parse(request)
		require.NoError(t, err)
		assert.Equal(t, want, key(u), request)
	}
}

func TestPosition(t *testing.T) {
	rec := newRecording(t, 60*time.Second)
	t.Run("frozen", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := NewPlayer(rec, PlayerOptions{})
			time.Sleep(time.Hour)
			assert.Equal(t, rec.Start(), p.Now())
			assert.Positive(t, p.Remaining())
			p.Seek(rec.Start().Add(time.Second))
			assert.Equal(t, rec.Start().Add(time.Second), p.Now())
			p.Seek(rec.Start().Add(-time.Second))
			assert.Equal(t, rec.Start(), p.Now())
		})
	})
	t.Run("faster", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := NewPlayer(rec, PlayerOptions{Speed: 10, From: rec.Start().Add(10 * time.Second)})
			assert.Equal(t, 5*time.Second, p.Remaining())
			time.Sleep(2 * time.Second)
			assert.Equal(t, rec.Start().Add(30*time.Second), p.Now())
			p.Seek(rec.Start().Add(50 * time.Second))
			assert.Equal(t, time.Second, p.Remaining())
			time.Sleep(p.Remaining())
			assert.Equal(t, rec.End(), p.Now())
			time.Sleep(1000 * time.Hour)
			assert.Equal(t, rec.End(), p.Now())
			assert.Zero(t, p.Remaining())
		})
	})
	t.Run("injected clock", func(t *testing.T) {
		now := time.Unix(0, 0)
		p := NewPlayer(rec, PlayerOptions{Speed: 1, Clock: func() time.Time { return now }})
		now = now.Add(7 * time.Second)
		assert.Equal(t, rec.Start().Add(7*time.Second), p.Now())
	})
}

// newRecording returns a recording of that length of one server's /status, which counts up every ten seconds.
func newRecording(t testing.TB, length time.Duration) *Recording {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	rec := &Recording{origins: map[string]string{ResourceManager: "http://rm:8088"}}
	for offset := time.Duration(0); offset <= length; offset += 10 * time.Second {
		at := start.Add(offset)
		rec.passes = append(rec.passes, at)
		rec.answers = append(rec.answers, Answer{
			Origin: ResourceManager,
			URL:    "/status",
			At:     at.Add(-time.Second),
			Status: 200,
			Header: map[string][]string{"Content-Type": {"text/plain"}},
			Body:   offset.String(),
		})
	}
	require.NoError(t, rec.check())
	return rec
}
