package notify

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/book"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/flag"
)

// arranged returns the alerts of a notification with the worst first: those that fire, by impact, then by severity. It
// leaves out the end of an alert that goes on with a higher severity.
func arranged(alerts []*alert.Alert) []*alert.Alert {
	goesOn := map[model.Fingerprint]bool{}
	for _, a := range alerts {
		if !a.Resolved() {
			goesOn[book.Identity(a.Labels)] = true
		}
	}
	kept := slices.DeleteFunc(slices.Clone(alerts), func(a *alert.Alert) bool { return a.Resolved() && goesOn[book.Identity(a.Labels)] })
	slices.SortStableFunc(kept, func(a, b *alert.Alert) int {
		return cmp.Or(
			cmp.Compare(a.Status(), b.Status()), // "firing" comes before "resolved"
			cmp.Compare(impact(b), impact(a)),
			cmp.Compare(severity(b), severity(a)),
		)
	})
	return kept
}

// impact is in seconds, and 0 if it is not known.
func impact(a *alert.Alert) float64 {
	seconds, _ := strconv.ParseFloat(string(a.Annotations[book.ImpactAnnotation]), 64)
	return seconds
}

func severity(a *alert.Alert) flag.Severity {
	return flag.Parse(string(a.Labels[book.SeverityLabel]))
}
