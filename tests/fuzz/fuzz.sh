#!/bin/bash
# Runs fuzzers for a while: tests/fuzz/fuzz.sh [--seconds N] [--runs N] [TARGET]...; targets: respond reader framing http
# SPDX-License-Identifier: MIT
#
# Each begins with the cases of tests/cases, the regressions and what its runs before found worth keeping (build/fuzz/
# corpus), ends after so many seconds or runs, and says how many inputs it tried. What makes one fail is kept in
# build/fuzz/found: mend it, and move the file to tests/fuzz/regressions/TARGET, which `make test` replays.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly out=${OUT:-build/fuzz}
seconds=60 runs=-1 targets=()
while (($#)); do
    case $1 in
        --seconds) seconds=$2 && shift 2 ;;
        --runs) runs=$2 && shift 2 ;;
        -*) echo "usage: fuzz.sh [--seconds N] [--runs N] [TARGET]..." >&2 && exit 2 ;;
        *) targets+=("$1") && shift ;;
    esac
done
((${#targets[@]})) || targets=(respond reader framing http)

mkdir -p "$out/seeds" "$out/found"
"$out/tests/fuzz/seeds" "$out/seeds"
sort -u -o "$out/seeds/dictionary" "$out/seeds/dictionary"

passed=0 failed=0
for target in "${targets[@]}"; do
    log=$out/$target.log verdict='  ok' regressions=tests/fuzz/regressions/$target
    mkdir -p "$out/corpus/$target"
    "$out/tests/fuzz/${target}_fuzz" -max_total_time="$seconds" -runs="$runs" -max_len=4096 -timeout=60 \
        -rss_limit_mb=2048 -dict="$out/seeds/dictionary" -artifact_prefix="$out/found/$target-" -print_final_stats=1 \
        "$out/corpus/$target" "$out/seeds/$target" "$regressions" >"$log" 2>&1 || verdict=FAIL
    tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    echo "$verdict $target: ${tried:-?} runs, ${edges:-?} edges (log: $log)"
    if [[ $verdict == FAIL ]]; then
        grep -E 'ERROR|runtime error|require|SUMMARY|Test unit written' "$log" | head -n 8 | sed 's/^/    /'
        ((failed += 1))
    else
        ((passed += 1))
    fi
done
echo "$passed passed, $failed failed"
((failed == 0))
