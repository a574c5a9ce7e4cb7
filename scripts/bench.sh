#!/usr/bin/env bash
# The performance tables: each benchmark six times (BENCH_COUNT=1 for a look), summed up by benchstat.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/tools.sh
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go test -run '^$' -bench . -benchmem -count "${BENCH_COUNT:-6}" ./internal/... | tee "$out" >&2
bin/benchstat "$out"
