# The front door: each target says what it is for; `make help` lists them.
SHELL := bash
GO ?= go
TOOL := $(GO) tool -modfile=internal/tools/go.mod
COLLECTOR := dist/otelcol-sparkmodel
GO_SOURCES := $(shell git ls-files '*.go' '*.yaml' go.mod go.sum ':!testdata' ':!internal/tools' 2>/dev/null)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: build ## watch a recorded cluster: what is flagged, why, and what to do about it (needs Go alone)
	$(GO) run ./cmd/demo

.PHONY: build
build: $(COLLECTOR) ## build the distribution: dist/otelcol-sparkmodel

$(COLLECTOR): builder-config.yaml internal/tools/go.mod $(GO_SOURCES)
	$(TOOL) builder --config builder-config.yaml

.PHONY: test
test: build ## all tests that need no Java
	$(GO) test ./...

.PHONY: race
race: build ## the same, with the race detector
	$(GO) test -race ./...

.PHONY: cluster
cluster: ## start a real cluster on this machine: YARN, HDFS, Spark 3.5 and 4.x (addresses in .cluster/env)
	cluster/up

.PHONY: cluster-down
cluster-down: ## stop it, without a trace
	cluster/down

.PHONY: test-cluster
test-cluster: build ## the tests against real Spark, YARN, HDFS, Prometheus, Alertmanager and a mail server
	$(GO) test -tags cluster -count=1 -timeout 10m -v -run 'TestReal|InABrowser' ./exporter/alertexporter
	$(GO) test -tags cluster -count=1 -timeout 55m -v ./e2e

.PHONY: bench
bench: ## what polls and judgements cost, ours and the peer's: docs/benchmarks.md, dist/bench.json
	$(GO) build -C bench -mod=mod -o ../dist/bench .
	dist/bench

.PHONY: quality
quality: build ## what the rules find and miss in recorded runs; RECORDING=file tries one recording, RULES=file rules of your own
	$(GO) run ./cmd/quality $(if $(RULES),-rules $(RULES)) $(if $(RECORDING)$(RULES),,-markdown docs/quality.md) $(RECORDING)

.PHONY: generate
generate: ## write again what mdatagen generates
	$(GO) generate ./...

.PHONY: lint
lint: ## check the code
	$(TOOL) golangci-lint run ./...
