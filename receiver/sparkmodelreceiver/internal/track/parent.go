package track

import (
	"encoding/hex"
	"regexp"
	"strings"
)

// parentProperty names the span that submitted the application, as a W3C traceparent.
const parentProperty = "spark.sparkmodel.traceparent"

// Parent is the span that an application was submitted from.
type Parent struct {
	TraceID [16]byte
	SpanID  [8]byte
}

var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$`)

// FindParent returns the span that the Spark property spark.sparkmodel.traceparent names, else the one of the YARN
// application tag traceparent:…, else nil. What is no valid W3C traceparent counts for nothing.
func FindParent(tags string, properties map[string]string) *Parent {
	if p := parseParent(properties[parentProperty]); p != nil {
		return p
	}
	for tag := range strings.SplitSeq(tags, ",") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(tag), "traceparent:"); ok {
			return parseParent(value)
		}
	}
	return nil
}

// parseParent reads a traceparent (https://www.w3.org/TR/trace-context/#traceparent-header), in which ids of zeros and
// version ff are invalid.
func parseParent(text string) *Parent {
	m := traceparent.FindStringSubmatch(text)
	if m == nil || strings.HasPrefix(text, "ff") {
		return nil
	}
	var p Parent
	_, _ = hex.Decode(p.TraceID[:], []byte(m[1])) // the expression admits hexadecimal digits alone
	_, _ = hex.Decode(p.SpanID[:], []byte(m[2]))
	if p.TraceID == [16]byte{} || p.SpanID == [8]byte{} {
		return nil
	}
	return &p
}
