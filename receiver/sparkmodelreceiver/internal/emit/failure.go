package emit

import (
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	maxMessage    = 1 << 10
	maxStacktrace = 4 << 10
	maxText       = 256
)

// failureType finds the first exception, or reason of Spark's own for the end of a task.
var failureType = regexp.MustCompile(`(?:[\w$]+\.)+[A-Z][\w$]*(?:Exception|Error)\b|\b(?:ExecutorLostFailure|FetchFailed|TaskCommitDenied)\b`)

// failure is a reason that Spark or YARN gave, taken apart.
type failure struct{ kind, message, stacktrace string }

// parseFailure takes a reason apart: the type is that of the first exception in it, the message ends where the stack
// trace begins.
func parseFailure(reason string) failure {
	f := failure{kind: failureType.FindString(reason)}
	message, _, traced := strings.Cut(reason, "\n\tat ")
	f.message = cut(strings.TrimSpace(message), maxMessage)
	if traced {
		f.stacktrace = cut(reason, maxStacktrace)
	}
	return f
}

// cancelled tells whether a reason is that somebody, or the end of a streaming query, cancelled the work.
func cancelled(reason string) bool {
	reason = strings.ToLower(reason)
	return strings.Contains(reason, "cancelled") || strings.Contains(reason, "canceled")
}

func (f failure) put(attributes pcommon.Map) {
	for _, a := range []struct{ name, value string }{
		{"exception.type", f.kind}, {"exception.message", f.message}, {"exception.stacktrace", f.stacktrace},
	} {
		if a.value != "" {
			attributes.PutStr(a.name, a.value)
		}
	}
}

// cut shortens a text to a number of bytes.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
