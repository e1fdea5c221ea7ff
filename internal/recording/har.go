package recording

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

const (
	// window is how far back the compression sees a repeated body; the zstd command reads up to this without options.
	window = 128 << 20
	// maxFile is the largest uncompressed recording that is read.
	maxFile = 1 << 30
)

// The types of HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), as far as a recording needs them.
type (
	harFile struct {
		Log harLog `json:"log"`
	}
	harLog struct {
		Version string      `json:"version"`
		Creator harCreator  `json:"creator"`
		Pages   []harPage   `json:"pages"`
		Entries []harEntry  `json:"entries"`
		Passes  []time.Time `json:"_passes,omitempty"` // the ends of the recorder's passes over the cluster
	}
	harCreator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	harPage struct {
		StartedDateTime time.Time `json:"startedDateTime"`
		ID              string    `json:"id"`
		Title           string    `json:"title"`
		PageTimings     struct{}  `json:"pageTimings"`
	}
	harEntry struct {
		Pageref         string      `json:"pageref"`
		StartedDateTime time.Time   `json:"startedDateTime"`
		Time            float64     `json:"time"`
		Request         harRequest  `json:"request"`
		Response        harResponse `json:"response"`
		Cache           struct{}    `json:"cache"`
		Timings         harTimings  `json:"timings"`
	}
	harRequest struct {
		Method      string    `json:"method"`
		URL         string    `json:"url"`
		HTTPVersion string    `json:"httpVersion"`
		Cookies     []harPair `json:"cookies"`
		Headers     []harPair `json:"headers"`
		QueryString []harPair `json:"queryString"`
		HeadersSize int64     `json:"headersSize"`
		BodySize    int64     `json:"bodySize"`
	}
	harResponse struct {
		Status      int        `json:"status"`
		StatusText  string     `json:"statusText"`
		HTTPVersion string     `json:"httpVersion"`
		Cookies     []harPair  `json:"cookies"`
		Headers     []harPair  `json:"headers"`
		Content     harContent `json:"content"`
		RedirectURL string     `json:"redirectURL"`
		HeadersSize int64      `json:"headersSize"`
		BodySize    int64      `json:"bodySize"`
		Comment     string     `json:"comment,omitempty"`
	}
	harContent struct {
		Size     int    `json:"size"`
		MimeType string `json:"mimeType"`
		Text     string `json:"text,omitempty"`
		Encoding string `json:"encoding,omitempty"`
	}
	harPair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	harTimings struct {
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
		Receive float64 `json:"receive"`
	}
)

// Load reads the recording in a file.
func Load(path string) (*Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rec, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rec, nil
}

// Read reads a recording.
func Read(r io.Reader) (*Recording, error) { return read(r, maxFile) }

func read(r io.Reader, limit int64) (*Recording, error) {
	zr, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("reading recording: %w", err)
	}
	defer zr.Close()
	rec, err := decode(&cappedReader{r: zr, left: limit})
	if err != nil {
		return nil, fmt.Errorf("reading recording: %w", err)
	}
	return rec, nil
}

func decode(r io.Reader) (*Recording, error) {
	var file harFile
	dec := json.NewDecoder(r)
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("not a complete HAR file: %w", err)
	}
	_, err := dec.Token()
	if err == nil {
		err = errors.New("another value follows")
	}
	if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("not one HAR file: %w", err)
	}
	return file.Log.recording()
}

// A cappedReader fails, unlike an io.LimitedReader, when there is more than it may read.
type cappedReader struct {
	r    io.Reader
	left int64
}

func (c *cappedReader) Read(b []byte) (int, error) {
	if int64(len(b)) > c.left+1 {
		b = b[:c.left+1]
	}
	n, err := c.r.Read(b)
	c.left -= int64(n)
	if c.left < 0 {
		return 0, errors.New("too large")
	}
	return n, err
}

// Write writes the recording so that [Read] reads it.
func (r *Recording) Write(w io.Writer) error {
	zw, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return fmt.Errorf("writing recording: %w", err)
	}
	enc := json.NewEncoder(zw)
	enc.SetEscapeHTML(false)
	if err := errors.Join(enc.Encode(harFile{Log: r.log()}), zw.Close()); err != nil {
		return fmt.Errorf("writing recording: %w", err)
	}
	return nil
}

