package track

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// ResultSource is how a job returns a result.
type ResultSource string

// Sources of results that are kept.
const (
	ResultAccumulator ResultSource = "accumulator"
	ResultGauge       ResultSource = "gauge"
	ResultDescription ResultSource = "description"
)

// maxResults bounds the results of an application, and maxResultName the length of their names; others are left out.
const (
	maxResults    = 100
	maxResultName = 128
)

// Result is what a model returned.
type Result struct {
	Name   string
	Source ResultSource
	Value  float64

	// order is that of the job or stage which returned it.
	order int
}

type resultKey struct {
	source ResultSource
	name   string
}

type results map[resultKey]Result

// set keeps a result, unless a later one is known.
func (r *results) set(source ResultSource, name string, value float64, order int) {
	key := resultKey{source, name}
	before, known := (*r)[key]
	if name == "" || len(name) > maxResultName || known && before.order > order || !known && len(*r) >= maxResults {
		return
	}
	if *r == nil {
		*r = results{}
	}
	(*r)[key] = Result{Name: name, Source: source, Value: value, order: order}
}

// describe keeps the results that a job's description tells.
func (r *results) describe(job *spark.Job) {
	for name, value := range parseDescription(job.Description) {
		r.set(ResultDescription, name, value, job.ID)
	}
}

// accumulate keeps the values of the named accumulators that a stage updated.
func (r *results) accumulate(s *spark.Stage) {
	for i := range s.Accumulators {
		if value, ok := finite(s.Accumulators[i].Value); ok {
			r.set(ResultAccumulator, s.Accumulators[i].Name, value, s.ID)
		}
	}
}

// parseDescription returns the numbers among the pairs of a description such as "model=churn phase=eval auc=0.91". A text
// that does not consist of pairs alone, such as a SQL statement, has none.
func parseDescription(text string) map[string]float64 {
	if !strings.Contains(text, "=") {
		return nil
	}
	numbers := map[string]float64{}
	for _, word := range strings.Fields(text) {
		name, text, ok := strings.Cut(word, "=")
		if !ok || !isName(name) || len(numbers) == maxResults {
			return nil
		}
		if value, ok := finite(text); ok {
			numbers[name] = value
		}
	}
	return numbers
}

func isName(text string) bool {
	for i, c := range text {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '.' && c != '-' && c != '@' && (c < '0' || c > '9')) {
			return false
		}
	}
	return text != ""
}

func finite(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// Results returns what the model has returned, in the order of names.
func (a *Application) Results() []Result {
	return slices.SortedFunc(maps.Values(a.results), func(x, y Result) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Source, y.Source))
	})
}
