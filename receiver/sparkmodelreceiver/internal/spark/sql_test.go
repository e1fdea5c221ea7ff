package spark

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Values as Spark 3.5.9 and 4.3.0 wrote them.
func TestParseMetric(t *testing.T) {
	for text, want := range map[string]float64{
		"4,000,000":  4_000_000,
		"0":          0,
		"288 ms":     0.288,
		"1619.0 KiB": 1619 << 10,
		"0.0 B":      0,
		"total (min, med, max (stageId: taskId))\n896.0 MiB (224.0 MiB, 224.0 MiB, 224.0 MiB (stage 3.0: task 17))": 896 << 20,
		"total (min, med, max (stageId: taskId))\n4.1 s (138 ms, 292 ms, 716 ms (stage 3.0: task 63))":              4.1,
		"total (min, med, max)\n1.5 m (1 ms, 2 ms, 3 ms)":                                                           90,
		"2.00 h": 7200,
	} {
		got, ok := ParseMetric(text)
		assert.True(t, ok, text)
		assert.InDelta(t, want, got, 1e-9, text)
	}
	for _, text := range []string{
		"", " ", "x", "NaN", "Inf", "-1", "1e300", "5 parsecs", "12.3 MB", "total (min, med, max)\n",
		"(min, med, max (stageId: taskId)):\n(1, 1, 1 (stage 10.0: task 18))",
	} {
		_, ok := ParseMetric(text)
		assert.False(t, ok, text)
	}
}

func FuzzParseMetric(f *testing.F) {
	for _, text := range []string{"1,234", "12.3 MiB", "19 ms", "total (min, med, max (stageId: taskId))\n186 ms (87 ms, 99 ms, 99 ms (stage 0.0: task 0))", "nan", "1e999 h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := ParseMetric(text)
		if ok && (math.IsNaN(v) || v < 0 || v > 1<<62) {
			t.Fatalf("%q is %v", text, v)
		}
	})
}
