// The convolution that `make bench-service` asks for, by node and ONNX Runtime: ort_server.mjs PORT
// Its package is found from ORT_MODULES.
// SPDX-License-Identifier: MIT
import cluster from 'node:cluster';
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import {availableParallelism} from 'node:os';
import {onnxModel} from './onnx_bytes.mjs';

const LENGTH = 'Inference-Header-Content-Length';
const sessions = new Map();

function shapeOf(nested) {
    const shape = [];
    for (let at = nested; Array.isArray(at); at = at[0]) shape.push(at.length);
    return shape;
}

const asFour = (shape) => [...Array(4 - shape.length).fill(1), ...shape];

function nest(data, [extent, ...rest], at = 0) {
    if (rest.length === 0) return Array.from(data.subarray(at, at + extent));
    const size = rest.reduce((a, b) => a * b);
    return Array.from({length: extent}, (_, index) => nest(data, rest, at + index * size));
}

// One session for each pair of shapes; weights come with the request, so they are inputs.
function sessionFor(ort, x, w) {
    const key = `${x.shape}/${w.shape}`;
    if (!sessions.has(key)) {
        const shape = [1, w.shape[0], x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1];
        const inputs = [{name: 'x', shape: x.shape}, {name: 'w', shape: w.shape}];
        const model = onnxModel('Conv', {}, inputs, {name: 'y', shape});
        sessions.set(key, ort.InferenceSession.create(model, {intraOpNumThreads: 1, interOpNumThreads: 1}));
    }
    return sessions.get(key);
}

async function convolve(ort, x, w) {
    const tensor = ({shape, data}) => new ort.Tensor('float32', data, shape);
    const {y} = await (await sessionFor(ort, x, w)).run({x: tensor(x), w: tensor(w)});
    return y;
}

function binaryTensor(body, {shape, parameters}, at) {
    const size = parameters.binary_data_size;
    const data = new Float32Array(new Uint8Array(body.subarray(at, at + size)).buffer);
    return {shape: asFour(shape), data};
}

async function answerBinary(ort, body, length) {
    const {input, weight} = JSON.parse(body.subarray(0, length));
    const x = binaryTensor(body, input, length);
    const w = binaryTensor(body, weight, length + input.parameters.binary_data_size);
    const {data, dims} = await convolve(ort, x, w);
    const said = {shape: dims, datatype: 'FP32', parameters: {binary_data_size: data.byteLength}};
    const head = Buffer.from(JSON.stringify({output: said}));
    const reply = Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
    return {reply, headers: {'Content-Type': 'application/octet-stream', [LENGTH]: head.length}};
}

async function answerJson(ort, body) {
    const request = JSON.parse(body);
    const [x, w] = [request.input, request.weight].map((nested) =>
        ({shape: asFour(shapeOf(nested)), data: Float32Array.from(nested.flat(Infinity))}));
    const {data, dims} = await convolve(ort, x, w);
    return {reply: JSON.stringify({output: nest(data, dims)}), headers: {'Content-Type': 'application/json'}};
}

function serve(port) {
    const ort = createRequire(`${process.env.ORT_MODULES}/`)('onnxruntime-node');
    createServer(async (request, response) => {
        const parts = [];
        for await (const part of request) parts.push(part);
        const body = Buffer.concat(parts), length = Number(request.headers[LENGTH.toLowerCase()]);
        const {reply, headers} = await (length ? answerBinary(ort, body, length) : answerJson(ort, body));
        response.writeHead(200, {...headers, 'Content-Length': Buffer.byteLength(reply)}).end(reply);
    }).listen(port, '127.0.0.1');
}

if (cluster.isPrimary) {
    for (let i = 0; i < availableParallelism(); i++) cluster.fork();
    process.on('SIGTERM', () => process.exit());
} else {
    serve(Number(process.argv[2]));
}
