#!/usr/bin/env bash
# healthcheck.sh http PORT PATH | tcp PORT: succeeds when this machine's PORT answers (http: with 200). Needs nothing
# but bash, so that the image carries no HTTP client.
# Environment: none
set -euo pipefail

# The container engine ends a check that takes too long.
exec 3<>"/dev/tcp/127.0.0.1/${2:?usage: healthcheck.sh http PORT PATH | tcp PORT}"
if [[ $1 == tcp ]]; then exit 0; fi
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "${3:?PATH}" >&3
read -r _ status _ <&3
[[ $status == 200 ]]
