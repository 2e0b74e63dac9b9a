#!/bin/bash
# What the pages link to is there, the functions that they name are where they say, README lists every operation.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."

passed=0 failed=0

# What a page links to, as a path from this folder.
links_of() {
    sed 's/](/\n](/g' "$1" | sed -nE 's/^\]\(([^):#]+)(#[^)]*)?\).*/\1/p' | sed "s|^|$(dirname "$1")/|"
}

check_links() {
    local target missing=0
    while read -r target; do
        [[ -e $target ]] || { echo "links to $target, which is not there" && missing=1; }
    done < <(links_of "$1")
    ((missing == 0))
}

# Lines `NAME WHERE`: of our prefixes anywhere, and of what a page says is in a file: `name` in [file](file).
names_in() {
    local place name folder
    folder=$(dirname "$1")
    grep -oP '\b(layer|api|server|LAYER|API|SERVER)_[A-Za-z0-9_]*[A-Za-z0-9]\b(?!\.\w)' "$1" | sed 's/$/ lib api server/'
    # shellcheck disable=SC2016  # backquotes are meant
    tr '\n' ' ' <"$1" | grep -oE '(`[a-z_]+`(,| and) )*`[a-z_]+` in \[[^]]*\]\([^):]+\)' | while read -r place; do
        for name in $(grep -oE '`[a-z_]+`' <<<"${place%%[*}" | tr -d '`'); do
            echo "$name $folder/$(sed -E 's/.*\(([^)]*)\)/\1/' <<<"$place")"
        done
    done
}

check_names() {
    local name where missing=0
    while read -r name where; do
        # shellcheck disable=SC2086  # several folders are meant
        grep -rqw --include='*.[ch]' "$name" $where || { echo "names $name, which is not in $where" && missing=1; }
    done < <(names_in "$1" | sort -u)
    ((missing == 0))
}

# Every operation stands in README's table.
check_operations() {
    local name count=0 missing=0
    while read -r name; do
        ((count += 1))
        grep -q "^|.*/v1/$name\`" README.md || { echo "does not list /v1/$name" && missing=1; }
    done < <(sed -nE 's/^    \.name = "(.*)",$/\1/p' api/operations/*_operation.c)
    ((count > 0 && missing == 0))
}

# judge TITLE FUNCTION...: counts it, and shows what it said if it failed.
judge() {
    local title=$1 report
    shift
    if report=$("$@"); then
        echo "  ok $title" && ((passed += 1))
    else
        echo "FAIL $title" && ((failed += 1))
        echo "     ${report//$'\n'/$'\n'     }"
    fi
}

while read -r page; do
    judge "what $page links to" check_links "$page"
    judge "what $page names" check_names "$page"
done < <(find . -name '*.md' -not -path './build/*' -not -path './.git/*' | sed 's|^\./||' | sort)
judge 'the operations that README.md lists' check_operations

echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
