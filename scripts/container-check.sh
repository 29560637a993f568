#!/usr/bin/env bash
# Builds the image and runs it as in production: read-only, without capabilities, stopped, started and replaced.
# Uses Podman, or Docker with ENGINE=docker. Passes its arguments to the build. Needs curl and node.
set -euo pipefail
cd "$(dirname "$0")/.."

engine=${ENGINE:-podman}
image=atelier
name=atelier-check-$$
# Podman's own format has no HEALTHCHECK.
export BUILDAH_FORMAT=docker

say() { printf '%s\n' "── $*"; }
die() {
  say "$*"
  "$engine" logs "$name" >&2 || true
  exit 1
}
field() { node -p "JSON.parse(require('node:fs').readFileSync(0)).$1"; }
key=none
call() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $key" "$base$1" "${@:2}"; }

clean_up() {
  "$engine" rm --force "$name" || true
  "$engine" volume rm "$name" "$name-restored" "$name-backups" || true
}
trap 'clean_up &>/dev/null' EXIT

# An expression of the image's configuration, for example: config 'Labels'
config() { "$engine" image inspect "$image" | node -p "
  const [image] = JSON.parse(require('node:fs').readFileSync(0));
  const { $1: value } = { Healthcheck: image.Healthcheck, ...image.Config };
  ${2:-value}"; }

# Runs the HEALTHCHECK of the image in the container.
await_healthy() {
  local test
  mapfile -t test < <(config Healthcheck "value.Test.slice(1).join('\n')")
  for _ in {1..60}; do
    if "$engine" exec "$name" "${test[@]}"; then
      base=http://$("$engine" port "$name" 3000/tcp | head -n 1)
      call /health/ready
      echo
      return
    fi
    sleep 0.5
  done
  die 'The service does not become healthy.'
}

stop() {
  "$engine" stop -t 30 "$name" >/dev/null
  local code
  code=$("$engine" inspect --format '{{.State.ExitCode}}' "$name")
  [[ $code == 0 ]] || die "After SIGTERM the exit code is $code."
}

predict() {
  call '/v1/models/check/predictions?topK=1' --header 'Content-Type: image/png' --data-binary @- <"$picture"
}

say 'Build'
"$engine" build --tag "$image" "$@" .
"$engine" history "$image"

say 'Look at its configuration and contents'
[[ $(config Labels "value['org.opencontainers.image.version']") == "$(node -p "require('./package.json').version")" ]] ||
  die 'The label of the version is not that of package.json.'
[[ $(config Volumes 'Object.keys(value ?? {}).length') == 0 ]] || die 'The image declares a volume.'
[[ $(config Healthcheck '[value.Interval / 1e9, value.Test[1]].join()') == 30,bash ]] || die 'The health check is another.'
tools=$("$engine" run --rm "$image" bash -c 'compgen -c' | grep -xE 'npm|npx|corepack|yarn|yarnpkg' || true)
[[ -z $tools ]] || die "The image contains $tools."
! "$engine" run --rm "$image" test -e /usr/local/lib/node_modules || die 'The image contains packages of npm.'

say 'Start without a volume, which is rejected'
code=0
rejection=$("$engine" run --rm "$image" 2>&1) || code=$?
echo "$rejection"
[[ $code == 1 && $rejection == *'is not on a volume'* ]] || die "The exit code is $code."

say 'Start, with nothing writable but the volumes'
volume=$name
options=(--read-only --cap-drop=ALL --security-opt=no-new-privileges)
# Otherwise Podman mounts a writable /tmp.
[[ $engine == *podman* ]] && options+=(--read-only-tmpfs=false)
run() {
  "$engine" run --detach --name "$name" "${options[@]}" --volume "$volume:/var/lib/atelier" --volume "$name-backups:/backups" \
    --env STARTER_JOB=off --publish 127.0.0.1::3000 "$image" >/dev/null
}
# A new volume belongs to root.
"$engine" run --rm --user 0 --volume "$name-backups:/backups" "$image" chown 1000:1000 /backups
run
await_healthy
[[ $("$engine" exec "$name" id -u) != 0 ]] || die 'The service runs as root.'
! "$engine" exec "$name" touch /tmp/x /app/x /app/data/x 2>/dev/null || die 'The root file system can be written.'

say 'Read the key that the first start prints'
key=$("$engine" logs "$name" 2>&1 | sed -n 's/^ *\(atl_[A-Za-z0-9_-]*\)$/\1/p')
[[ -n $key ]] || die 'No key is printed.'
status=$(curl --silent --output /dev/null --write-out '%{http_code}' "$base/v1/models")
[[ $status == 401 ]] || die "Without it the status is $status."

say 'Read the contract, with its examples'
examples=$(call /openapi.json | field components.schemas.TrainingJob.examples.length)
[[ $examples == 1 ]] || die "The contract has $examples examples of a training job."

say 'Train one epoch'
job=$(call /v1/training-jobs --json '{"dataset":"fashion-mnist","modelName":"check","training":{"epochs":1}}' | field id)
status=queued
for _ in {1..240}; do
  status=$(call "/v1/training-jobs/$job" | field status)
  [[ $status == queued || $status == running ]] || break
  sleep 0.5
done
[[ $status == succeeded ]] || die "The job is $status."

say 'Draw a plot as PNG, without fonts in the image'
signature=$(call "/v1/training-jobs/$job/plots/loss?format=png" | node -p "String(require('node:fs').readFileSync(0).subarray(1, 4))")
[[ $signature == PNG ]] || die "The plot begins with $signature."

say 'Predict a picture'
picture=$(mktemp)
trap 'rm -f "$picture"; clean_up &>/dev/null' EXIT
call /v1/datasets/fashion-mnist/splits/test/images/0 --output "$picture"
before=$(predict)
echo "$before"

say 'Back up into another volume, while the service runs'
"$engine" exec "$name" node src/commands/backup.ts /backups/backup

say 'Stop with SIGTERM, start on the same volume'
stop
"$engine" start "$name" >/dev/null
await_healthy
after=$(predict)
[[ $after == "$before" ]] || die "After the restart the prediction is another: $after"
stop

say 'Remove the container, run another one on the same volume'
"$engine" rm "$name" >/dev/null
run
await_healthy
after=$(predict)
[[ $after == "$before" ]] || die "In the new container the prediction is another: $after"
stop

say 'Restore the backup into a new volume, run a container on it'
"$engine" rm "$name" >/dev/null
volume=$name-restored
"$engine" run --rm "${options[@]}" --volume "$volume:/var/lib/atelier" --volume "$name-backups:/backups:ro" "$image" \
  node src/commands/restore.ts /backups/backup
run
await_healthy
after=$(predict)
[[ $after == "$before" ]] || die "From the backup the prediction is another: $after"
stop
say 'The image holds.'
