#!/usr/bin/env bash
# services.sh start|stop DIRECTORY: the tests' private PostgreSQL and RabbitMQ, with a PostgreSQL that is durable and has
# memory, as in production: commits wait for the disk.
# start prints POSTGRES_URL=… and RABBITMQ_URL=…, and leaves DIRECTORY/postgres.pid and DIRECTORY/rabbitmq.pid.
# Environment: none
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../Scripts/common.sh"

usage="usage: services.sh start|stop DIRECTORY"
action=${1:?$usage} directory=${2:?$usage}
timeout_seconds=90
source Scripts/processes.sh
source Scripts/services-postgres.sh

if [[ $action == stop ]]; then
    stop_postgres
    exec Scripts/services.sh stop rabbitmq "$directory"
fi
[[ $action == start ]] || die "$usage"

answer=$(Scripts/services.sh start all "$directory")
postgres_url=$(sed -n 's/^MARTLET_TEST_POSTGRES_URL=//p' <<<"$answer")
rabbitmq_url=$(sed -n 's/^MARTLET_TEST_RABBITMQ_URL=//p' <<<"$answer")

# The tests' settings are on its command line, which no other place overrules: hence a second start.
stop_postgres
binaries=$(postgres_binaries)
port=${postgres_url##*:}
durable=(
    fsync=on full_page_writes=on synchronous_commit=on wal_compression=on
    shared_buffers=1GB effective_cache_size=4GB random_page_cost=1.1
    # No checkpoint by volume falls into a round.
    max_wal_size=8GB checkpoint_timeout=1h
    listen_addresses=127.0.0.1 unix_socket_directories= max_connections=300
)
launch postgres postgres "$binaries/postgres" -D "$directory/postgres/data" -p "${port%%/*}" "${durable[@]/#/--}"
wait_until postgres "$binaries/psql" --no-psqlrc --quiet "$postgres_url" --command 'SELECT 1' || {
    tail -n 20 "$directory/postgres.log" >&2
    die "PostgreSQL did not start with the benchmark's settings."
}
echo "POSTGRES_URL=$postgres_url"
echo "RABBITMQ_URL=$rabbitmq_url"
