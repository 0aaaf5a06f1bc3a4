#!/usr/bin/env bash
# healthcheck.sh http PORT PATH: succeeds when this machine's PORT answers 200 to a GET of PATH. Needs nothing but bash,
# so that the image carries no HTTP client.
# Environment: none
set -euo pipefail

# The container engine ends a check that takes too long.
exec 3<>"/dev/tcp/127.0.0.1/${2:?usage: healthcheck.sh http PORT PATH}"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "${3:?PATH}" >&3
read -r _ status _ <&3
[[ $status == 200 ]]
