#!/usr/bin/env bash
# services.sh start|crash|stop postgres|rabbitmq|all DIRECTORY: private, throw-away PostgreSQL and RabbitMQ for tests.
# start  runs them on 127.0.0.1, on free ports, with everything they write in DIRECTORY, and prints
#          MARTLET_TEST_POSTGRES_URL=postgresql://postgres:…@127.0.0.1:PORT/postgres
#          MARTLET_TEST_RABBITMQ_URL=amqp://guest:guest@127.0.0.1:PORT/
#        Again in the same DIRECTORY it goes on with the ports and the data of the first time.
# crash  ends those without letting them finish anything; the next start finds what a crash leaves.
# stop   ends those that start began in DIRECTORY, and no other process; removing DIRECTORY is the caller's.
# As root they run as the users that Debian's packages made, otherwise as the caller.
# Environment: SERVICES_TIMEOUT  seconds a server may take until it answers (default 90: a cold, busy machine)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage="usage: services.sh start|crash|stop postgres|rabbitmq|all DIRECTORY"
action=${1:?$usage} which=${2:?$usage} directory=${3:?$usage}
case $which in
all) services=(postgres rabbitmq) ;;
postgres | rabbitmq) services=("$which") ;;
*) die "$usage" ;;
esac
timeout_seconds=${SERVICES_TIMEOUT:-90}
# A port that looked free can be taken by a parallel run before the server binds it.
attempts=3

source Scripts/processes.sh
source Scripts/services-postgres.sh
source Scripts/services-rabbitmq.sh

if [[ $action == stop || $action == crash ]]; then
    for service in "${services[@]}"; do "${action}_$service"; done
    exit 0
fi
[[ $action == start ]] || die "$usage"

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
if is_root; then chmod a+x "$directory"; fi # the servers' users pass through it

finished=0
stop_unfinished() {
    if ((finished)); then return 0; fi # spelt out: a bare return in a trap repeats the status before it
    trap '' INT TERM
    set +e
    for service in "${services[@]}"; do "stop_$service"; done
}
trap stop_unfinished EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for service in "${services[@]}"; do
    for ((attempt = 1; ; attempt++)); do
        say "Starting a private $service"
        if "start_$service"; then break; fi
        "stop_$service"
        if ((attempt == attempts)); then
            tail -n 30 "$directory/$service.log" >&2 || true
            die "$service did not start; its log is above."
        fi
    done
done
finished=1
