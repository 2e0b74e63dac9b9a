#!/bin/bash
# Runs what `make test` runs briefly for as long as it takes, and makes a table of the figures: tests/soak/soak.sh [NAME]...
# SPDX-License-Identifier: MIT
#
# Names are those of programs: leaving_soak, cluster, memory_failure … The table is build/soak/RESULTS.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly out=${OUT:-build/release} folder=build/soak
export OUT=$out SOAK=1
programs=("$out"/tests/soak/*_soak_test "$out/tests/cluster/cluster_test" "$out/tests/integration/memory_failure_test")
mkdir -p "$folder"
passed=0 failed=0

is_wanted() {
    local name=$1
    shift
    (($# == 0)) || [[ " $* " == *" $name "* ]]
}

run() {
    local program=$1 name=$2 began=$SECONDS
    if "$program" >"$folder/$name.log" 2>&1; then
        echo "  ok $name, $((SECONDS - began)) s" && ((passed += 1))
    else
        echo "FAIL $name (log: $folder/$name.log)" && ((failed += 1))
        tail -n 20 "$folder/$name.log" | cut -c 1-300 | sed 's/^/    /'
    fi
    sed -n "s/^figure: \(.*\)/\1 \`$name\` |/p" "$folder/$name.log" >>"$folder/figures"
}

: >"$folder/figures"
for program in "${programs[@]}"; do
    [[ $program == *.c.* ]] || [[ ! -x $program ]] && continue
    name=$(basename "${program%_test}")
    ! is_wanted "$name" "$@" || run "$program" "$name"
done

{
    echo '| fault | wanted | reached | by |'
    echo '|---|---|---|---|'
    cat "$folder/figures"
} >"$folder/RESULTS.md"
cat "$folder/RESULTS.md"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
