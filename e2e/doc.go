// Package e2e tests the built distribution against real servers: Spark 3.5 and 4.x on YARN, HDFS, the History Server
// and Prometheus. Its tests have the build tag cluster and are run by `make test-cluster`.
package e2e
