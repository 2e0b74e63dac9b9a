#!/bin/bash
# What is installed beside the daemon: its manual page, completion, defaults, and systemd units.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/checks.sh

readonly out=${OUT:-build/release} most_exposed=1.5
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
readonly root daemon=$root/usr/bin/layerd units=$root/usr/lib/systemd/system
readonly page=$root/usr/share/man/man8/layerd.8 completion=$root/usr/share/bash-completion/completions/layerd

flags() { "$daemon" --help | sed -nE 's/^  (--[a-z-]+) .*/\1/p' | grep -vE -- '--(help|print)'; }

is_well_set() {
    local said
    said=$(groff -man -Tutf8 -ww -z "$page" 2>&1)
    [[ -z $said ]] || { echo "$said" && return 1; }
}

# As a reader sees it, without what makes letters bold.
reads() { GROFF_NO_SGR=1 groff -man -Tascii -P-cbou "$page"; }

tells_of_every_flag() {
    local flag missing=0
    while read -r flag; do
        reads | grep -qE -- "^ +$flag( |,|$)" || { echo "no word of $flag" && missing=1; }
    done < <(flags; printf '%s\n' --print-config --print-man)
    ((missing == 0 && $(flags | wc -l) > 20))
}

# All but those that are about speed and the log.
security_tells_of_every_flag() {
    local flag missing=0
    while read -r flag; do
        grep -qF -- "\`$flag\`" SECURITY.md || { echo "no word of $flag" && missing=1; }
    done < <(flags | grep -vE -- '^--(io-threads|workers|inline-multiplications|isa|log)$')
    ((missing == 0))
}

# complete WORD...: what bash would offer for the last one.
complete_line() {
    bash -c 'source "$1"; shift; COMP_WORDS=(layerd "$@") COMP_CWORD=$#; _layerd; printf "%s\n" "${COMPREPLY[@]}"' \
        - "$completion" "$@"
}

completes() {
    diff <(complete_line '--tls-') <(printf '%s\n' --tls-certificate --tls-key) &&
        diff <(complete_line --log 'w') <(echo warning) &&
        diff <(complete_line --token-file "$page") <(echo "$page") &&
        diff <(complete_line heal) <(echo healthcheck) &&
        diff <(complete_line '--' | sort) <({ flags; "$daemon" --help | grep -oE -- '--(help|version|print-[a-z]+)' | sort -u; } | sort)
}

# With all that is commented out put into the environment, nothing changes.
has_the_defaults() {
    local variables
    mapfile -t variables < <("$daemon" --print-environment | sed -n 's/^#\(LAYERD_\)/\1/p')
    ((${#variables[@]} == $(flags | wc -l))) &&
        diff <("$daemon" --print-config) <(env "${variables[@]}" "$daemon" --print-config)
}

is_closed() {
    systemd-analyze security --offline=true --no-pager --threshold="${most_exposed/./}" "$units/layerd.service" |
        grep -v '✓'
}

# What it starts is looked for on this machine.
is_right() {
    sed -i "s|^ExecStart=.*|ExecStart=$daemon|" "$units/layerd.service"
    systemd-analyze verify --man=no "$units/$1"
}

check "make install" make --no-print-directory -s OUT="$out" DESTDIR="$root" PREFIX=/usr install-daemon
if ! is_release; then
    skip "what it prints" "it is the same"
    conclude
    exit
fi
check_with groff "the manual page has no mistake" is_well_set
check_with groff "the manual page tells of every flag" tells_of_every_flag
check "SECURITY.md tells of every flag that limits or protects" security_tells_of_every_flag
check "bash completes flags, words and files" completes
check "the file of defaults has the defaults" has_the_defaults
check "the unit starts what was installed" grep -x 'ExecStart=/usr/bin/layerd' "$units/layerd.service"
check_with systemd-analyze "the unit is exposed no more than $most_exposed" is_closed
check_with systemd-analyze "the unit is understood" is_right layerd.service
check_with systemd-analyze "the socket is understood" is_right layerd.socket

conclude
