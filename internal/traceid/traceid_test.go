package traceid

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The expected id is what Python's hashlib.sha256 gives by the formula in the receiver's README.
func TestPublishedFormula(t *testing.T) {
	assert.Equal(t, "a58d7315f8312990cf50ddcdd502477e", Of(Key("prod", "application_1700000000000_0007", "1")).String())
}
