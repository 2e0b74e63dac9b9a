#!/bin/bash
# What the image is made of, put together without a container engine: it runs, and its list of parts (SPDX) is whole.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/checks.sh

readonly out=${OUT:-build/release}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
readonly root list=$root/usr/share/doc/sbom.spdx.json

# jq's verdict on the list.
says() { jq --exit-status "$@" "$list"; }

is_spdx() {
    says '.spdxVersion == "SPDX-2.3" and .dataLicense == "CC0-1.0" and .SPDXID == "SPDXRef-DOCUMENT"
        and (.documentNamespace | test("^urn:")) and (.creationInfo.created | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$"))
        and (.creationInfo.creators | length > 0)' &&
        says '[.packages[].SPDXID] | (unique | length) == length and all(test("^SPDXRef-[A-Za-z0-9.-]+$"))' &&
        says 'all(.packages[]; .name and .versionInfo and .downloadLocation and .filesAnalyzed == false)'
}

# Each part is said to be within, and nothing else is.
relates_its_parts() {
    says '([.packages[].SPDXID] | sort) == ([.relationships[].relatedSpdxElement] | sort)' &&
        says '[.relationships[].relationshipType] | index("STATIC_LINK") and index("DYNAMIC_LINK")'
}

# Each library of the image is of a package of the list, in the version that is installed here, and has its licence.
lists_every_library() {
    local file package count=0
    while read -r file; do
        package=$(dpkg-query --search "*${file#"$root"}" | sed -n '1s/:.*//p')
        # shellcheck disable=SC2016  # jq's own variables are meant
        says --arg name "$package" --arg version "$(dpkg-query --show --showformat='${Version}' "$package")" \
            'any(.packages[]; .name == $name and .versionInfo == $version)' || { echo "$file: $package" && return 1; }
        [[ -s $root/usr/share/doc/$package/copyright ]] || { echo "no licence of $package" && return 1; }
        ((count += 1))
    done < <(find "$root" -name '*.so*' ! -type d)
    ((count > 5))
}

lists_what_is_linked_in() { says '[.packages[].name] | index("libopenblas-pthread-dev") and index("layerd")'; }

has_no_shell() { ! find "$root" -type f -executable ! -name '*.so*' ! -name layerd | grep .; }

runs_from_there() { chroot --userspec=65532:65532 "$root" /layerd --version; }

if ! is_release; then
    skip "the image" "what is shipped is a release build"
    conclude
    exit
fi
check "the image is put together" docker/collect "$out/layerd" "$root"
check "its list is SPDX" is_spdx
check "the list relates its parts" relates_its_parts
check "every library is listed, with its licence" lists_every_library
check "what is linked in is listed" lists_what_is_linked_in
check "there is no other program" has_no_shell
if ((EUID == 0)); then
    check "it runs from there, as nobody" runs_from_there
else
    skip "it runs from there" "only root can change the root"
fi

conclude
