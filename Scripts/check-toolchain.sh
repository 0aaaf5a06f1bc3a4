#!/usr/bin/env bash
# Fails with a clear message when the Swift toolchain is missing or older than Package.swift asks for.
# Environment: none
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Package.swift's swift-tools-version.
required_major=6 required_minor=2

advice=(
    "Install Swift 6.3 from https://www.swift.org/install/linux/ (Debian 12: swiftly, or the tarball unpacked to"
    "/opt/swift), put its usr/bin on PATH, and run this command again."
)

swift=swift
has_command "$swift" || die "no Swift toolchain: '$swift' is not on PATH." "${advice[@]}"
answer=$("$swift" --version 2>&1) || die "'$swift --version' failed:" "$answer" "${advice[@]}"
[[ $answer =~ Swift\ version\ ([0-9]+)\.([0-9]+) ]] ||
    die "cannot read a version from '$swift --version':" "$answer" "${advice[@]}"
major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
if ((major < required_major || (major == required_major && minor < required_minor))); then
    die "Swift $major.$minor is too old: Martlet needs $required_major.$required_minor or newer." "${advice[@]}"
fi
