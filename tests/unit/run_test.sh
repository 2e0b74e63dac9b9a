#!/bin/bash
# tests/run counts what programs say of their tests, and tells at the end what failed and why.
# SPDX-License-Identifier: MIT
set -euo pipefail

cd "$(dirname "$0")/../.."
. tests/support/checks.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# program NAME TEXT: one that runs TEXT.
program() {
    printf '#!/bin/bash\n%s\n' "$2" >"$root/$1"
    chmod +x "$root/$1"
}

# What cmocka prints of tests that pass, and of five that fail.
program good 'cat <<END
[==========] Running 2 test(s).
[ RUN      ] one
[       OK ] one
[ RUN      ] two
[  SKIPPED ] two
[==========] 2 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] two
END'
program bad 'cat <<END
[==========] Running 6 test(s).
[ RUN      ] values
[  ERROR   ] --- 0x1 != 0x2
[   LINE   ] --- tests/a_test.c:12: error: Failure!
[  FAILED  ] values
[ RUN      ] fine
[       OK ] fine
[ RUN      ] words
ERROR: no reply
ERROR: and more
[  ERROR   ] --- [   LINE   ] --- tests/b_test.c:3: error: Failure!
[  FAILED  ] words
[ RUN      ] ending
ERROR: no reply
Could not run test: [   LINE   ] --- tests/c_test.c:4: error: Failure!Test teardown failed
[  ERROR   ] ending
[ RUN      ] tidy
Could not run test: Test setup failed
[  ERROR   ] tidy
[ RUN      ] race
==12==WARNING: ThreadSanitizer: data race (pid=12)
ERROR: the daemon ended with 66
[  ERROR   ] --- [   LINE   ] --- tests/d_test.c:5: error: Failure!
[  FAILED  ] race
[==========] 6 test(s) run.
[  PASSED  ] 1 test(s).
[  FAILED  ] 3 test(s), listed below:
[  FAILED  ] values
[  FAILED  ] words
[  FAILED  ] race
END
exit 5'
program crash 'echo "[ RUN      ] deep"; kill -SEGV $$'
program quiet 'exit 0'
program leaks 'echo "3 passed, 0 failed"; exit 9'
program script 'echo "  ok one"; echo "FAIL two words"; echo "    because of three"; echo "    and four"
echo "FAIL five"; echo "1 passed, 2 failed"; exit 1'

runs() {
    local name
    for name; do echo "$root/$name"; done | JOBS=1 xargs tests/run 2>&1 | sed "s|$root/||g"
}

is_last() { [[ $(tail -n "$(wc -l <<<"$1")" <<<"$report") == "$1" ]] || { echo "$report" && return 1; }; }

lacks() { ! grep -q "$1" <<<"$report"; }
fails() { ! "$@"; }

report=$(runs good)
check 'what passes is counted, and skipped' is_last '1 passed, 0 failed, 1 skipped'
check 'its output is not shown' lacks RUN

report=$(runs good bad || true)
check 'each test of cmocka that failed has its line, with place and error' is_last \
    'FAILED bad: values: tests/a_test.c:12: 0x1 != 0x2
FAILED bad: words: tests/b_test.c:3: no reply
FAILED bad: ending: tests/c_test.c:4: no reply
FAILED bad: tidy: Test setup failed
FAILED bad: race: tests/d_test.c:5: WARNING: ThreadSanitizer: data race (pid=12)
2 passed, 5 failed, 1 skipped'
check 'the output of those that fail is shown' grep -q '^    ERROR: and more' <<<"$report"

report=$(runs crash quiet leaks script good || true)
check 'so has each of a script, and each program that ends badly' is_last \
    'FAILED crash: deep: killed by signal 11
FAILED quiet: ran no test
FAILED leaks: exit status 9
FAILED script: two words: because of three
FAILED script: five
5 passed, 5 failed, 1 skipped'

check 'a failure is one of tests/run' fails tests/run "$root/good" "$root/script"
check 'none is none' tests/run "$root/good"

conclude
