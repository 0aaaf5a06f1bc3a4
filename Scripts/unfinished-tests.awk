# Prints the tests that swift test's console output says started, and not that they ended: the suspects of a crash.
/^◇ Test (case|run) / { next }
/^◇ Test .* started\.$/ {
    name = $0
    sub(/^◇ Test /, "", name); sub(/ started\.$/, "", name)
    running[name] = 1
}
/^[✔✘➜].* Test .* (passed|failed) after / || /^[✔✘] Test / {
    name = $0
    if (sub(/ (passed|failed) after .*$/, "", name)) {
        sub(/^[^ ]+ Test /, "", name); sub(/ with [0-9]+ test cases?$/, "", name)
        delete running[name]
    }
}
END { for (name in running) print "    " name }
