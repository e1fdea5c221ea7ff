package track

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

func TestParseDescription(t *testing.T) {
	for text, want := range map[string]map[string]float64{
		"model=churn phase=eval auc=0.91":             {"auc": 0.91},
		"auc=9.1e-1\n recall@10=1 loss.val=-3":        {"auc": 0.91, "recall@10": 1, "loss.val": -3},
		"model=churn phase=train":                     {},
		"load the model":                              nil,
		"select * from t where a=1":                   nil,
		"events\nid = 5a7c\nrunId = 77aa\nbatch = 12": nil,
		"=1":                  nil,
		"1a=2":                nil,
		"auc=NaN loss=Inf x=": {},
		"":                    nil,
	} {
		assert.Equal(t, want, parseDescription(text), text)
	}
}

func FuzzParseDescription(f *testing.F) {
	f.Add("model=churn phase=eval auc=0.91")
	f.Add("a=1 b")
	f.Fuzz(func(t *testing.T, text string) {
		for name, v := range parseDescription(text) {
			if name == "" || strings.ContainsAny(name, " =\n") || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%q has %q = %v", text, name, v)
			}
		}
	})
}

// The result of the latest job counts, in whichever order jobs are read, and there is a bound on how many there can be.
func TestResults(t *testing.T) {
	app := NewApplication(Key{ID: "a"})
	for _, id := range []int{1, 3, 2} {
		app.ObserveJob(&spark.Job{ID: id, Status: spark.StatusSucceeded, Description: fmt.Sprintf("auc=0.%d", id)})
	}
	stage := spark.Stage{ID: 1, Status: spark.StatusComplete, Accumulators: []spark.Accumulator{{Name: "rejected", Value: "17"}, {Name: "words", Value: "[a, b]"}}}
	app.ObserveStage(&stage, dawn)
	assert.Equal(t, []Result{
		{Name: "auc", Source: ResultDescription, Value: 0.3, order: 3}, {Name: "rejected", Source: ResultAccumulator, Value: 17, order: 1},
	}, app.Results())

	for i := range 2 * maxResults {
		app.ObserveJob(&spark.Job{ID: 10 + i, Status: spark.StatusSucceeded, Description: fmt.Sprintf("r%d=1", i)})
	}
	assert.Len(t, app.Results(), maxResults)
}
