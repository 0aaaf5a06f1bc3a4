# Prints "PASSED FAILED SKIPPED" for the test cases of xunit reports. Counts elements, not the reports' own totals:
# Swift Testing's count every issue of a test as a failure of its own.
# A case is one test function; a parameterised one fails when one of its arguments does.
function finish_case() {
    if (!open) return
    if (bad) failed++
    else if (skip) skipped++
    else passed++
    open = bad = skip = 0
}
/^[ \t]*<testcase / { finish_case(); open = 1 }
/^[ \t]*<failure/ || /^[ \t]*<error/ { bad = 1 }
/^[ \t]*<skipped/ { skip = 1 }
/<\/testsuite>/ { finish_case(); complete = 1 }
END {
    # A crashed process leaves a report that stops in the middle: then nothing in it is a result.
    if (!complete) exit 1
    print passed + 0, failed + 0, skipped + 0
}
