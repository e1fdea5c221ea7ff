// Package sparkmodelreceiver reads machine-learning models that run on Spark from the REST interfaces of
// Spark, YARN and the Spark History Server. One poll serves the metrics, traces and logs of one configured instance.
package sparkmodelreceiver

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
