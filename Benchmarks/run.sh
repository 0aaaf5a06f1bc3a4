#!/usr/bin/env bash
# run.sh [--quick] [--json FILE] […, see --help]: builds release, starts private servers, fills a database, measures
# and stops what it started. README.md says what the table means.
# Environment: none; nothing of it reaches the servers that are measured
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../Scripts/common.sh"

for argument in "$@"; do
    if [[ $argument == -h || $argument == --help ]]; then exec python3 -B Benchmarks/bench.py --help; fi
done
has_command wrk || die "wrk is missing: apt-get install wrk"

say "Building release; the first time takes many minutes"
for product in RestServer WebSocketServer martlet; do
    swift build --configuration release --product "$product" >&2
done
swift build --configuration release --package-path Benchmarks/LiveLoad >&2

binaries=$(swift build --configuration release --show-bin-path)
live_load=$(swift build --configuration release --package-path Benchmarks/LiveLoad --show-bin-path)/LiveLoad
exec python3 -B Benchmarks/bench.py --binaries "$binaries" --live-load "$live_load" "$@"
