#!/bin/bash
# What a client meets on the way, once more over TLS and over unix sockets: runs the tests of connections with TRANSPORT
# set. Where a connection is closed for being slow or too many, TLS cannot say why, and the tests know it.
# SPDX-License-Identifier: MIT
set -euo pipefail

failed=0

# over TRANSPORT PROGRAM...
over() {
    local name
    export TRANSPORT=$1
    shift
    for name; do
        "${OUT:-build/release}/tests/integration/${name}_test" || failed=1
    done
}

over tls transport framing limits slow departure overload shutdown
over unix transport framing limits departure shutdown
exit "$failed"
