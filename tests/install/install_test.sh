#!/bin/bash
# Installs into a folder of its own, links programs in C, C++ and Python to what is there, and uninstalls.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/checks.sh

readonly out=${OUT:-build/release} prefix=/opt/layer
readonly warnings=(-Wall -Wextra -Wshadow -Wconversion -Wpedantic -Werror)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
readonly scratch root=$scratch/root
readonly installed=$root$prefix
readonly library=$installed/lib/liblayer.so
export PKG_CONFIG_PATH=$installed/lib/pkgconfig

run_make() { make --no-print-directory -s OUT="$out" DESTDIR="$root" PREFIX="$prefix" "$@"; }

# The folder's layer.pc, as if the folder were where it says to be.
flags() { pkg-config --define-prefix "$@" layer; }

headers() { (cd "$1" && find . -name '*.h' | sort); }

is_complete() {
    diff <(headers lib/include) <(headers "$installed/include") && "$installed/bin/layerd" --version &&
        [[ -f $installed/lib/liblayer.a ]]
}

is_versioned() {
    local version soname
    version=$(pkg-config --modversion layer)
    soname=liblayer.so.${version%%.*}
    readelf -d "$library" | grep -F "SONAME" | grep -F "[$soname]" && [[ $(readlink "$library") == "$soname" ]] &&
        [[ $(readlink "$installed/lib/$soname") == "liblayer.so.$version" ]]
}

declared() { sed -n '/typedef/!s/.*\b\(layer_[a-z0-9_]*\)(.*/\1/p' "$installed"/include/layer/*.h | sort -u; }

shows_the_headers_functions() {
    nm -D --defined-only "$library" | awk '{ print $3 }' | sort >"$scratch/shown"
    grep -q '^layer_conv_forward$' "$scratch/shown" && diff <(declared) "$scratch/shown"
}

needs_the_c_library_only() { ! readelf -d "$library" | grep NEEDED | grep -vE '\[(libc|libm|ld-linux[^]]*)\.so'; }

says_where_it_is() {
    pkg-config --cflags --libs layer
    [[ $(pkg-config --variable=libdir layer) == "$prefix/lib" ]] && [[ $(flags --libs) != *blas* ]] &&
        [[ $(flags --libs --static) == *blas* ]] && [[ $(flags --cflags) == *"-I$installed/include"* ]]
}

# link PROGRAM FLAG...: compiles the consumer, with what is on the command line after its source.
link() { "${CC:-gcc}" -std=c17 "${warnings[@]}" -o "$scratch/$1" tests/install/consumer.c "${@:2}" -lm; }

links_dynamically() {
    local words
    read -r -a words <<<"$(flags --cflags --libs)"
    link dynamic "${words[@]}" && readelf -d "$scratch/dynamic" | grep -F 'liblayer.so.' &&
        LD_LIBRARY_PATH=$installed/lib "$scratch/dynamic"
}

links_statically() {
    local words
    read -r -a words <<<"$(flags --cflags --libs --static)"
    link static -static "${words[@]}" && "$scratch/static"
}

links_as_cxx() {
    local words
    read -r -a words <<<"$(flags --cflags --libs)"
    "${CXX:-g++}" -std=c++17 "${warnings[@]}" -o "$scratch/cxx" tests/install/cxx_consumer.cc "${words[@]}" &&
        LD_LIBRARY_PATH=$installed/lib "$scratch/cxx"
}

each_header_stands_alone() {
    local header
    while read -r header; do
        "${CC:-gcc}" -std=c17 "${warnings[@]}" -I"$installed/include" -fsyntax-only -x c "$header" &&
            "${CXX:-g++}" -std=c++17 "${warnings[@]}" -I"$installed/include" -fsyntax-only -x c++ "$header" || return 1
    done < <(find "$installed/include" -name '*.h')
}

heeds_its_variables() {
    local other=$scratch/other pc
    run_make install DESTDIR="$other" LIBDIR=/lib64 INCLUDEDIR="$prefix/headers" &&
        [[ -f $other/lib64/liblayer.so && -f $other$prefix/headers/layer/layer.h && -x $other$prefix/bin/layerd ]] &&
        pc=$(<"$other/lib64/pkgconfig/layer.pc") && echo "$pc" &&
        [[ $pc == *$'\nlibdir=/lib64\n'* && $pc == *$'\nincludedir=${prefix}/headers\n'* ]]
}

leaves_nothing() {
    run_make uninstall && find "$root" ! -type d | tee "$scratch/left" && [[ ! -s $scratch/left ]]
}

check_installed() {
    check "the daemon, the libraries and every header are there" is_complete
    check "liblayer.so has its versions" is_versioned
    check "it shows the functions that its headers declare, and no others" shows_the_headers_functions
    check "it needs the C library only" needs_the_c_library_only
    check "layer.pc says where all is" says_where_it_is
    check "every header stands alone, in C and C++" each_header_stands_alone
    check "a C program links liblayer.so" links_dynamically
    check "a C program links liblayer.a" links_statically
    check "a C++ program links liblayer.so" links_as_cxx
    check_with python3 "Python calls liblayer.so" python3 -B tests/install/consumer.py "$library"
    check "LIBDIR and INCLUDEDIR are heeded" heeds_its_variables
}

check "make install" run_make install
if is_release; then
    check_installed
else
    skip "what is installed" "what is shipped is a release build"
fi
check "make uninstall leaves nothing" leaves_nothing

conclude
