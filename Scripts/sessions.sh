# shellcheck shell=bash
# Ending all processes of a session, which is known by its first process's number; sourced by test.sh.

session_members() {
    local stat pid fields
    for stat in /proc/[0-9]*/stat; do
        pid=${stat#/proc/} pid=${pid%/stat}
        # The command's name may hold blanks; state, parent, group and session follow it.
        stat=$(cat "$stat" 2>/dev/null) || continue
        read -ra fields <<<"${stat##*) }"
        if [[ ${fields[3]} == "$1" && ${fields[0]} != Z ]]; then echo "$pid"; fi
    done
}

end_session() {
    local signal members deadline
    for signal in TERM KILL; do
        deadline=$((SECONDS + 10))
        mapfile -t members < <(session_members "$1")
        if ((${#members[@]} == 0)); then return 0; fi
        kill -s "$signal" "${members[@]}" 2>/dev/null || true
        while [[ -n $(session_members "$1") ]] && ((SECONDS < deadline)); do sleep 0.1; done
    done
}
