#!/usr/bin/env bash
# test.sh [options of `swift test`]: what `make test` and CI run: lint, the arrows between targets, and every suite over
# every adapter, against PostgreSQL and RabbitMQ of its own. The last line on stdout is `N passed, N failed`; ends with
# 0 only when none failed. Results and the servers' logs stay in .build/test-results.
# Environment: MARTLET_TEST_TIMEOUT  seconds one stage may take (default 3600)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

stage_timeout=${MARTLET_TEST_TIMEOUT:-3600}
results=.build/test-results
passed=0 failed=0
job='' services=''

# Every long step is a job that is waited for: bash acts on a signal while it waits. It gets a session of its own, as
# `swift test` gives the test process another process group, and ends it on no signal; a crashed test leaves servers.
source Scripts/sessions.sh

end_job() {
    if [[ -n $job ]]; then end_session "$job"; fi
    job=''
}

clean_up() {
    trap '' INT TERM HUP
    trap - EXIT
    set +e # every step of it, whatever came of the one before
    end_job
    if [[ -n $services ]]; then
        Scripts/services.sh stop all "$services"
        mkdir -p "$results"
        cp "$services"/*.log "$results/" 2>/dev/null
        rm -rf "$services"
    fi
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

finish() {
    clean_up
    echo "$passed passed, $failed failed"
    if ((failed)); then exit 1; fi
    exit 0
}

# run_job NAME COMMAND…: its exit code; its output also goes to NAME.log. Line by line, so that a hanging test is seen.
run_job() {
    local log=$results/$1.log pipe=$results/.pipe status=0 tee
    shift
    rm -f "$pipe"
    mkfifo "$pipe"
    tee "$log" <"$pipe" &
    tee=$!
    # A shell without job control starts what is in the background deaf to SIGINT, which tests may want to send.
    setsid env --default-signal=INT,QUIT timeout --foreground "$stage_timeout" stdbuf -oL "$@" \
        </dev/null >"$pipe" 2>&1 &
    job=$!
    wait "$job" || status=$?
    # What the step left running, as when its time was up. With no writer left, tee ends too.
    end_job
    wait "$tee" || true
    if ((status == 124)); then say "stopped after $stage_timeout seconds (MARTLET_TEST_TIMEOUT)"; fi
    return "$status"
}

# stage NAME COMMAND…: a step that passes silently or counts as one failure.
stage() {
    local name=$1
    shift
    say "$name"
    if run_job "${name%%[ ,]*}" "$@"; then return 0; fi
    say "failed: $name"
    failed=$((failed + 1))
    return 1
}

# A stage of tests, by what it left in its report: a broken one with no report still counts as a failure.
suites() {
    local status=0 report=$results/suites.xml counts
    say "suites"
    run_job suites swift test --skip-build --parallel --xunit-output "$report" "$@" || status=$?
    # Swift Testing writes beside the named file, which holds XCTest's.
    counts=$(awk -f Scripts/count-results.awk "$report" "${report%.xml}-swift-testing.xml" 2>/dev/null) || counts='0 0 0'
    read -r suite_passed suite_failed suite_skipped <<<"$counts"
    if ((status != 0 && suite_failed == 0)); then
        suite_failed=1
        say "the tests ended with $status without naming a failure; these had started and not ended:"
        awk -f Scripts/unfinished-tests.awk "$results/suites.log" >&2
    elif ((status == 0 && suite_passed == 0)); then
        suite_failed=1
        say "no test ran"
    fi
    if ((suite_skipped)); then say "$suite_skipped skipped"; fi
    passed=$((passed + suite_passed)) failed=$((failed + suite_failed))
}

rm -rf "$results"
mkdir -p "$results"
Scripts/check-toolchain.sh
stage "install libraries and servers" Scripts/install-libraries.sh test || finish

stage "lint" Scripts/lint.sh || true
stage "build, with the arrows between targets held" \
    swift build --build-tests --explicit-target-dependency-import-check error || finish

services=$(mktemp -d "${TMPDIR:-/tmp}/martlet-test.XXXXXX")
stage "services (private PostgreSQL and RabbitMQ)" Scripts/services.sh start all "$services" || finish
while IFS='=' read -r name value; do
    if [[ $name == MARTLET_TEST_* ]]; then export "$name=$value"; fi
done <"$results/services.log"

suites "$@"

# Further stages come here, each a line: `stage "name" Scripts/its-script.sh || true`. The servers above still run.

finish
