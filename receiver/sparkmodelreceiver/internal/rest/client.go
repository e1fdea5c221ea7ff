// Package rest makes every HTTP request of the receiver: to configured hosts alone, with a deadline, a cap on the
// body and bounded concurrency. It decodes JSON, turns whatever else is answered into an error that names the
// source and the endpoint, and tells the time on the server's clock. What only a page tells is read from that.
package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxBody is the size in bytes above which an answer is refused. The largest honest answer that was measured, the
// listing of a thousand stages, has 3.5 MB.
const MaxBody = 64 << 20

// MaxPage is how many bytes of a page are read: what is wanted of one stands near its top.
const MaxPage = 256 << 10

// errorExcerpt is how many bytes of an unexpected answer are read to explain it.
const errorExcerpt = 1 << 10

// Observer is told of every request once it has ended.
type Observer func(ctx context.Context, o Observation)

// Observation is what a request took.
type Observation struct {
	// Endpoint is that of the Request.
	Endpoint string
	Outcome  Outcome
	// Bytes were read of the answer, as they came over the wire.
	Bytes int64
	// Took is the time from sending the request to having read its answer.
	Took time.Duration
}

// Outcome classifies how a request ended.
type Outcome string

// Outcomes of a request.
const (
	OutcomeOK          Outcome = "ok"
	OutcomeNotFound    Outcome = "not_found"
	OutcomeRedirect    Outcome = "redirect"
	OutcomeStatus      Outcome = "status"
	OutcomeNotJSON     Outcome = "not_json"
	OutcomeTooLarge    Outcome = "too_large"
	OutcomeUnreachable Outcome = "unreachable"
)

// Client asks one server.
type Client struct {
	source   string
	base     *url.URL
	http     *http.Client
	timeout  time.Duration
	slots    chan struct{}
	observe  Observer
	maxBytes int64
}

// Options of a Client.
type Options struct {
	// Source names the server in errors and telemetry.
	Source string
	// Endpoint is the base URL of the server.
	Endpoint string
	// HTTP carries the requests; its redirects are never followed.
	HTTP *http.Client
	// Timeout bounds a request, reading its answer included.
	Timeout time.Duration
	// Concurrency bounds the requests under way.
	Concurrency int
	// Observe is told of every request.
	Observe Observer
}

// New returns a client, or an error if the endpoint is not an http or https URL.
func New(o Options) (*Client, error) {
	base, err := ParseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	hc := *o.HTTP
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		source: o.Source, base: base, http: &hc, timeout: o.Timeout,
		slots: make(chan struct{}, o.Concurrency), observe: o.Observe, maxBytes: MaxBody,
	}, nil
}

// At returns a client of another server with the same settings.
func (c *Client) At(base *url.URL) *Client {
	other := *c
	other.base, other.slots = base, make(chan struct{}, cap(c.slots))
	return &other
}

// ParseEndpoint checks a configured base URL.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return nil, fmt.Errorf("endpoint %q is not a URL: %w", endpoint, err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("endpoint %q must be a URL such as http://host:8088", endpoint)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("endpoint %q must have no query and no fragment", endpoint)
	}
	return u, nil
}

// Source is the name of the server in errors and telemetry.
func (c *Client) Source() string { return c.source }

// Endpoint is the base URL of the server, without a password.
func (c *Client) Endpoint() string { return c.base.Redacted() }

// Address is where the server is, without the scheme: host:port, and the path if there is one.
func (c *Client) Address() string { return c.base.Host + strings.TrimSuffix(c.base.Path, "/") }

// Request is one GET.
type Request struct {
	// Endpoint is the path with names in place of ids, for telemetry and errors.
	Endpoint string
	// Path is relative to the base URL; each element is escaped.
	Path []string
	// Slash tells to end the path with one.
	Slash bool
	// Query may be nil.
	Query url.Values
	// Cookie may be nil.
	Cookie *http.Cookie
}

