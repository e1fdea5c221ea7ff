package rest

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrTooLarge is the error of an answer that is larger than MaxBody.
var ErrTooLarge = fmt.Errorf("the answer is larger than %d bytes", MaxBody)

// Error says which request of which source failed, and why.
type Error struct {
	Source string
	URL    string
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: GET %s: %v", e.Source, e.URL, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// UnreachableError is a request that got no answer.
type UnreachableError struct{ Err error }

func (e *UnreachableError) Error() string { return "no answer: " + e.Err.Error() }
func (e *UnreachableError) Unwrap() error { return e.Err }

// StatusError is an answer with a status other than 200 that is not a redirect.
type StatusError struct {
	Code int
	// Message is the beginning of the body.
	Message string
}

func (e *StatusError) Error() string {
	hint := ""
	switch e.Code {
	case http.StatusUnauthorized:
		hint = "; configure an authenticator for this source"
	case http.StatusForbidden:
		hint = "; give the collector's user the right to view"
	}
	return fmt.Sprintf("status %d: %s%s", e.Code, e.Message, hint)
}

// RedirectError is a redirect, which is never followed: its target was chosen by the answer, not by the configuration.
type RedirectError struct {
	Code int
	// Location is empty where the server gave none.
	Location string
}

func (e *RedirectError) Error() string {
	if e.Location == "" {
		return fmt.Sprintf("status %d without a location", e.Code)
	}
	return fmt.Sprintf("status %d redirects to %s, which is not followed", e.Code, e.Location)
}

// NotJSONError is an answer with status 200 that is not the JSON it should be.
type NotJSONError struct {
	ContentType string
	Excerpt     string
	Err         error
}

func (e *NotJSONError) Error() string {
	if e.Err != nil {
		return "the answer is not the JSON it should be: " + e.Err.Error()
	}
	return fmt.Sprintf("the answer is %q, not JSON: %s", e.ContentType, e.Excerpt)
}
func (e *NotJSONError) Unwrap() error { return e.Err }

// IsNotFound tells whether the server answered that there is no such thing.
func IsNotFound(err error) bool {
	var se *StatusError
	return errors.As(err, &se) && se.Code == http.StatusNotFound
}

// IsRedirect tells whether the server wanted to send the client elsewhere.
func IsRedirect(err error) bool {
	var re *RedirectError
	return errors.As(err, &re)
}

func outcomeOf(err error) Outcome {
	var (
		status      *StatusError
		redirect    *RedirectError
		unreachable *UnreachableError
	)
	switch {
	case err == nil:
		return OutcomeOK
	case errors.As(err, &status) && status.Code == http.StatusNotFound:
		return OutcomeNotFound
	case errors.As(err, &status):
		return OutcomeStatus
	case errors.As(err, &redirect):
		return OutcomeRedirect
	case errors.Is(err, ErrTooLarge):
		return OutcomeTooLarge
	case errors.As(err, &unreachable):
		return OutcomeUnreachable
	default:
		return OutcomeNotJSON
	}
}
