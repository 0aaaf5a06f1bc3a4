#!/usr/bin/env bash
# install-libraries.sh run|test|bench: installs the Debian packages that are missing, and nothing when none is.
#   run   what the build and `make run` need
#   test  also the servers that `make test` starts privately; the system's own PostgreSQL and RabbitMQ stay as they
#         are, and fresh ones are neither started nor enabled
#   bench  also the load generator of `make bench`
# As root it calls apt-get itself, otherwise through sudo; with neither it prints the command to run.
# Environment: none
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

purpose=${1:-run}
[[ $purpose =~ ^(run|test|bench)$ ]] || die "usage: install-libraries.sh run|test|bench"

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing=()
need() { for package in "$@"; do is_installed "$package" || missing+=("$package"); done; }

has_command dpkg-query || die "this is not Debian or Ubuntu: install the libraries by hand, then run 'make build'." \
    "Needed: libpq, librabbitmq, libsodium, SQLite 3 and zlib with their headers, pkg-config, curl."
need libpq-dev librabbitmq-dev libsodium-dev libsqlite3-dev zlib1g-dev
# Commands count whoever installed them.
has_command pkg-config || missing+=(pkg-config)
has_command curl || missing+=(curl ca-certificates)
if [[ ! -e .build/swagger-ui/.version ]]; then
    python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
fi

quiet_postgresql=0 quiet_rabbitmq=0
if [[ $purpose == bench ]]; then has_command wrk || missing+=(wrk); fi
if [[ $purpose != run ]]; then
    if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then missing+=(postgresql) quiet_postgresql=1; fi
    if ! is_installed rabbitmq-server; then missing+=(rabbitmq-server) quiet_rabbitmq=1; fi
fi

if ((${#missing[@]} == 0)); then exit 0; fi

as_root=()
if ! is_root; then
    has_command sudo || die "these Debian packages are missing, and there is neither root nor sudo to install them:" \
        "${missing[*]}" "Run as root: apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
fi
say "Installing ${missing[*]}"

# A fresh postgresql package would create and start a cluster "main", a fresh rabbitmq-server a node. These two undo
# themselves whatever happens below.
cluster_directory=/etc/postgresql-common/createcluster.d
cluster_file=$cluster_directory/martlet-no-main-cluster.conf
units=(rabbitmq-server.service epmd.service epmd.socket)
has_systemd() { [[ -d /run/systemd/system ]]; }

allow_services() {
    if ((quiet_postgresql)); then
        "${as_root[@]}" rm -f "$cluster_file"
        # Kept when something else lies in them, or when the package now owns them.
        "${as_root[@]}" rmdir --ignore-fail-on-non-empty "$cluster_directory" /etc/postgresql-common 2>/dev/null || true
    fi
    if ((quiet_rabbitmq)) && has_systemd; then
        "${as_root[@]}" systemctl --quiet --runtime unmask "${units[@]}" || true
        "${as_root[@]}" systemctl --quiet disable rabbitmq-server.service 2>/dev/null || true
    fi
}

trap allow_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if ((quiet_postgresql)); then
    "${as_root[@]}" mkdir -p "$cluster_directory"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$cluster_file" >/dev/null
fi
if ((quiet_rabbitmq)) && has_systemd; then
    "${as_root[@]}" systemctl --quiet --runtime mask "${units[@]}"
fi

apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
"${apt[@]}" update >&2 || say "apt-get update failed; trying with the package lists that are here"
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get could not install: ${missing[*]}"