// Get decodes the JSON answer to a request into v and returns the time on the server's clock, or the zero time if
// the server does not tell it.
func (c *Client) Get(ctx context.Context, r Request, v any) (time.Time, error) {
	return c.get(ctx, r, "application/json", func(resp *http.Response, body *cappedReader) error { return decode(resp, body, v) })
}

// Page returns the answer to a request, whatever its type, as far as MaxPage.
func (c *Client) Page(ctx context.Context, r Request) ([]byte, error) {
	var page []byte
	_, err := c.get(ctx, r, "text/html", func(_ *http.Response, body *cappedReader) error {
		var err error
		if page, err = io.ReadAll(io.LimitReader(body, MaxPage)); err != nil {
			return &UnreachableError{Err: err}
		}
		return nil
	})
	return page, err
}

// get makes a request and hands an answer with status 200 over.
func (c *Client) get(ctx context.Context, r Request, accept string, read reader) (time.Time, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	u, err := c.url(r)
	if err != nil {
		return time.Time{}, err
	}
	begin := time.Now()
	date, size, err := c.do(ctx, u, accept, r.Cookie, read)
	c.observe(ctx, Observation{Endpoint: r.Endpoint, Outcome: outcomeOf(err), Bytes: size, Took: time.Since(begin)})
	if err != nil {
		return date, &Error{Source: c.source, URL: u.Redacted(), Err: err}
	}
	return date, nil
}

// reader takes what it needs from an answer.
type reader func(resp *http.Response, body *cappedReader) error

// url puts a request's path below the base URL: no element, which an answer may have named, can lead out of it.
func (c *Client) url(r Request) (*url.URL, error) {
	elements := make([]string, len(r.Path))
	for i, e := range r.Path {
		if e == "" || e == "." || e == ".." {
			return nil, fmt.Errorf("%s: %s: %q is no element of a path", c.source, r.Endpoint, e)
		}
		elements[i] = url.PathEscape(e)
	}
	if r.Slash {
		elements = append(elements, "/")
	}
	u := c.base.JoinPath(elements...)
	u.RawQuery = r.Query.Encode()
	return u, nil
}

func (c *Client) do(ctx context.Context, u *url.URL, accept string, cookie *http.Cookie, read reader) (time.Time, int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return time.Time{}, 0, err
	}
	req.Header.Set("Accept", accept)
	if cookie != nil {
		req.AddCookie(cookie)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return time.Time{}, 0, &UnreachableError{Err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	date, _ := http.ParseTime(resp.Header.Get("Date"))
	body := &cappedReader{r: resp.Body, left: c.maxBytes}
	if err = succeeded(resp, body); err == nil {
		err = read(resp, body)
	}
	return date, c.maxBytes - body.left, err
}

func succeeded(resp *http.Response, body io.Reader) error {
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return &RedirectError{Code: resp.StatusCode, Location: resp.Header.Get("Location")}
	}
	if resp.StatusCode != http.StatusOK {
		return &StatusError{Code: resp.StatusCode, Message: excerpt(body)}
	}
	return nil
}

func decode(resp *http.Response, body *cappedReader, v any) error {
	if mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || (mediaType != "application/json" && mediaType != "text/json") {
		return &NotJSONError{ContentType: resp.Header.Get("Content-Type"), Excerpt: excerpt(body)}
	}
	dec := json.NewDecoder(body)
	if err := dec.Decode(v); err != nil {
		if body.exceeded {
			return ErrTooLarge
		}
		return &NotJSONError{ContentType: "application/json", Err: err}
	}
	// What follows the value is read, so that the connection can be used again.
	if _, err := io.Copy(io.Discard, body); err != nil && body.exceeded {
		return ErrTooLarge
	}
	return nil
}

// excerpt returns the beginning of a body on one line.
func excerpt(r io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(r, errorExcerpt))
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "")), " ")
	if len(s) > 160 {
		s = strings.ToValidUTF8(s[:160], "") + "…"
	}
	return s
}

// cappedReader fails once more than left bytes were read.
type cappedReader struct {
	r        io.Reader
	left     int64
	exceeded bool
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		c.exceeded = true
		return 0, ErrTooLarge
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	return n, err
}
