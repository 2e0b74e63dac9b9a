#!/bin/bash
# What a client meets on the way, once more over TLS: runs the tests of connections with TRANSPORT=tls.
# SPDX-License-Identifier: MIT
set -euo pipefail

readonly programs=(transport framing limits slow departure overload shutdown)
failed=0

export TRANSPORT=tls
for name in "${programs[@]}"; do
    "${OUT:-build/release}/tests/integration/${name}_test" || failed=1
done
exit "$failed"
