#!/bin/bash
# layerd from a shell, with curl and jq: conv_client.sh
# SPDX-License-Identifier: MIT
set -euo pipefail

url=${LAYERD_URL:-http://127.0.0.1:8080}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# check WHAT SEEN EXPECTED
check() {
    [[ $2 == "$3" ]] || { echo "FAIL $1: $2 instead of $3"; exit 1; }
    echo "ok $1: $2"
}

# 1. Is it ready?
check "ready" "$(curl -s -o /dev/null -w '%{http_code}' "$url/v2/health/ready")" 200

# 2. Tensors as nested JSON arrays
reply=$(curl -sS --json '{"input":[[1,2,3],[4,5,6],[7,8,9]],"weight":[[1,2],[3,4]]}' "$url/v1/conv")
check "conv, JSON" "$(jq -c .output <<<"$reply")" '[[37,47],[67,77]]'

# 3. Tensors as bytes: little-endian floats behind the JSON, whose length a header gives, both ways
one='\0\0\x80\x3f' two='\0\0\0\x40' three='\0\0\x40\x40' four='\0\0\x80\x40'
five='\0\0\xa0\x40' six='\0\0\xc0\x40' seven='\0\0\xe0\x40' eight='\0\0\0\x41' nine='\0\0\x10\x41'
json='{"input":{"shape":[3,3],"datatype":"FP32","parameters":{"binary_data_size":36}},
       "weight":{"shape":[2,2],"datatype":"FP32","parameters":{"binary_data_size":16}}}'
{
    printf %s "$json"
    printf %b $one $two $three $four $five $six $seven $eight $nine
    printf %b $one $two $three $four
} | curl -sS -D "$folder/head" -o "$folder/body" --data-binary @- -H 'Content-Type: application/octet-stream' \
    -H "Inference-Header-Content-Length: ${#json}" "$url/v1/conv"
length=$(sed -n 's/^Inference-Header-Content-Length: \([0-9]*\).*/\1/ip' "$folder/head")
output=$(tail -c "+$((length + 1))" "$folder/body" | od -An -v -t f4 --endian=little)
check "conv, binary" "$(xargs <<<"$output")" '37 47 67 77'

# 4. Initial weights: the same seed gives the same
request='{"method":"xavier_uniform","shape":[2,3],"seed":1}'
first=$(curl -sS --json "$request" "$url/v1/initialize")
again=$(curl -sS --json "$request" "$url/v1/initialize")
check "initialize, the same twice, how many within the bound" "$(jq -s -c '[.[0].weight == .[1].weight,
    (.[0] | .bound as $bound | [.weight[][] | select(fabs <= $bound)] | length)]' <<<"$first $again")" '[true,6]'

# 5. A mistake: it is "strides"
reply=$(curl -sS -o "$folder/problem" -w '%{http_code} %{content_type}' \
    --json '{"input":[[1,2,3],[4,5,6],[7,8,9]],"weight":[[1,2],[3,4]],"stride":2}' "$url/v1/conv")
check "a mistake" "$reply: $(jq -r '"\(.pointer): \(.detail)"' "$folder/problem")" \
    '422 application/problem+json: /stride: unknown field "stride"; did you mean "strides"?'
