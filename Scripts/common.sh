# shellcheck shell=bash
# What several scripts share; sourced, never run. Works in the repository's root whatever the caller's folder was.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# Progress goes to stderr: stdout belongs to results that another program reads.
say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$1" >&2
    if (($# > 1)); then printf '       %s\n' "${@:2}" >&2; fi
    exit 1
}

has_command() { command -v "$1" >/dev/null 2>&1; }

is_root() { [[ $(id -u) -eq 0 ]]; }
