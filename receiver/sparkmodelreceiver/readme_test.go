package sparkmodelreceiver

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who moves over from apachesparkreceiver finds each of its figures in the README, under a name that there is.
func TestEveryFigureOfThePeer(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	metadata, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(readme), "| apachesparkreceiver | here |")
	require.True(t, ok)
	rows := regexp.MustCompile("(?m)^\\| `(spark[^`]*)` \\| (.*) \\|$").FindAllStringSubmatch(table, -1)
	assert.Len(t, rows, 63, "as many as apachesparkreceiver v0.144.0 has")
	for _, row := range rows {
		names := regexp.MustCompile("`(spark[^`]*)`").FindAllStringSubmatch(row[2], -1)
		assert.NotEmpty(t, names, row[1])
		for _, name := range names {
			assert.Contains(t, string(metadata), "\n  "+name[1]+":\n", row[1])
		}
	}
}
