#!/bin/bash
# Lints the daemon's OpenAPI document, and holds what the cases ask and are answered to it.
# SPDX-License-Identifier: MIT
#
# The linter and the validator come from npm, into build/, at the versions that package-lock.json pins.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly tools=build/openapi

install_tools() {
    mkdir -p "$tools"
    cp tests/openapi/{package.json,validate.mjs} "$tools" # node looks for packages beside the script
    ! cmp -s tests/openapi/package-lock.json "$tools/installed.json" || return 0
    cp tests/openapi/package-lock.json "$tools"
    npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    cp tests/openapi/package-lock.json "$tools/installed.json"
}

install_tools
exec tests/with-daemon node "$tools/validate.mjs" tests/cases
