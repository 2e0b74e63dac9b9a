#!/bin/bash
# Runs the commands of README.md, then of every other page, in order, in a copy of this folder, and compares what they
# print.
# SPDX-License-Identifier: MIT
#
# A block marked `sh` is run by bash -e, `python` by python3 and `js` by node, where they are installed. A block `json`
# right after it is what it prints, compared by structure; so is `text`, where `...` stands for anything. `c FILE` is
# put into that file. `sh background` is started, waited for at port 8080, and ended at the end, after all pages; `sh
# norun` is for the reader.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly address=127.0.0.1 port=8080
readonly -A interpreters=([sh]="bash -e" [python]=python3 [mjs]=node)

passed=0 failed=0 skipped=0
background=
scratch=$(mktemp -d)
readonly scratch copy=$scratch/copy blocks=$scratch/blocks

end_background() {
    [[ -n $background ]] || return 0
    kill -- "-$background" 2>/dev/null || true
    while kill -0 -- "-$background" 2>/dev/null; do sleep 0.1; done
    background=
}

clean_up() {
    end_background
    rm -rf "$scratch"
}

is_open() { (: <"/dev/tcp/$address/$port") 2>/dev/null; }

# README first: it starts the daemon.
list_pages() {
    echo README.md
    find . -name '*.md' -not -path './build/*' -not -path './README.md' | sed 's|^\./||' | sort
}

# extract PAGE: writes every fenced block to a file of its own, NUMBER.WORDS where WORDS is what it is marked with.
extract() {
    rm -rf "$blocks" && mkdir "$blocks"
    awk -v folder="$blocks" '
        /^```/ && file != "" { close(file); file = ""; next }
        /^```/ { words = substr($0, 4); gsub(/ /, "-", words); sub(/^js$/, "mjs", words)
                 file = sprintf("%s/%03d.%s", folder, ++count, words)
                 printf "" > file; prose = 0; next }
        file != "" { print > file; next }
        /[^ ]/ && !prose { prose = 1; printf "" > sprintf("%s/%03d.prose", folder, ++count) }
    ' "$1"
}

start_background() {
    ! is_open || { echo "port $port is taken: end what listens there first"; return 1; }
    (cd "$copy" && exec setsid bash -e "$1") >"$scratch/background.log" 2>&1 &
    background=$!
    for _ in {1..3000}; do
        ! is_open || return 0
        kill -0 "$background" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 20 "$scratch/background.log"
    return 1
}

# matches ACTUAL EXPECTED: both are files; the latter's name says what it is.
matches() {
    local pattern
    case $2 in
        *.json) diff <(jq --sort-keys . "$2") <(jq --sort-keys . "$1") ;;
        *.text)
            pattern=$(sed -e 's/[][*?\\]/\\&/g' -e 's/\.\.\.\|…/*/g' "$2")
            # shellcheck disable=SC2053  # a pattern is meant
            [[ $(<"$1") == $pattern ]] || diff "$2" "$1"
            ;;
    esac
}

run_block() {
    local block=$1 expected=$2
    (cd "$copy" && "${interpreter[@]}" "$block") >"$scratch/output" 2>"$scratch/errors" </dev/null ||
        { echo "exit status $?"; cat "$scratch/errors" "$scratch/output"; return 1; }
    [[ -z $expected ]] || matches "$scratch/output" "$expected"
}

# judge TITLE FUNCTION...: counts it, and shows what it said if it failed.
judge() {
    local title=$1
    shift
    if "$@" >"$scratch/report" 2>&1; then
        echo "[       OK ] $page: $title" && ((passed += 1))
    else
        echo "[  FAILED  ] $page: $title" && ((failed += 1))
        sed 's/^/    /' "$scratch/report"
    fi
}

# judge_block BLOCK FOLLOWING: both are files; the latter may be what the former prints.
judge_block() {
    local block=$1 following=$2 title
    title=$(head -n 1 "$block")
    case $block in
        *.sh | *.python | *.mjs)
            [[ $following == *.json || $following == *.text ]] || following=
            read -r -a interpreter <<<"${interpreters[${block##*.}]}"
            if command -v "${interpreter[0]}" >/dev/null; then
                judge "$title" run_block "$block" "$following"
            else
                echo "[  SKIPPED ] $page: $title" && ((skipped += 1))
            fi
            ;;
        *.c-*) cp "$block" "$copy/${block##*.c-}" ;;
        *.sh-background) judge "$title" start_background "$block" ;;
        *.sh-norun) ((skipped += 1)) ;;
    esac
}

judge_page() {
    local files i
    extract "$page"
    files=("$blocks"/*)
    for i in "${!files[@]}"; do judge_block "${files[i]}" "${files[i + 1]:-}"; done
}

trap clean_up EXIT
mkdir "$copy"
tar --exclude=./build --exclude=./.git -c . | tar -C "$copy" -x
mapfile -t pages < <(list_pages)
for page in "${pages[@]}"; do judge_page; done

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
