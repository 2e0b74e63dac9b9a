#!/usr/bin/env python3
"""layerd from Python, with its standard library alone: python3 conv_client.py

SPDX-License-Identifier: MIT
"""
import json
import math
import os
import struct
import sys
import urllib.error
import urllib.request

URL = os.environ.get("LAYERD_URL", "http://127.0.0.1:8080")


def call(path, body=None, headers=None):
    """Status, headers and body of the answer: to a GET without a body, to a POST with one."""
    try:
        with urllib.request.urlopen(urllib.request.Request(URL + path, body, headers or {})) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as reply:
        return reply.status, reply.headers, reply.read()


def post(path, **fields):
    status, headers, body = call(path, json.dumps(fields).encode(), {"Content-Type": "application/json"})
    return status, headers, json.loads(body)


def tensor(*shape):
    """A tensor whose bytes follow the JSON."""
    return {"shape": list(shape), "datatype": "FP32", "parameters": {"binary_data_size": 4 * math.prod(shape)}}


def check(what, good, seen):
    print("ok" if good else "FAIL", what + ":", seen)
    if not good:
        sys.exit(1)


# 1. Is it ready?
status, _, _ = call("/v2/health/ready")
check("ready", status == 200, status)

# 2. Tensors as nested JSON arrays
image, kernel = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]]
status, _, reply = post("/v1/conv", input=image, weight=kernel)
check("conv, JSON", status == 200 and reply["output"] == [[37, 47], [67, 77]], reply.get("output"))

# 3. Tensors as bytes: little-endian floats behind the JSON, whose length a header gives, both ways
text = json.dumps({"input": tensor(3, 3), "weight": tensor(2, 2)}).encode()
floats = struct.pack("<9f", *sum(image, [])) + struct.pack("<4f", *sum(kernel, []))
status, headers, body = call("/v1/conv", text + floats, {
    "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(text))})
length = int(headers.get("Inference-Header-Content-Length", len(body)))
output = [value for value, in struct.iter_unpack("<f", body[length:])]
check("conv, binary", json.loads(body[:length]).get("output") == tensor(2, 2)
      and output == [37, 47, 67, 77], output)

# 4. Initial weights: the same seed gives the same
_, _, first = post("/v1/initialize", method="xavier_uniform", shape=[2, 3], seed=1)
_, _, again = post("/v1/initialize", method="xavier_uniform", shape=[2, 3], seed=1)
weights = sum(first["weight"], [])
check("initialize", len(weights) == 6 and first["weight"] == again["weight"]
      and all(abs(weight) <= first["bound"] for weight in weights), first["weight"])

# 5. A mistake: it is "strides"
status, headers, problem = post("/v1/conv", input=image, weight=kernel, stride=2)
check("a mistake", status == 422 and headers["Content-Type"] == "application/problem+json"
      and problem["pointer"] == "/stride" and '"strides"' in problem["detail"], problem["detail"])
