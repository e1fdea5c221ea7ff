// Package traceid derives the id of an application's trace, so that the receiver, which sends the trace, and whoever
// links to it agree without asking each other.
package traceid

import (
	"crypto/sha256"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Of returns the first 16 bytes of SHA-256("sparkmodel/1|trace|" + key). The key of an application is the configured
// cluster_name, its id and the number of its attempt, which is empty where nothing counts attempts, joined by "|".
func Of(key string) pcommon.TraceID {
	sum := sha256.Sum256([]byte("sparkmodel/1|trace|" + key))
	return pcommon.TraceID(sum[:16])
}

// Key returns the key of an application.
func Key(cluster, application, attempt string) string {
	return cluster + "|" + application + "|" + attempt
}
