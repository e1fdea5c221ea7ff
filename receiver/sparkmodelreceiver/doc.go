// Package sparkmodelreceiver reads machine-learning models that run on Spark from the REST interfaces of
// Spark, YARN and the Spark History Server. One poll serves the metrics, traces and logs of one configured instance.
package sparkmodelreceiver

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
// The entity's generated test does not compile with more than one identifying attribute (mdatagen v0.158.0).
//go:generate rm internal/metadata/generated_entity_metrics_test.go
