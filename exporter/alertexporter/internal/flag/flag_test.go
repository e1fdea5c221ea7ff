package flag

import (
	"math"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestSeverity(t *testing.T) {
	for value, want := range map[float64]string{
		-1: "none", 0: "none", 0.5: "none", 1: "low", 2: "moderate", 3: "severe", 4: "critical", 9: "critical", math.Inf(1): "critical",
	} {
		assert.Equal(t, want, severityOf(value).String(), value)
		assert.Equal(t, severityOf(value), Parse(want))
	}
	assert.Equal(t, None, severityOf(math.NaN()))
}

func TestLabelNames(t *testing.T) {
	for attribute, want := range map[string]model.LabelName{
		"spark.application.id": "spark_application_id", "a-b/ü": "a_b__", "1st": "_1st", "": "_",
	} {
		assert.Equal(t, want, labelName(attribute))
		assert.True(t, model.LegacyValidation.IsValidLabelName(string(labelName(attribute))))
	}
}

func TestEntitiesInWords(t *testing.T) {
	for name, words := range map[string]string{
		"spark.stage.id":         "stage x",
		"spark.stage.attempt.id": "stage attempt x",
		"yarn.queue.name":        "queue x",
		"plain":                  "plain x",
	} {
		assert.Equal(t, words, inWords(name, pcommon.NewValueStr("x")))
	}
	assert.Equal(t, `stage "count at Train.scala:40"`, inWords("spark.stage.name", pcommon.NewValueStr("count at Train.scala:40")))
}

func TestNumbersAreTheSameIdentityAsText(t *testing.T) {
	md := pmetric.NewMetrics()
	points := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	points.SetName("anomaly.severity")
	gauge := points.SetEmptyGauge().DataPoints()
	for range 2 {
		gauge.AppendEmpty().Attributes().PutStr("anomaly.rule", "r")
	}
	gauge.At(0).Attributes().PutInt("spark.stage.id", 7)
	gauge.At(1).Attributes().PutStr("spark.stage.id", "7")
	gauge.At(1).Attributes().PutStr("anomaly.detector", "of our namespace, and no part of the entity")
	gauge.At(1).Attributes().PutStr("empty", "")
	observations := FromMetrics(md)
	assert.Equal(t, observations[0].Labels, observations[1].Labels)
}
