#!/bin/bash
# Runs the client of every language that is here, against the daemon at LAYERD_URL or else one of its own.
# SPDX-License-Identifier: MIT
#
# A client passes if it finds its five calls answered rightly, and is not content with a service that has none of them.
set -euo pipefail

cd "$(dirname "$0")/../.."
[[ -n ${LAYERD_URL:-} ]] || exec tests/with-daemon "$0"
cd tests/clients

readonly url=$LAYERD_URL calls=5 limit_seconds=120 compiler=${CC:-gcc}

passed=0 failed=0 skipped=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
readonly scratch

# attempt URL COMMAND...: runs a client; what it says is in $scratch/said.
attempt() {
    LAYERD_URL=$1 timeout "$limit_seconds" "${@:2}" >"$scratch/said" 2>&1 </dev/null
}

judge() {
    if ! attempt "$url" "$@" || (($(grep -c '^ok ' "$scratch/said") != calls)); then
        echo "it does not find its $calls calls answered:"
    elif attempt "$url/nowhere" "$@"; then
        echo "it does not mind that nothing is there:"
    else
        return 0
    fi
    cat "$scratch/said"
    return 1
}

# client LANGUAGE PROGRAM COMMAND...: skipped for want of the program.
client() {
    local language=$1 program=$2 report
    shift 2
    if ! command -v "$program" >/dev/null; then
        echo "skip $language: there is no $program"
        skipped=$((skipped + 1))
    elif report=$(judge "$@"); then
        echo "  ok $language"
        passed=$((passed + 1))
    else
        echo "FAIL $language: $report"
        failed=$((failed + 1))
    fi
}

# build COMMAND...: for languages that are compiled, if they are here.
build() {
    ! command -v "$1" >/dev/null || "$@" || echo "$1 fails"
}

unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export GOCACHE=$scratch/go GO111MODULE=off

build "$compiler" -Wall -Wextra -Werror -o "$scratch/from_c" conv_client.c -lcurl -lcjson -lm
build go build -o "$scratch/from_go" conv_client.go

client shell curl bash conv_client.sh
client Python python3 python3 conv_client.py
client JavaScript node node conv_client.mjs
client Go go "$scratch/from_go"
client Java javac java conv_client.java
client Perl perl perl conv_client.pl
client Ruby ruby ruby conv_client.rb
client PHP php php conv_client.php
client C "$compiler" "$scratch/from_c"

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
