#!/bin/bash
# Runs the commands of README.md, then of every other page, in order, in a copy of this folder, and compares what they
# print. What a page links to must be there, and so must the functions that it names.
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

# Every operation that the daemon lists stands in README's table.
check_operations() {
    local path listed=0 missing=0
    while read -r path; do
        ((listed += 1))
        grep -q "^|.*$path\`" README.md || { echo "does not list $path" && missing=1; }
    done < <(curl -s "http://$address:$port/v1" | jq -r '.operations[].path')
    ((listed > 0 && missing == 0))
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
    judge "what it links to" check_links "$page"
    judge "what it names" check_names "$page"
}

trap clean_up EXIT
mkdir "$copy"
tar --exclude=./build --exclude=./.git -c . | tar -C "$copy" -x
mapfile -t pages < <(list_pages)
for page in "${pages[@]}"; do judge_page; done
page=README.md judge "what it lists" check_operations

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
