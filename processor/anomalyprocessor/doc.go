// Package anomalyprocessor judges metrics by rules that are data, and flags bottlenecks: each flag is a point of
// anomaly.severity in the resource of what it flags, with the reason, the cost and advice. Data that passes through
// is neither changed nor held back.
package anomalyprocessor

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
