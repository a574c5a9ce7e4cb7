#!/usr/bin/env bash
# Builds the linters that tools/go.mod pins into bin/, once.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p bin
stamp=bin/.tools-$(sha256sum tools/go.sum | cut -c1-12)
if [[ ! -e $stamp ]]; then
  echo "building the pinned linters (a few minutes, once)" >&2
  (cd tools && GOFLAGS=-mod=readonly go build -o ../bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint \
    golang.org/x/vuln/cmd/govulncheck golang.org/x/perf/cmd/benchstat)
  rm -f bin/.tools-*
  touch "$stamp"
fi
