# shellcheck shell=bash disable=SC2154
# Starting servers in the background and ending exactly those again; sourced by services.sh.
# Uses: directory, timeout_seconds
# A process is known by its number and its start time, as numbers are reused.

start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) } # behind the command's name, which may hold blanks
    local fields
    read -ra fields <<<"$stat"
    [[ ${fields[0]} != Z ]] && echo "${fields[19]}"
}

# free_ports COUNT: ports that nothing listens on, all different, found by binding them. They lie below Linux's range
# for outgoing connections (32768…), so none of those takes one before the server does.
free_ports() {
    perl -MIO::Socket::INET -e '
        my @held;
        for (1 .. 1000) {
            last if @held == $ARGV[0];
            my $socket = IO::Socket::INET->new(
                Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 20000 + int rand 12000, Proto => "tcp");
            push @held, $socket if $socket;
        }
        die "no free port" if @held < $ARGV[0];
        print join(" ", map { $_->sockport } @held), "\n";' "$1"
}

# was_started NAME: whether keep_ports noted the ports of an earlier start in DIRECTORY.
was_started() { [[ -e $directory/$1.ports ]]; }

# keep_ports NAME PORT…: once NAME answers there, so that a port which another took first is never kept.
keep_ports() { echo "${*:2}" >"$directory/$1.ports"; }

# as_user USER COMMAND…: the command as USER when root, as the caller otherwise.
as_user() {
    local user=$1
    shift
    if is_root; then set -- setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"; fi
    "$@"
}

# private_directory NAME USER: an empty folder in DIRECTORY that only USER sees.
private_directory() {
    rm -rf "${directory:?}/$1"
    mkdir -m 700 "$directory/$1"
    if is_root; then chown "$2:" "$directory/$1"; fi
}

# A caller that waits for the end of all who hold a pipe or socket of its own must not wait for the servers: Swift's
# Foundation knows the end of a process that way.
close_inherited() {
    local fd
    for fd in "/proc/$BASHPID/fd/"*; do
        fd=${fd##*/}
        if ((fd > 2)); then exec {fd}>&-; fi
    done
}

# launch NAME USER COMMAND…: in a session of its own, so that a Ctrl-C reaches the caller alone, who stops it in order.
launch() {
    local name=$1 user=$2
    shift 2
    if is_root; then set -- setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"; fi
    (
        close_inherited
        # A caller's blocked or ignored signals are handed down, and a server deaf to TERM takes long to stop.
        exec perl -MPOSIX -e 'sigprocmask(SIG_SETMASK, POSIX::SigSet->new); @SIG{qw(TERM INT QUIT)} = ("DEFAULT") x 3;
            exec @ARGV or die "$ARGV[0]: $!\n"' setsid "$@"
    ) </dev/null >>"$directory/$name.log" 2>&1 &
    echo "$! $(start_time "$!")" >"$directory/$name.pid"
}

is_running() {
    local pid started
    read -r pid started 2>/dev/null <"$directory/$1.pid" || return 1
    [[ -n $started && $(start_time "$pid") == "$started" ]]
}

# wait_until NAME COMMAND…: until the command succeeds; fails when NAME's process ends or time is up.
wait_until() {
    local name=$1 deadline=$((SECONDS + timeout_seconds))
    shift
    until "$@" >/dev/null 2>&1; do
        if ! is_running "$name" || ((SECONDS >= deadline)); then return 1; fi
        sleep 0.1
    done
    is_running "$name"
}

is_listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }

# terminate NAME SIGNAL…: each signal in turn, 10 s apart, until the process is gone; KILL goes to its whole session.
terminate() {
    local name=$1 pid signal deadline
    shift
    if is_running "$name"; then
        read -r pid _ <"$directory/$name.pid"
        for signal in "$@" KILL; do
            if [[ $signal == KILL ]]; then pid=-$pid; fi
            kill -s "$signal" -- "$pid" 2>/dev/null || true
            deadline=$((SECONDS + 10))
            while is_running "$name" && ((SECONDS < deadline)); do sleep 0.1; done
            if ! is_running "$name"; then break; fi
        done
    fi
    rm -f "$directory/$name.pid"
}
