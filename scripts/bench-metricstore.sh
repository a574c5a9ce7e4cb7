#!/usr/bin/env bash
# The table of the metric store in one run: writes a day of NODES nodes (64) into a cc-metric-store of its own on the
# loopback, kills it, stops it, starts it again, and asks it. It takes about two minutes and 300 MB of disk. With
# CC_METRIC_STORE or VICTORIA_METRICS, which name programs of others, these are measured beside ours (bench-peers.sh).
#
# With --large: stores of up to a million series (SERIES) with a day (HOURS) of history, the engine alone, without HTTP. What a
# sample costs with 10^4, 10^5 and 10^6 series; the large store filled, opened, asked, written to at 100,000 samples a second,
# killed and opened again; and the same questions to small stores with one day and with fourteen. It takes about half an hour
# of one core and up to 5 GB below TMPDIR.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${1:-} == --large ]]; then
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  go test -c -o "$dir/test" ./internal/metricstore
  export METRICSTORE_LARGE_DIR=$dir/store METRICSTORE_LARGE_SERIES=${SERIES:-1000000} METRICSTORE_LARGE_HOURS=${HOURS:-24}
  for part in ${PARTS:-cost small days fill open live open}; do
    echo "== $part"
    METRICSTORE_LARGE=$part nice "$dir/test" -test.run '^TestLargeStores$' -test.timeout 5h | sed -u '/^PASS$/d'
  done
  exit
fi
make --no-print-directory build >/dev/null
bin=$PWD/bin peers=$PWD/scripts/bench-peers.sh
nodes=${NODES:-64} span=${SPAN:-24h} each=${NODES_EACH:-1}
dir=$(mktemp -d) pid=
trap '[[ -n $pid ]] && kill -9 "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir"
port=$(shuf -i 20000-32000 -n 1)
"$bin/cc-backend" -init >/dev/null
"$bin/cc-backend" -add-user load:api: -jwt load 2>/dev/null | sed -n 's/.*: //p' | head -1 >token
key=$(sed -n 's/^JWT_PUBLIC_KEY="\(.*\)"/\1/p' .env)
metrics=$("$bin/clustersim" load config --step 60s)
cat >store.json <<END
{"main": {"addr": "127.0.0.1:$port", "jwt-public-key": "$key"},
 "metric-store": {"retention-in-memory": "100h", "checkpoints": {"directory": "$dir/data"}},
 "metrics": $metrics}
END
start() {
  local began
  began=$(date +%s%N)
  "$bin/cc-metric-store" -config store.json 2>>log &
  pid=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.002; done
  started=$((($(date +%s%N) - began) / 1000000))
}
load() { "$bin/clustersim" load "$@" --cluster load --nodes "$nodes" --step 60s --url "http://127.0.0.1:$port" --token-file token --pid "$pid"; }
row() { printf '%-44s %s\n' "$1" "$2"; }

start
to=$(date +%s)
echo "== write $nodes nodes x 456 series, $span"
load fill --span "$span" --to "$to" --nodes-each "$each" --json >filled
jq -r 'to_entries[] | "\(.key)\t\(.value)"' filled | while IFS=$'\t' read -r k v; do row "$k" "$v"; done
samples=$(jq .samples filled)
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
start
row "ready after kill -9, ms" "$started"
began=$(date +%s%N)
kill -TERM "$pid"
wait "$pid" || true
row "clean stop, ms" "$((($(date +%s%N) - began) / 1000000))"
row "disk bytes a sample" "$(du -sb data | awk -v n="$samples" '{printf "%.2f", $1 / n}')"
start
row "ready after a clean stop, ms" "$started"
for hosts in 4 16 "$nodes"; do
  for s in 2h "$span"; do
    load ask --hosts "$hosts" --span "$s" --to "$to" --json
  done
done >asked
echo "== ask"
jq -r '"\(.question)\t\(.p50_ms)\t\(.server_cpu_ms)\t\(.bytes)"' asked |
  (printf 'question\tp50 ms\tCPU ms\tbytes\n'; cat) | column -t -s $'\t'
[[ -z ${CC_METRIC_STORE:-}${VICTORIA_METRICS:-} ]] || NODES=${PEER_NODES:-16} SPAN=${PEER_SPAN:-2h} "$peers"
