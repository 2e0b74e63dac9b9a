#!/usr/bin/env node
// layerd from JavaScript, with fetch: node conv_client.mjs
// SPDX-License-Identifier: MIT

const url = process.env.LAYERD_URL ?? "http://127.0.0.1:8080";

const send = (path, body, headers = {}) => fetch(url + path, { method: "POST", body, headers });

const post = (path, fields) => send(path, JSON.stringify(fields), { "Content-Type": "application/json" });

// A tensor whose bytes follow the JSON
const tensor = (...shape) => ({
  shape, datatype: "FP32", parameters: { binary_data_size: 4 * shape.reduce((a, b) => a * b) },
});

const pack = (numbers) => {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((number, i) => view.setFloat32(4 * i, number, true)); // little-endian
  return view;
};

const unpack = (buffer) => {
  const view = new DataView(buffer);
  return Array.from({ length: buffer.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
};

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

const check = (what, good, seen) => {
  console.log(good ? "ok" : "FAIL", `${what}:`, JSON.stringify(seen));
  if (!good) process.exit(1);
};

// 1. Is it ready?
const ready = await fetch(`${url}/v2/health/ready`);
check("ready", ready.status === 200, ready.status);

// 2. Tensors as nested JSON arrays
const input = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], weight = [[1, 2], [3, 4]];
const { output } = await (await post("/v1/conv", { input, weight })).json();
check("conv, JSON", same(output, [[37, 47], [67, 77]]), output);

// 3. Tensors as bytes: little-endian floats behind the JSON, whose length a header gives, both ways
const text = new TextEncoder().encode(JSON.stringify({ input: tensor(3, 3), weight: tensor(2, 2) }));
const reply = await send("/v1/conv", new Blob([text, pack(input.flat()), pack(weight.flat())]), {
  "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": text.length,
});
const length = Number(reply.headers.get("Inference-Header-Content-Length"));
const floats = unpack((await reply.arrayBuffer()).slice(length));
check("conv, binary", same(floats, [37, 47, 67, 77]), floats);

// 4. Initial weights: the same seed gives the same
const request = { method: "xavier_uniform", shape: [2, 3], seed: 1 };
const first = await (await post("/v1/initialize", request)).json();
const again = await (await post("/v1/initialize", request)).json();
const weights = first.weight?.flat() ?? [];
check("initialize", weights.length === 6 && same(first.weight, again.weight) &&
  weights.every((w) => Math.abs(w) <= first.bound), first.weight);

// 5. A mistake: it is "strides"
const refusal = await post("/v1/conv", { input, weight, stride: 2 });
const problem = await refusal.json();
check("a mistake", refusal.status === 422 && problem.pointer === "/stride" && problem.detail.includes('"strides"') &&
  refusal.headers.get("Content-Type") === "application/problem+json", problem.detail);
