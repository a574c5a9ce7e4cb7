#!/usr/bin/env bash
# Every test. On Debian as root it installs what the tests need; elsewhere it says what will be skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }

# program:package pairs
needs=(chromium:chromium sshd:openssh-server ssh-keygen:openssh-client jq:jq curl:curl gcc:gcc slapd:slapd ldapmodify:ldap-utils
  strace:strace mkfs.btrfs:btrfs-progs mkfs.ext4:e2fsprogs ip:iproute2)
missing=()
for pair in "${needs[@]}"; do
  PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
python3 -c 'import cryptography' 2>/dev/null || missing+=(python3-cryptography)
if ((${#missing[@]})); then
  if [[ $(id -u) == 0 && -e /etc/debian_version ]]; then
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "not installed, and therefore skipped where a test needs it: ${missing[*]}"
  fi
fi

say "build"
make --no-print-directory build

if command -v npm >/dev/null; then
  say "web UI: types, unit tests, build"
  (cd web && npm ci --no-audit --no-fund --silent && npm run --silent check && npm run --silent test)
  for folder in test/browser test/interop; do
    (cd "$folder" && npm ci --no-audit --no-fund --silent)
  done
  scripts/generated.sh
else
  echo "no npm: the web UI's own tests, the browser test and the opinion of npm's jose are skipped"
fi

say "Go tests, race detector on"
if command -v gcc >/dev/null; then
  CGO_ENABLED=1 go test -race -shuffle=on -timeout 20m ./...
else
  echo "no C compiler: the race detector is off"
  go test -shuffle=on -timeout 20m ./...
fi

if [[ ${CI:-} == true ]]; then
  say "lint"
  scripts/tools.sh
  bin/golangci-lint run ./...
fi
say "all tests passed"
