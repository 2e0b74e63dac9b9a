#!/bin/bash
# Lints the daemon's OpenAPI document, and holds what the cases ask and are answered to it.
# SPDX-License-Identifier: MIT
#
# The linter and the validator come from npm, into build/, at the versions that package-lock.json pins.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly out=${OUT:-build/release} tools=build/openapi
daemon=

clean_up() {
    [[ -z $daemon ]] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null || true
}
trap clean_up EXIT

install_tools() {
    mkdir -p "$tools"
    cmp -s tests/openapi/package-lock.json "$tools/installed.json" && return
    cp tests/openapi/package.json tests/openapi/package-lock.json "$tools"
    npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    cp tests/openapi/package-lock.json "$tools/installed.json"
}

# Sets url.
start_daemon() {
    : >"$tools/daemon.out"
    LAYERD_LISTEN=127.0.0.1:0 "$out/layerd" >"$tools/daemon.out" 2>"$tools/daemon.log" &
    daemon=$!
    for _ in {1..600}; do
        url=$(sed -n 's/.* listening on //p' "$tools/daemon.out")
        [[ -z $url ]] || return 0
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.05
    done
    cat "$tools/daemon.log" >&2
    return 1
}

install_tools
start_daemon
cp tests/openapi/*.mjs "$tools" # node looks for packages beside the script
node "$tools/validate.mjs" "$url" tests/cases
