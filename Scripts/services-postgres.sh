# shellcheck shell=bash disable=SC2154
# A private PostgreSQL; sourced by services.sh.
# Uses: directory and processes.sh

postgres_binaries() {
    local newest
    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    if [[ -x $newest/initdb ]]; then echo "$newest"; else pg_config --bindir; fi
}

start_postgres() {
    local binaries data=$directory/postgres port url
    binaries=$(postgres_binaries)
    [[ -x $binaries/initdb ]] || die "no PostgreSQL server: Scripts/install-libraries.sh test installs it."
    if was_started postgres; then
        read -r port <"$directory/postgres.ports"
    else
        read -r port <<<"$(free_ports 1)"
        make_cluster || return 1
    fi

    # The data is thrown away, so nothing waits for the disk; a commit still outlives a crash of the server, which tests
    # make. Every suite holds pools of its own, hence the connections.
    launch postgres postgres "$binaries/postgres" -D "$data/data" -p "$port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 \
        -c fsync=off -c full_page_writes=off
    url=postgresql://postgres:$(cat "$data/password")@127.0.0.1:$port/postgres
    # Only this server knows the password: an answer cannot be another's.
    wait_until postgres "$binaries/psql" --no-psqlrc --quiet "$url" --command 'SELECT 1' || return 1
    keep_ports postgres "$port"
    echo "MARTLET_TEST_POSTGRES_URL=$url"
}

# Uses: binaries and data of start_postgres.
make_cluster() {
    private_directory postgres postgres || return 1
    # A superuser may run programs, so that "trust" would hand the caller's account to everybody on this machine.
    (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$data/password")
    if is_root; then chown postgres: "$data/password"; fi
    # md5 and not scram: thousands of short test connections, each 4,096 rounds of SHA-256 cheaper.
    (
        cd "$data" || exit
        as_user postgres "$binaries/initdb" --pgdata "$data/data" --username postgres --auth md5 --encoding UTF8 \
            --locale C.UTF-8 --no-sync --pwfile "$data/password"
    ) >"$directory/postgres.log" 2>&1
}

# QUIT is PostgreSQL's "immediate": no checkpoint, no flush. KILL would leave its children behind.
crash_postgres() { terminate postgres QUIT; }

# INT is PostgreSQL's "fast" (open connections are cut), QUIT its "immediate".
stop_postgres() { terminate postgres INT QUIT; }
