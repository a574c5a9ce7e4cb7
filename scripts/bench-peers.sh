#!/usr/bin/env bash
# Bridgehead's metric store beside other stores, in one run: CC_METRIC_STORE and VICTORIA_METRICS name their programs. Each
# round starts every store afresh, writes SPAN (hours: 2h) of NODES (16) nodes into it, one node's lines a request, asks it, and
# ends it; of ROUNDS (3) rounds the best one counts, since whatever else the machine does only adds. VictoriaMetrics is
# written to as an InfluxDB and asked in PromQL, and so is Bridgehead once more, for comparison; it asks for no token.
set -euo pipefail
cd "$(dirname "$0")/.."
make --no-print-directory build >/dev/null
bin=$PWD/bin
nodes=${NODES:-16} span=${SPAN:-2h} each=${NODES_EACH:-1} rounds=${ROUNDS:-3} hosts=${HOSTS:-16}
dir=$(mktemp -d) pid=
trap '[[ -n $pid ]] && kill -9 "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir"
"$bin/cc-backend" -init >/dev/null
"$bin/cc-backend" -add-user load:api: -jwt load 2>/dev/null | sed -n 's/.*: //p' | head -1 >token
key=$(sed -n 's/^JWT_PUBLIC_KEY="\(.*\)"/\1/p' .env)
steps=$(($(date -d "1970-01-01 UTC + ${span/h/ hours}" +%s) / 60))
metrics=$("$bin/clustersim" load config --step 60s)
to=$(date +%s)

stores=(bridgehead bridgehead-promql)
[[ -n ${CC_METRIC_STORE:-} ]] && stores+=(cc-metric-store)
[[ -n ${VICTORIA_METRICS:-} ]] && stores+=(victoria-metrics)

# start_cockpit PROGRAM: a store of ClusterCockpit's kind, with a configuration that both understand.
start_cockpit() {
  cat >store.json <<END
{"main": {"addr": "127.0.0.1:$port", "jwt-public-key": "$key"},
 "metric-store": {"retention-in-memory": "100h", "checkpoints": {"directory": "$dir/data"}},
 "metrics": $metrics}
END
  mkdir -p data
  "$1" -config store.json 2>>log &
}
# used PID: the CPU time of a process so far, in hundredths of a second.
used() { sed 's/.*) //' "/proc/$1/stat" | awk '{print $12 + $13}'; }
measure() { # STORE
  local speak=cockpit before
  port=$(shuf -i 20000-32000 -n 1)
  rm -rf data
  case $1 in
  bridgehead) start_cockpit "$bin/cc-metric-store" ;;
  bridgehead-promql)
    speak=influx
    start_cockpit "$bin/cc-metric-store"
    ;;
  cc-metric-store) start_cockpit "$CC_METRIC_STORE" ;;
  victoria-metrics)
    speak=influx
    "$VICTORIA_METRICS" -storageDataPath=data -httpListenAddr="127.0.0.1:$port" -retentionPeriod=100y -influxSkipSingleField 2>>log &
    ;;
  esac
  pid=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null || { tail -5 log >&2; exit 1; }
    sleep 0.01
  done
  load() { "$bin/clustersim" load "$@" --speak "$speak" --cluster load --nodes "$nodes" --step 60s --url "http://127.0.0.1:$port" --token-file token --pid "$pid" --json; }
  before=$(used "$pid")
  load fill --span "$span" --to "$to" --nodes-each "$each" 2>>log |
    jq -c --arg s "$1" '{store: $s, row: "write: CPU s a million samples", value: .server_cpu_seconds_per_million}, {store: $s, row: "write: private MB at the end", value: (.private_bytes_per_sample * .samples / 1048576)}' >>results
  sleep 10 # what was written has to become visible, and is put in order, where that takes time
  jq -nc --arg s "$1" --argjson cpu "$(($(used "$pid") - before))" --argjson n "$((nodes * 456 * steps))" '{store: $s, row: "write, and 10 s after it: CPU s a million samples", value: ($cpu * 10000 / $n)}' >>results
  load ask --hosts "$hosts" --span "$span" --to "$to" 2>>log |
    jq -c --arg s "$1" '{store: $s, row: "\(.question): CPU ms a request", value: .server_cpu_ms}, {store: $s, row: "\(.question): p50 ms", value: .p50_ms}, {store: $s, row: "\(.question): answer, kB", value: (.bytes / 1000)}' >>results
  kill -TERM "$pid"
  wait "$pid" 2>/dev/null || true
  pid=
}
for _ in $(seq "$rounds"); do
  for store in "${stores[@]}"; do measure "$store"; done
done
echo "== $nodes nodes x 456 series, $span; the best of $rounds rounds"
jq -rs --args '
  def figure: if . == null then "-" elif . >= 100 then round else (. * 100 | round) / 100 end | tostring;
  (group_by(.row + .store) | map(min_by(.value))) as $best
  | (["", $ARGS.positional[]], ($best | map(.row) | unique | .[] as $row
    | [$row, ($ARGS.positional[] as $s | first($best[] | select(.row == $row and .store == $s) | .value) // null | figure)])) | @tsv' "${stores[@]}" <results | column -t -s $'\t'
