#!/bin/bash
# The law of layers is enforced: each planted violation is found and its file named, and nothing else is.
# SPDX-License-Identifier: MIT
set -euo pipefail

cd "$(dirname "$0")/../.."
. tests/support/checks.sh
readonly out=${OUT:-build/release}
readonly compiler=${CC:-gcc}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# A copy of the tree and of its objects, to plant into.
cp -r lib api server tests "$root"
mkdir "$root/out"
while read -r object; do
    install -D -m 644 "$out/$object" "$root/out/$object"
done < <(cd "$out" && find lib api server -name '*.o')

holds() { ROOT=$root OUT=out tests/layers 2>&1; }

# is_found FILE OFFENCE TEXT: with this file in the tree one law is broken, by a line that names the file and the offence.
is_found() {
    local file=$1 offence=$2 text=$3 report status=0
    printf '%s\n' "$text" >"$root/$file"
    [[ $file != *.c ]] ||
        "$compiler" -std=c17 -fPIC -x c -c "$root/$file" -o "$root/out/$file.o"
    report=$(holds) || status=$?
    rm -f "$root/$file" "$root/out/$file.o"
    echo "$report"
    ((status == 1 && $(grep -c '^FAIL' <<<"$report") == 1 &&
        $(grep -F "$file" <<<"$report" | grep -cF "$offence") > 0))
}

plant() { check "$1: $2" is_found "$@"; }

check 'the tree as it is passes' holds

plant lib/core/planted.c malloc \
    'void *malloc(unsigned long); void *layer_planted(void); void *layer_planted(void) { return malloc(1); }'
plant lib/core/planted.c pthread_mutex_lock \
    'int pthread_mutex_lock(void *); int layer_planted(void *m); int layer_planted(void *m) { return pthread_mutex_lock(m); }'
plant lib/core/planted.c cJSON_Parse \
    'void *cJSON_Parse(char *); void *layer_planted(void); void *layer_planted(void) { return cJSON_Parse(0); }'
plant lib/core/planted.c unprefixed 'int unprefixed(void); int unprefixed(void) { return 1; }'
plant lib/include/layer/planted.h 'not in layer.h' '/* Planted. */'
plant lib/core/planted.h api/api.h '#include "api/api.h"'
plant lib/core/planted.h cjson/cJSON.h '#include <cjson/cJSON.h>'
plant api/planted.h microhttpd.h '#include <microhttpd.h>'
plant api/planted.h sys/socket.h '#include <sys/socket.h>'
plant api/planted.c MHD_get_version 'char *MHD_get_version(void); char *api_planted(void) { return MHD_get_version(); }'
plant api/planted.c accept 'int accept(int, void *, void *); int api_planted(void) { return accept(0, 0, 0); }'
plant server/planted.h layer/conv.h '#include "layer/conv.h"'
plant server/planted.c cblas_sgemm 'void cblas_sgemm(void); void server_planted(void) { cblas_sgemm(); }'
plant server/planted.c layer_moments 'void layer_moments(void); void server_planted(void) { layer_moments(); }'
plant lib/core/conv.h conv.h ''

if is_release; then
    plant lib/core/planted.c .data 'int layer_planted(void); int layer_planted(void) { static int calls = 7; return calls++; }'
    plant lib/core/planted.c .bss 'int layer_planted(void); int layer_planted(void) { static int calls; return calls++; }'
else
    skip "planted state" "this build has its own"
fi

conclude
