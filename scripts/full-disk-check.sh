#!/usr/bin/env bash
# Fills the disk of a service while it trains, frees it again, and checks that nothing is lost.
# Mounts a small tmpfs as STATE_DIR and unmounts it afterwards, which needs root. Needs curl and the data.
# usage: scripts/full-disk-check.sh [epochs]
set -euo pipefail
cd "$(dirname "$0")/.."

epochs=${1:-400}
node=node_modules/.bin/node
state=$(mktemp -d)
log=$(mktemp)
pid=

say() { printf '%s\n' "── $*"; }
die() {
  say "$*"
  tail -n 20 "$log" >&2
  exit 1
}
clean_up() {
  [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
  wait || true
  umount "$state" || true
  rmdir "$state"
  rm -f "$log"
}
trap clean_up EXIT

field() { "$node" -p "JSON.parse(require('node:fs').readFileSync(0)).$1"; }
call() { curl --silent --show-error --fail-with-body "$base$1" "${@:2}"; }
# Status and code of a rejected request.
refusal() { curl --silent --write-out '\n%{http_code}' "$base$1" "${@:2}" | "$node" -p "
  const [body, status] = require('node:fs').readFileSync(0, 'utf8').split(/\n(?=\d+\n?$)/);
  status.trim() + ' ' + JSON.parse(body).code + ': ' + JSON.parse(body).detail"; }
request() { # name, epochs
  printf '{"dataset":"fashion-mnist","modelName":"%s","network":{"hidden":[128]},"training":{"epochs":%s,"batchSize":64,
    "validation":{"fraction":0.95},"optimizer":{"type":"adam"},"dropout":0.2,"checkpointEverySeconds":1}}' "$1" "$2"
}
train() { call /v1/training-jobs --json "$(request "$1" "$2")" | field id; }
job() { call "/v1/training-jobs/$1" | field "$2"; }
ended() { # id
  while [[ $(job "$1" finishedAt) == null ]]; do sleep 0.5; done
  [[ $(job "$1" status) == succeeded ]] || die "The job is $(job "$1" status): $(call "/v1/training-jobs/$1")"
}
checkpoints() { call "/v1/training-jobs/$1/checkpoints" | field data.length; }
predict() { call '/v1/models/before/predictions?topK=1' --header 'Content-Type: application/octet-stream' --data-binary @"$picture"; }

start() {
  : >"$log"
  PORT=0 STATE_DIR=$state STARTER_JOB=off TRAINING_WORKERS=1 "$node" src/main.ts >>"$log" 2>&1 &
  pid=$!
  for _ in {1..100}; do
    base=$(sed -n 's/.*Atelier serves \(http:[^,]*\),.*/\1/p' "$log")
    [[ -z $base ]] || return 0
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.2
  done
  die 'The service does not start.'
}
stop() {
  kill -TERM "$pid"
  wait "$pid" || die "After SIGTERM the exit code is $?."
  pid=
}
fill() { dd if=/dev/zero of="$state/ballast" bs=4k 2>/dev/null || true; }

mount -t tmpfs -o size=24m tmpfs "$state"
start || die 'The service does not start.'

say 'Train undisturbed'
undisturbed=$(train before "$epochs")
ended "$undisturbed"
digest=$(job "$undisturbed" digest)
picture=$(mktemp)
trap 'rm -f "$picture"; clean_up' EXIT
call /v1/datasets/fashion-mnist/splits/test/images/0 --header 'Accept: application/octet-stream' --output "$picture"
before=$(predict)
# The log has room for more writes than this job makes; it is empty after a start.
stop
start || die 'The service does not start again.'

say 'Train the same, and fill the disk under it'
id=$(train during "$epochs")
until [[ $(checkpoints "$id") -gt 0 ]]; do sleep 0.1; done
fill
events=$(call "/v1/training-jobs/$id/events?limit=1000")
sleep 5
df --output=size,avail "$state" | tail -n 1
kill -0 "$pid" || die 'The service has ended.'
call /health/ready
echo
[[ $(predict) == "$before" ]] || die 'The prediction is another.'
call /v1/training-jobs >/dev/null
call "/v1/training-jobs/$id/events?limit=1000" >/dev/null
refused=$(refusal /v1/training-jobs --json "$(request more 1)")
echo "POST /v1/training-jobs: $refused"
[[ $refused == '507 storage-full'* ]] || die 'This is not how it is to be refused.'
[[ $(job "$id" status) == running ]] || die "The job is $(job "$id" status)."

say 'Free it: the job goes on'
rm "$state/ballast"
ended "$id"
[[ $(job "$id" digest) == "$digest" ]] || die "The digest is $(job "$id" digest), and not $digest."
[[ $(job "$id" attempts) == 1 ]] || die "It took $(job "$id" attempts) attempts."
now=$(call "/v1/training-jobs/$id/events?limit=1000")
"$node" -e "
  const [before, now] = process.argv.slice(1).map((text) => JSON.parse(text).data);
  const { deepStrictEqual } = require('node:assert');
  deepStrictEqual(now.slice(0, before.length), before);
  deepStrictEqual(now.map(({ id }) => id), now.map((_, n) => n + 1));
  console.log(before.length + ' events before, ' + now.length + ' after, without a gap');" "$events" "$now"

for signal in TERM KILL; do
  say "Fill it again, and send SIG$signal while a job runs"
  id=$(train "sig-${signal,,}" "$epochs")
  until [[ $(checkpoints "$id") -gt 0 ]]; do sleep 0.1; done
  fill
  sleep 3
  kill "-$signal" "$pid"
  code=0
  wait "$pid" 2>/dev/null || code=$?
  [[ $signal == KILL || $code == 0 ]] || die "After SIGTERM the exit code is $code."
  if start; then say 'It starts on a full disk'; else
    pid=
    said=$(grep 'does not start' "$log") || die 'It does not say why it does not start.'
    echo "$said"
    [[ $said == *'Free some space'* ]] || die 'It does not say what to do.'
  fi
  rm "$state/ballast"
  [[ -n $pid ]] || start || die 'The service does not start.'
  ended "$id"
  [[ $(job "$id" digest) == "$digest" ]] || die "The digest is $(job "$id" digest), and not $digest."
  [[ $(predict) == "$before" ]] || die 'The prediction is another.'
done
stop
say 'A full disk loses nothing.'
