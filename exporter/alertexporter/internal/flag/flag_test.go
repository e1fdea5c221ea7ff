package flag

import (
	"math"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
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
	for words, attributes := range map[string][]string{
		"":                                      nil,
		"plain x":                               {"plain", "x"},
		"queue root.ml":                         {"yarn.queue.name", "root.ml"},
		"stage 4":                               {"spark.stage.id", "4", "spark.stage.attempt.id", "0", "empty", ""},
		"stage 4 (count at Train.scala:40)":     {"spark.stage.name", "count at Train.scala:40", "spark.stage.id", "4"},
		"stage 4, stage attempt 1, executor 12": {"spark.stage.id", "4", "spark.stage.attempt.id", "1", "spark.executor.id", "12"},
	} {
		var nouns []noun
		for i := 0; i < len(attributes); i += 2 {
			nouns = appendNoun(nouns, attributes[i], attributes[i+1])
		}
		assert.Equal(t, words, inWords(nouns))
	}
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
	assert.Equal(t, observations[0].ID, observations[1].ID)
}

// What the receiver says of an application is identified by cluster, application and attempt, whatever else is known.
func TestIdentityIsWhatEntityReferencesName(t *testing.T) {
	said := func(attributes map[string]any, references ...string) Observation {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		require.NoError(t, rm.Resource().Attributes().FromRaw(attributes))
		if references != nil {
			entity.ResourceEntityRefs(rm.Resource()).AppendEmpty().IdKeys().FromRaw(references)
		}
		severity := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		severity.SetName("anomaly.severity")
		severity.SetEmptyGauge().DataPoints().AppendEmpty().Attributes().PutStr("anomaly.rule", "r")
		return FromMetrics(OnlyMetrics(md))[0]
	}
	first := said(map[string]any{"spark.application.id": "a"}, "spark.application.id")
	later := said(map[string]any{"spark.application.id": "a", "spark.version": "4.0.1"}, "spark.application.id")
	assert.Equal(t, first.ID, later.ID)
	assert.Equal(t, model.LabelValue("4.0.1"), later.Labels["spark_version"])
	assert.NotEqual(t, first.ID, said(map[string]any{"spark.application.id": "b"}, "spark.application.id").ID)
	assert.NotEqual(t, said(map[string]any{"a": "1"}).ID, said(map[string]any{"a": "1", "b": "2"}).ID)
}
