#!/bin/bash
# Holds the manifests of docker/kubernetes to Kubernetes' schemas, the dashboard and rules to PromQL.
# SPDX-License-Identifier: MIT
#
# Schemas and grammars come from npm, into build/, at the versions that package-lock.json pins. Prometheus' own promtool
# and kubectl have their say where they are installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly tools=build/deployment
failed=0

install_tools() {
    mkdir -p "$tools"
    cp tests/deployment/{package.json,deployment.mjs,kserve.ts} "$tools" # node looks for packages beside the script
    ! cmp -s tests/deployment/package-lock.json "$tools/installed.json" || return 0
    cp tests/deployment/package-lock.json "$tools"
    npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    cp tests/deployment/package-lock.json "$tools/installed.json"
}

# also COMMAND...: runs it if it is there.
also() {
    command -v "$1" >/dev/null || return 0
    echo "  $*"
    "$@" >"$tools/${1##*/}.log" 2>&1 || { failed=1 && cat "$tools/${1##*/}.log"; }
}

install_tools
node "$tools/deployment.mjs" docker || failed=1
also promtool check rules docker/monitoring/rules.yaml
also promtool test rules tests/deployment/alerts.yaml
also promtool check config --syntax-only docker/monitoring/prometheus.yaml
also kubectl kustomize docker/kubernetes
exit "$failed"
