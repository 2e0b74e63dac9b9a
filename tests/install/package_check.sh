#!/bin/bash
# The Debian packages of `make deb`, unpacked: what is in them, and that it works from there.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/checks.sh

readonly folder=build/deb
root=$(mktemp -d)
daemon=
end() {
    [[ -z $daemon ]] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null || true
    rm -rf "$root"
}
trap end EXIT
readonly root socket=$root/layerd.sock

version() { sed -n 's/^VERSION := //p' Makefile; }

unpacks() {
    local package
    for package in layerd liblayer0 liblayer-dev; do
        dpkg-deb -x "$folder/${package}_$(version)_$(dpkg --print-architecture).deb" "$root" || return 1
    done
}

says_its_version() { "$root/usr/bin/layerd" --version | grep -F "layerd $(version) "; }

# Each file where Debian expects it.
is_in_place() {
    local file
    for file in etc/default/layerd lib/systemd/system/layerd.{service,socket} usr/lib/sysusers.d/layerd.conf \
        usr/share/man/man8/layerd.8.gz usr/share/bash-completion/completions/layerd \
        usr/share/doc/{layerd,liblayer0,liblayer-dev}/{copyright,changelog.gz,copyright.openblas.gz}; do
        [[ -s $root/$file ]] || { echo "there is no $file" && return 1; }
    done
}

makes_the_user() {
    dpkg-deb --ctrl-tarfile "$folder/layerd_$(version)"_*.deb | tar -xO ./postinst | grep 'systemd-sysusers.*layerd.conf' &&
        grep -x 'User=layerd' "$root/lib/systemd/system/layerd.service" &&
        grep '^u layerd ' "$root/usr/lib/sysusers.d/layerd.conf"
}

start_daemon() {
    : >"$root/said"
    "$root/usr/bin/layerd" --listen "unix:$socket" --drain-delay 0 --log off >"$root/said" &
    daemon=$!
    for _ in {1..500}; do
        ! grep -q listening "$root/said" || return 0
        sleep 0.02
    done
    return 1
}

serves() {
    "$root/usr/bin/layerd" healthcheck "unix:$socket" &&
        curl --silent --fail --unix-socket "$socket" --json '{"input":[1,2],"weight":[2]}' http://localhost/v1/conv |
        grep -F '"output":[2,4]'
}

links() {
    local flags libraries
    libraries=$root/usr/lib/$(gcc -print-multiarch)
    read -r -a flags <<<"$(PKG_CONFIG_PATH=$libraries/pkgconfig pkg-config --cflags --libs layer)"
    [[ ${flags[*]} == *-llayer* ]] || return 1
    gcc -o "$root/consumer" tests/install/consumer.c -I"$root/usr/include" -L"$libraries" "${flags[@]}" -lm &&
        LD_LIBRARY_PATH=$libraries "$root/consumer"
}

check "the packages unpack" unpacks
check "the daemon says its version" says_its_version
check "everything is in place" is_in_place
check "the daemon's user is made" makes_the_user
start_daemon || true
check "the daemon serves" serves
check "a program links the library" links

conclude
