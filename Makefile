# Bridgehead. The doors for people: make demo, make test, make bench, make lint.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 0

PROGRAMS := cc-backend cc-metric-store gen-keypair convert-pem-pubkey clustersim cw-adminctl cw-nodectl cw-clusterctl
VERSION  := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
GO       := go
BUILD    := $(GO) build -trimpath -ldflags '-s -w -X github.com/bridgehead-hpc/bridgehead/internal/server.version=$(VERSION) -X github.com/bridgehead-hpc/bridgehead/internal/metricserver.version=$(VERSION)'

.PHONY: help build demo test faults lint bench bench-metricstore generate web clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

build: ## Build every program into bin/
	@mkdir -p bin
	$(BUILD) -o bin/ $(addprefix ./cmd/,$(PROGRAMS))

demo: build ## Run everything here: a head node, a live simulated cluster, this machine as a node
	@scripts/demo.sh

test: ## Install what the tests need (on Debian as root; else say what is skipped) and run every test
	@scripts/test.sh

faults: ## The long forms of the tests that take disk, power and network away (root, half an hour)
	BRIDGEHEAD_FAULTS=long $(GO) test -count=1 -timeout 2h -v ./test/fault
	BRIDGEHEAD_FAULTS=long $(GO) test -count=1 -timeout 2h -v -run 'Killed|AMillionNames' ./internal/store/sqlite ./internal/metricstore ./test/attack

lint: ## golangci-lint, go vet, generated files are current
	@scripts/lint.sh

bench: ## The performance tables
	@scripts/bench.sh

bench-metricstore: ## The table of the metric store: write, die, restart, ask
	@scripts/bench-metricstore.sh

generate: ## Make generated files again
	$(GO) generate ./...

web: ## Build the web UI into web/dist
	cd web && npm ci --no-audit --no-fund && npm run build

clean: ## Remove what make has made
	rm -rf bin demo
