#!/usr/bin/env bash
# Fails when a generated file is not what go generate makes of the sources.
set -euo pipefail
cd "$(dirname "$0")/.."
before=$(git status --porcelain -- web/dist docs 2>/dev/null | sort)
go generate ./...
after=$(git status --porcelain -- web/dist docs 2>/dev/null | sort)
if [[ "$before" != "$after" ]]; then
  echo "generated files are stale; commit what 'make generate' makes:" >&2
  git --no-pager diff --stat -- web/dist docs >&2
  exit 1
fi