// Save writes the recording to a file, which is complete or not there.
func (r *Recording) Save(path string) error {
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	if err := errors.Join(r.Write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

func (l *harLog) recording() (*Recording, error) {
	rec := &Recording{origins: map[string]string{}, passes: l.Passes}
	for _, page := range l.Pages {
		rec.origins[page.ID] = page.Title
	}
	for i := range l.Entries {
		answer, err := l.Entries[i].answer(rec.origins)
		if err != nil {
			return nil, err
		}
		rec.answers = append(rec.answers, answer)
	}
	return rec, rec.check()
}

func (r *Recording) log() harLog {
	l := harLog{Version: "1.2", Creator: harCreator{Name: "clusterrec", Version: "1"}, Passes: r.passes}
	for _, id := range r.Origins() {
		l.Pages = append(l.Pages, harPage{StartedDateTime: r.answers[0].At, ID: id, Title: r.origins[id]})
	}
	for i := range r.answers {
		l.Entries = append(l.Entries, r.answers[i].entry(r.origins))
	}
	return l
}

func (e *harEntry) answer(origins map[string]string) (Answer, error) {
	a := Answer{
		Origin: e.Pageref,
		URL:    strings.TrimPrefix(e.Request.URL, origins[e.Pageref]),
		At:     e.StartedDateTime,
		Took:   time.Duration(e.Time * float64(time.Millisecond)),
		Status: e.Response.Status,
		Header: http.Header{},
		Body:   e.Response.Content.Text,
		Sent:   e.Response.BodySize,
		Err:    e.Response.Comment,
	}
	for _, h := range e.Response.Headers {
		a.Header.Add(h.Name, h.Value)
	}
	switch e.Response.Content.Encoding {
	case "":
	case "base64":
		body, err := base64.StdEncoding.DecodeString(a.Body)
		if err != nil {
			return a, fmt.Errorf("entry %s: %w", a.URL, err)
		}
		a.Body = string(body)
	default:
		return a, fmt.Errorf("entry %s has the unknown encoding %q", a.URL, e.Response.Content.Encoding)
	}
	return a, nil
}

func (a *Answer) entry(origins map[string]string) harEntry {
	took := float64(a.Took) / float64(time.Millisecond)
	e := harEntry{
		Pageref:         a.Origin,
		StartedDateTime: a.At,
		Time:            took,
		Request: harRequest{
			Method:      http.MethodGet,
			URL:         origins[a.Origin] + a.URL,
			HTTPVersion: "HTTP/1.1",
			Cookies:     []harPair{},
			Headers:     []harPair{},
			QueryString: queryString(a.URL),
			HeadersSize: -1,
		},
		Response: harResponse{
			Status:      a.Status,
			StatusText:  http.StatusText(a.Status),
			HTTPVersion: "HTTP/1.1",
			Cookies:     []harPair{},
			Headers:     []harPair{},
			Content:     harContent{Size: len(a.Body), MimeType: a.Header.Get("Content-Type"), Text: a.Body},
			RedirectURL: a.Header.Get("Location"),
			HeadersSize: -1,
			BodySize:    a.Sent,
			Comment:     a.Err,
		},
		Timings: harTimings{Wait: took},
	}
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		for _, value := range a.Header[name] {
			e.Response.Headers = append(e.Response.Headers, harPair{name, value})
		}
	}
	if !utf8.ValidString(a.Body) {
		e.Response.Content.Text = base64.StdEncoding.EncodeToString([]byte(a.Body))
		e.Response.Content.Encoding = "base64"
	}
	return e
}

func queryString(target string) []harPair {
	pairs := []harPair{}
	_, raw, _ := strings.Cut(target, "?")
	query, err := url.ParseQuery(raw)
	if err != nil {
		return pairs
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[name] {
			pairs = append(pairs, harPair{name, value})
		}
	}
	return pairs
}
