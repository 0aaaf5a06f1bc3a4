#!/usr/bin/env bash
# run.sh [options of `martlet serve`]: sets up, builds and starts the all-in-one server: SQLite, in-process bus, local
# disk. Its data stays in ./data between runs. Every step does nothing when it was done before.
# Environment: CONFIGURATION  debug (default: half the first build's time, and shared with `make test`) or release
#              SERVER_ADDRESS, SERVER_PORT, … pass on to the server, see README.md
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

configuration=${CONFIGURATION:-debug}
[[ $configuration == debug || $configuration == release ]] ||
    die "CONFIGURATION is '$configuration'; it takes debug or release."

Scripts/check-toolchain.sh
Scripts/install-libraries.sh run
Scripts/fetch-swagger-ui.sh || (($? == 3))

say "Building martlet ($configuration); the first time takes some minutes"
swift build --configuration "$configuration" --product martlet >&2
binaries=$(swift build --configuration "$configuration" --show-bin-path)

# Absolute, so that the server may change folders; the caller's own value wins.
if [[ -z ${DOCS_ASSETS:-} && -d .build/swagger-ui ]]; then export DOCS_ASSETS=$PWD/.build/swagger-ui; fi
say "Starting martlet; Ctrl-C ends it"
exec "$binaries/martlet" serve "$@"
