#!/bin/bash
# The daemon and liblayer.so are built as SECURITY.md says: by what readelf tells of them, not by what the Makefile asks.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/checks.sh

readonly out=${OUT:-build/release}
readonly daemon=$out/layerd library=$out/liblayer.so

# shows PATTERN OPTION FILE: readelf says so; lacks: it does not.
shows() { readelf -W "$2" "$3" | grep -E -- "$1" >/dev/null || { readelf -W "$2" "$3" && return 1; }; }
lacks() { ! readelf -W "$2" "$3" | grep -E -- "$1"; }

segments() { readelf -lW "$1" | awk '$1 == "LOAD" { $1 = $2 = $3 = $4 = $5 = $6 = $NF = ""; gsub(/ /, ""); print }'; }

no_segment_is_written_and_run() {
    segments "$1"
    ! segments "$1" | grep 'W.*E'
}

# What is run, what is only read and what is written are kept in pages of their own.
code_is_apart() { [[ $(segments "$1" | grep -c .) -ge 4 && $(segments "$1" | grep -c E) == 1 ]]; }

# Every unit of ours says with which options it was compiled.
was_compiled_with() {
    local option=$1 object missing=0
    while read -r object; do
        readelf --debug-dump=info "$object" | grep 'DW_AT_producer' | grep -F -- "$option" >/dev/null ||
            { echo "$object was not compiled with $option" && missing=1; }
    done < <(find "$out/server" "$out/api" "$out/lib" -name '*.o')
    ((missing == 0))
}

objects_mark_branches() {
    local object missing=0
    while read -r object; do
        readelf -n "$object" | grep 'IBT, SHSTK' >/dev/null || { echo "$object has targets unmarked" && missing=1; }
    done < <(find "$out/server" "$out/api" "$out/lib" -name '*.o')
    ((missing == 0))
}

check_both() {
    local file
    for file in "$daemon" "$library"; do
        check "$file: addresses of functions are not written after the start" shows 'GNU_RELRO' -l "$file"
        check "$file: all of them are known at the start" shows 'BIND_NOW|Flags:.*NOW' -d "$file"
        check "$file: the stack is not run" shows 'GNU_STACK .* RW +0x' -l "$file"
        check "$file: nothing is both written and run" no_segment_is_written_and_run "$file"
        check "$file: code is apart from data" code_is_apart "$file"
        check "$file: code is not changed to be loaded" lacks 'TEXTREL' -d "$file"
        check "$file: libraries come from the system's folders" lacks 'RPATH|RUNPATH' -d "$file"
        check "$file: buffers on the stack are guarded" shows '__stack_chk_fail' -s "$file"
    done
}

if ! is_release; then
    skip "how it is built" "what is shipped is a release build"
    conclude
    exit
fi
check "$daemon: it is loaded anywhere" shows 'Flags:.* PIE' -d "$daemon"
check "$daemon: calls with buffers know their sizes" shows '__(snprintf|memcpy|read|recv)_chk' -s "$daemon"
check_both
for option in -fstack-protector-strong -fstack-clash-protection; do
    check "every object: $option" was_compiled_with "$option"
done
if [[ $(uname -m) == x86_64 ]]; then
    check "every object: -fcf-protection=full" was_compiled_with -fcf-protection=full
    check "every object: marks where branches may lead" objects_mark_branches
fi

conclude
