package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuiltInRulesCompile(t *testing.T) {
	_, err := Selection{}.Load()
	require.NoError(t, err)
}
