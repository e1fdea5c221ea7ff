// Package alertexporter tells people about flags. It turns the flags of the anomaly processor, and events of OTLP logs,
// into alerts with a beginning and an end. It either notifies by itself, with Prometheus Alertmanager's own library and
// configuration, or hands the alerts over to Alertmanager servers.
package alertexporter

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
