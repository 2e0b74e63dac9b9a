# Sourced by test scripts: checks, counted.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
passed=0 failed=0 skipped=0

# check TITLE COMMAND...: counts a command's success; shows the end of what it said otherwise.
check() {
    local title=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "  ok $title" && ((passed += 1))
    else
        echo "FAIL $title" && ((failed += 1))
        tail -n 40 <<<"$said" | sed 's/^/    /'
    fi
}

skip() { echo "skip $1: $2" && ((skipped += 1)); }

# check_with PROGRAM TITLE COMMAND...: skips without the program.
check_with() {
    if command -v "$1" >/dev/null; then
        check "${@:2}"
    else
        skip "$2" "there is no $1"
    fi
}

# The closing line; fails if anything did, or if nothing was checked.
conclude() {
    echo "$passed passed, $failed failed$( ((skipped == 0)) || echo ", $skipped skipped")"
    ((failed == 0 && passed + skipped > 0))
}

# Sanitizers and counters of lines leave other programs than those that are shipped.
is_release() { [[ ${OUT:-build/release} == */release ]]; }
