package catalog

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

var update = flag.Bool("update", false, "write the README's table anew")

// The README's table says of each rule what the catalogue says.
func TestReadmeNamesTheRules(t *testing.T) {
	rules, err := Selection{}.Load()
	require.NoError(t, err)
	var table strings.Builder
	table.WriteString("| Rule | Looks for | Judges | Levels | Holds |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rules {
		entity := "the resource"
		if len(r.Entity) > 0 {
			entity = "`" + r.Entity[0] + "`"
		}
		hold := "–"
		if r.For > 0 {
			hold = r.For.String()
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", r.Name, r.Description, entity, levels(r.Levels), hold)
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	before, rest, _ := strings.Cut(string(readme), "<!-- rules: this table is checked against the catalogue -->\n")
	got, after, _ := strings.Cut(rest, "<!-- end of rules -->")
	if *update {
		text := before + "<!-- rules: this table is checked against the catalogue -->\n" + table.String() + "<!-- end of rules -->" + after
		require.NoError(t, os.WriteFile("../../README.md", []byte(text), 0o600))
		return
	}
	assert.Equal(t, table.String(), got, "go test ./internal/catalog -update writes the table anew")
}

func levels(l rule.Levels) string {
	var parts []string
	for _, level := range []*float64{l.Low, l.Moderate, l.Severe, l.Critical} {
		if level == nil {
			parts = append(parts, "–")
		} else {
			parts = append(parts, strconv.FormatFloat(*level, 'f', -1, 64))
		}
	}
	return strings.Join(parts, " / ")
}
