#!/usr/bin/env bash
# The demo: a head node on embedded defaults, a simulated cluster that lives, and this machine as a node.
# Everything is below ./demo; Ctrl-C ends it, the data stay, `make clean` removes them.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
port=${DEMO_PORT:-8080}
nodes=${DEMO_NODES:-16}
history=${DEMO_HISTORY:-6h}
url=http://127.0.0.1:$port

if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  echo "Port $port of this machine is in use (by another demo?). Take another one: DEMO_PORT=18080 make demo" >&2
  exit 1
fi
mkdir -p demo && cd demo
umask 077
if [[ ! -e var ]]; then
  "$top/bin/cc-backend" -init >/dev/null
  password=$(head -c 9 /dev/urandom | base64 | tr '+/' 'xy')
  "$top/bin/cc-backend" -add-user "demo:admin,api,role.FullAdmin:$password" >/dev/null
  "$top/bin/cc-backend" -add-user "alice:user:$password" >/dev/null
  "$top/bin/cc-backend" -add-user "clustersim:api,role.ProductionEngineer:" >/dev/null
  # The tools come in by the local socket: the operating system's user is the administrator of the same name.
  [[ $(id -un) == demo ]] || "$top/bin/cc-backend" -add-user "$(id -un):role.FullAdmin:" >/dev/null
  echo "$password" >password
  fresh=1
fi
# Written at each start, so that the machine's hardware and the size of the simulation are current.
"$top/bin/clustersim" config ./var/job-archive --nodes "$nodes" --host >/dev/null
sed -i "s/\"addr\": \"[^\"]*\"/\"addr\": \"127.0.0.1:$port\"/" config.json
"$top/bin/cc-backend" -jwt clustersim -jwt-purpose "simulated cluster of the demo" -jwt-lifetime 720h | grep '^JWT' >sim.token

"$top/bin/cc-backend" -server 2>server.log &
server=$!
sim=
trap 'kill $sim $server 2>/dev/null; wait $sim $server 2>/dev/null; true' EXIT
trap 'exit 130' INT TERM
for _ in $(seq 100); do
  kill -0 $server 2>/dev/null || { cat server.log >&2; exit 1; }
  curl -fsS "$url/readyz" >/dev/null 2>&1 && break
  sleep 0.1
done
curl -fsS "$url/readyz" >/dev/null

cat <<TEXT

  Bridgehead is running:  $url
  Log in as               demo    (everything)   password: $(cat password)
  or as                   alice   (a plain user, own jobs only), same password

  The tools, from another terminal:
    export CW_SOCKET=$PWD/var/auth.sock PATH=$top/bin:\$PATH
    cw-nodectl ls
    cw-adminctl whoami

  Server log: $PWD/server.log     Ctrl-C ends the demo.

TEXT
args=()
[[ -n ${fresh:-} ]] && args=(--backfill "$history")
"$top/bin/clustersim" run --url "$url" --token-file sim.token --nodes "$nodes" --host "${args[@]}" &
sim=$!
wait -n $server $sim || {
  echo "The demo has ended. The last lines of $PWD/server.log:" >&2
  tail -3 server.log >&2
  exit 1
}
