#!/bin/bash
# What the daemon takes: memory when idle, time from start to the first answer, bytes of the program and of the image.
# SPDX-License-Identifier: MIT
set -euo pipefail

readonly program=${OUT:-build/release}/layerd
readonly runs=20
readonly body='{"input":[[1,2,3],[4,5,6],[7,8,9]],"weight":[[1,2],[3,4]]}'

# Starts the daemon on a free port; sets `pid` and `port`.
start() {
    local line
    exec {printed}< <(exec "$program" --listen 127.0.0.1:0 --drain-delay 0 --log off 2>/dev/null)
    pid=$!
    IFS= read -r line <&"$printed"
    port=${line##*:}
    port=${port%%[^0-9]*}
}

# Sends one convolution and reads the first line of the reply.
ask() {
    local connection line
    exec {connection}<>"/dev/tcp/127.0.0.1/$port"
    printf 'POST /v1/conv HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
        "${#body}" "$body" >&"$connection"
    IFS= read -r line <&"$connection"
    exec {connection}>&-
    [[ $line == "HTTP/1.1 200"* ]] || { echo "unexpected reply: $line" >&2; exit 1; }
}

stop() {
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
    exec {printed}<&-
}

# Milliseconds from fork to the reply's first line.
first_answer() {
    local began=${EPOCHREALTIME/[.,]/}
    start
    ask
    echo "$(((${EPOCHREALTIME/[.,]/} - began) / 10))e-2"
    stop
}

report() { printf '%-42s %8.2f %s\n' "$1" "$2" "$3"; }
resident() { awk -v key="$1:" '$1 == key { print $2 / 1024 }' "/proc/$pid/status"; }

answers=$(for ((i = 0; i < runs; i++)); do first_answer; done | sort -g)
report "start to first answer, median of $runs" "$(sed -n "$((runs / 2))p" <<<"$answers")" ms

start
trap 'kill "$pid"' EXIT
sleep 1
report "idle resident memory (VmRSS)" "$(resident VmRSS)" MiB
report "  of it not backed by files (RssAnon)" "$(resident RssAnon)" MiB

stripped=$(mktemp)
trap 'kill "$pid"; rm -f "$stripped"' EXIT
strip -o "$stripped" "$program"
report "the program, stripped" "$(($(stat -c %s "$stripped") / 1000))e-3" MB
size=$(docker image inspect --format '{{.Size}}' layerd 2>/dev/null) || size=
[[ -z $size ]] || report "the image" "$((size / 1000))e-3" MB
