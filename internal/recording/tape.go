package recording

import (
	"net/http"
	"time"
)

// A Tape stands before a cluster's servers, asks them what it is asked, and keeps what they say: a recording of exactly
// what its clients read.
type Tape struct{ *recorder }

// NewTape returns an empty tape of the options' origins.
func NewTape(options Options) (*Tape, error) {
	r, err := newRecorder(options)
	return &Tape{r}, err
}

// Handler answers for one of the servers.
func (t *Tape) Handler(origin string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := t.get(r.Context(), origin, r.URL.RequestURI())
		if answer.Status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header()["Date"] = answer.Header["Date"]
		send(w, r, &answer)
	})
}

// EndPass marks that what was answered until now belongs together.
func (t *Tape) EndPass() { t.passes = append(t.passes, now()) }

// Recording returns what is on the tape.
func (t *Tape) Recording() (*Recording, error) { return t.recording() }

// Passes returns the moments at which the answers belong together, oldest first.
func (r *Recording) Passes() []time.Time { return r.passes }
