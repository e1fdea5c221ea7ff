package flag

import (
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// FromMetrics returns what the points of anomaly.severity and anomaly.impact say. All other metrics are passed over.
func FromMetrics(metrics pmetric.Metrics) []Observation {
	var observations []Observation
	for _, resourceMetrics := range metrics.ResourceMetrics().All() {
		var from *source
		for _, scopeMetrics := range resourceMetrics.ScopeMetrics().All() {
			for _, metric := range scopeMetrics.Metrics().All() {
				if !relevant(metric) {
					continue
				}
				if from == nil {
					from = newSource(resourceMetrics.Resource())
				}
				observations = appendPoints(observations, from, metric)
			}
		}
	}
	return observations
}

func relevant(metric pmetric.Metric) bool {
	return (metric.Name() == severityName || metric.Name() == impactName) && metric.Type() == pmetric.MetricTypeGauge
}

func appendPoints(observations []Observation, from *source, metric pmetric.Metric) []Observation {
	for _, point := range metric.Gauge().DataPoints().All() {
		rule, found := point.Attributes().Get(ruleName)
		if !found || rule.AsString() == "" {
			continue
		}
		o := newObservation(from, rule.AsString(), point.Attributes(), anyAttribute)
		o.At = timeOf(point.Timestamp())
		value := pointValue(point)
		if metric.Name() == severityName {
			o.Judged, o.Severity = true, severityOf(value)
		} else {
			o.Impact = value
		}
		observations = append(observations, o)
	}
	return observations
}

// pointValue returns 0 for a point that says that its series has ended.
func pointValue(point pmetric.NumberDataPoint) float64 {
	switch {
	case point.Flags().NoRecordedValue():
		return 0
	case point.ValueType() == pmetric.NumberDataPointValueTypeInt:
		return float64(point.IntValue())
	}
	return point.DoubleValue()
}
