# shellcheck shell=bash disable=SC2154
# A private RabbitMQ node with an Erlang port mapper (epmd) of its own; sourced by services.sh.
# Uses: directory and processes.sh

start_rabbitmq() {
    # Debian's wrapper in /usr/sbin changes the user with su and sets the system node's paths; this is what it calls.
    local server=/usr/lib/rabbitmq/bin/rabbitmq-server home=$directory/rabbitmq port dist_port epmd_port
    [[ -x $server ]] || die "no RabbitMQ server: Scripts/install-libraries.sh test installs it."
    if was_started rabbitmq; then
        read -r port dist_port epmd_port <"$directory/rabbitmq.ports"
    else
        read -r port dist_port epmd_port <<<"$(free_ports 3)"
        make_node || return 1
    fi

    local environment=(
        HOME="$home"
        RABBITMQ_NODENAME="martlet-test-$port@localhost"
        RABBITMQ_MNESIA_BASE="$home/mnesia"
        RABBITMQ_LOG_BASE="$home/log"
        RABBITMQ_PID_FILE="$home/node.pid"
        RABBITMQ_CONFIG_FILE="$home/rabbitmq"
        RABBITMQ_ADVANCED_CONFIG_FILE="$home/advanced.config"
        RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins"
        RABBITMQ_CONF_ENV_FILE=/dev/null
        RABBITMQ_DIST_PORT="$dist_port"
        ERL_EPMD_PORT="$epmd_port"
        ERL_EPMD_ADDRESS=127.0.0.1
        # Erlang sizes a table by the limit of open files, which can be a thousand million in a container.
        ERL_MAX_PORTS=4096
    )
    # With none running the node would start one as a daemon, whose number nobody could know. It outlives a crash.
    if ! is_running epmd; then launch epmd rabbitmq env ERL_EPMD_ADDRESS=127.0.0.1 epmd -port "$epmd_port"; fi
    wait_until epmd is_listening "$epmd_port" || return 1
    launch rabbitmq rabbitmq env -C "$home" "${environment[@]}" "$server"
    wait_until rabbitmq is_listening "$port" || return 1
    keep_ports rabbitmq "$port" "$dist_port" "$epmd_port"
    echo "MARTLET_TEST_RABBITMQ_URL=amqp://guest:guest@127.0.0.1:$port/"
}

# Uses: home and port of start_rabbitmq.
make_node() {
    private_directory rabbitmq rabbitmq || return 1
    : >"$directory/rabbitmq.log"
    # The write-ahead log of quorum queues takes 512 MB by default.
    printf 'listeners.tcp.1 = 127.0.0.1:%s\nraft.wal_max_size_bytes = 64000000\n' "$port" >"$home/rabbitmq.conf"
    echo '[{kernel, [{inet_dist_use_interface, {127,0,0,1}}]}].' >"$home/advanced.config"
    echo '[].' >"$home/enabled_plugins"
    if is_root; then chown rabbitmq: "$home"/*; fi
}

# KILL alone.
crash_rabbitmq() { terminate rabbitmq; }

stop_rabbitmq() {
    terminate rabbitmq TERM
    terminate epmd TERM
}
