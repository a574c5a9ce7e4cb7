#!/usr/bin/env bash
# The performance tables: each benchmark three times (BENCH_COUNT), summed up by benchstat.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/tools.sh
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go test -run '^$' -bench . -benchmem -count "${BENCH_COUNT:-3}" ./internal/... | tee "$out" >&2
bin/benchstat "$out"
