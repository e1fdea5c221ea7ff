package recording

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoundTrip(t *testing.T) {
	rec := newRecording(t, 30*time.Second)
	rec.answers[1].Body = "not UTF-8: \xff\x00"
	rec.answers[2] = Answer{Origin: ResourceManager, URL: "/x?b=%2C&a=1", At: rec.answers[2].At, Header: http.Header{}, Err: "connection refused"}
	rec.answers[3].Header = http.Header{"Set-Cookie": {"a=1", "b=2"}, "Location": {"http://elsewhere/"}}
	rec.answers[3].Status = http.StatusFound
	rec.answers[3].Took = 1500 * time.Microsecond

	path := filepath.Join(t.TempDir(), "test.har.zst")
	require.NoError(t, rec.Save(path))
	loaded, err := Load(path)
	require.NoError(t, err)
	assert.Equal(t, rec, loaded)
}

func TestFileIsHAR(t *testing.T) {
	rec := newRecording(t, 10*time.Second)
	rec.answers[0].URL = "/apps?states=RUNNING"
	var log struct {
		Log map[string]any `json:"log"`
	}
	require.NoError(t, json.Unmarshal(uncompressed(t, written(t, rec)), &log))
	assert.Equal(t, "1.2", log.Log["version"])
	assert.Equal(t, []any{map[string]any{
		"id":              "rm",
		"pageTimings":     map[string]any{},
		"startedDateTime": "2026-11-23T11:59:59Z",
		"title":           "http://rm:8088",
	}}, log.Log["pages"])
	assert.Equal(t, map[string]any{
		"pageref":         "rm",
		"startedDateTime": "2026-11-23T11:59:59Z",
		"time":            0.,
		"request": map[string]any{
			"method": "GET", "url": "http://rm:8088/apps?states=RUNNING", "httpVersion": "HTTP/1.1",
			"cookies": []any{}, "headers": []any{},
			"queryString": []any{map[string]any{"name": "states", "value": "RUNNING"}},
			"headersSize": -1., "bodySize": 0.,
		},
		"response": map[string]any{
			"status": 200., "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": []any{},
			"headers":     []any{map[string]any{"name": "Content-Type", "value": "text/plain"}},
			"content":     map[string]any{"size": 2., "mimeType": "text/plain", "text": "0s"},
			"redirectURL": "", "headersSize": -1., "bodySize": 0.,
		},
		"cache":   map[string]any{},
		"timings": map[string]any{"send": 0., "wait": 0., "receive": 0.},
	}, log.Log["entries"].([]any)[0])
}

func TestForeignHAR(t *testing.T) {
	rec := newRecording(t, 30*time.Second)
	rec.passes = nil
	loaded, err := Read(bytes.NewReader(written(t, rec)))
	require.NoError(t, err)
	assert.Equal(t, rec.answers[0].At, loaded.Start())
	assert.Equal(t, rec.answers[3].At, loaded.End())
}

func TestReadRefuses(t *testing.T) {
	good := written(t, newRecording(t, 10*time.Second))
	plain := uncompressed(t, good)
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"empty":            {nil, "not a complete HAR file"},
		"not compressed":   {plain, "magic number mismatch"},
		"truncated":        {good[:len(good)/2], "unexpected EOF"},
		"corrupt":          {append(bytes.Clone(good[:len(good)-2]), 0, 0), "CRC check failed"},
		"cut HAR":          {compressed(t, plain[:len(plain)/2]), "unexpected EOF"},
		"two files":        {append(bytes.Clone(good), good...), "another value follows"},
		"no entries":       {compressed(t, []byte(`{"log":{}}`)), "no entries"},
		"no page":          {compressed(t, bytes.ReplaceAll(plain, []byte(`"pageref":"rm"`), []byte(`"pageref":"nm"`))), "belongs to no page"},
		"bad status":       {compressed(t, bytes.Replace(plain, []byte(`"status":200`), []byte(`"status":20`), 1)), "impossible status 20"},
		"bad base64":       {compressed(t, bytes.Replace(plain, []byte(`"text":`), []byte(`"encoding":"base64","text":`), 1)), "illegal base64"},
		"unknown encoding": {compressed(t, bytes.Replace(plain, []byte(`"text":`), []byte(`"encoding":"rot13","text":`), 1)), "unknown encoding"},
		"passes":           {compressed(t, bytes.Replace(plain, []byte(`"_passes":[`), []byte(`"_passes":["2027-01-01T00:00:00Z",`), 1)), "out of order"},
	} {
		t.Run(name, func(t *testing.T) {
			rec, err := Read(bytes.NewReader(test.file))
			assert.Nil(t, rec)
			assert.ErrorContains(t, err, test.want)
			assert.ErrorContains(t, err, "reading recording: ")
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "none"))
	assert.ErrorContains(t, err, "none")
}

func TestReadIsCapped(t *testing.T) {
	file := written(t, newRecording(t, 30*time.Second))
	size := int64(len(uncompressed(t, file)))
	_, err := read(bytes.NewReader(file), size)
	require.NoError(t, err)
	_, err = read(bytes.NewReader(file), size-1)
	assert.ErrorContains(t, err, "too large")
}

// FuzzRead holds that whatever is read can be written, read again and replayed.
func FuzzRead(f *testing.F) {
	good := written(f, newRecording(f, 30*time.Second))
	f.Add(good, false)
	f.Add(uncompressed(f, good), true)
	f.Fuzz(func(t *testing.T, file []byte, plain bool) {
		if plain {
			file = compressed(t, file)
		}
		rec, err := Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		again, err := json.Marshal(harFile{Log: rec.log()})
		require.NoError(t, err)
		reread, err := decode(bytes.NewReader(again))
		require.NoError(t, err)
		require.Len(t, reread.answers, len(rec.answers))

		p := NewPlayer(rec, PlayerOptions{From: rec.End()})
		for target, answers := range p.answers {
			if p.at(target, p.Now()) == nil || answers[len(answers)-1].Status == 0 {
				continue
			}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.URL.Path = answers[0].URL
			p.Handler(target.Origin).ServeHTTP(httptest.NewRecorder(), r)
		}
	})
}

func written(t testing.TB, rec *Recording) []byte {
	var b bytes.Buffer
	require.NoError(t, rec.Write(&b))
	return b.Bytes()
}

func compressed(t testing.TB, plain []byte) []byte {
	zw, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	require.NoError(t, err)
	defer zw.Close()
	return zw.EncodeAll(plain, nil)
}

func uncompressed(t testing.TB, file []byte) []byte {
	plain, err := io.ReadAll(newZstdReader(t, file))
	require.NoError(t, err)
	return plain
}

func newZstdReader(t testing.TB, file []byte) io.Reader {
	zr, err := zstd.NewReader(bytes.NewReader(file), zstd.WithDecoderConcurrency(1))
	require.NoError(t, err)
	t.Cleanup(zr.Close)
	return zr
}
