#!/usr/bin/env bash
# Lint, formatting, and whether generated files are current.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/tools.sh
bin/golangci-lint run ./...
scripts/generated.sh
