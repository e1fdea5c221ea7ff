package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTally(t *testing.T) {
	var total tally
	set := func(rules ...string) map[string]struct{} {
		s := map[string]struct{}{}
		for _, r := range rules {
			s[r] = struct{}{}
		}
		return s
	}
	total.add("a", map[string]expectation{
		"skewed":  {Must: []string{"data_skew"}, May: []string{"spill"}},
		"spill":   {Must: []string{"spill"}},
		"healthy": {},
	}, map[string]map[string]struct{}{"skewed": set("data_skew", "spill"), "healthy": set("straggler"), "unknown": set("spill")})
	assert.Equal(t, &count{Hits: 1}, total.rules["data_skew"])
	assert.Equal(t, &count{Misses: 1}, total.rules["spill"])
	assert.Equal(t, &count{False: 1}, total.rules["straggler"])
	assert.Equal(t, 0.5, total.figures()["precision"])
	assert.Equal(t, 0.5, total.figures()["recall"])
	var out bytes.Buffer
	total.write(&out)
	assert.Contains(t, out.String(), "missed  spill: spill in a")
	assert.Contains(t, out.String(), "false   straggler: healthy in a")
}
