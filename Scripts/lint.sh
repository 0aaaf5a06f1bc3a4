#!/usr/bin/env bash
# Fails on Swift that .swift-format would write otherwise, and on a script with a finding of shellcheck, where that is
# installed. The arrows between targets are checked by the build.
# Environment: none
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

paths=(Package.swift)
for folder in Sources Tests Benchmarks; do
    if [[ -d $folder ]]; then paths+=("$folder"); fi
done
swift format lint --strict --parallel --recursive "${paths[@]}"

if has_command shellcheck; then
    shellcheck Scripts/*.sh Benchmarks/*.sh .ci/run
fi
