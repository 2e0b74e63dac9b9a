// ONNX Runtime as a contender of the layer benchmark: peer.h says how. Its package is found from ORT_MODULES.
// SPDX-License-Identifier: MIT
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {performance} from 'node:perf_hooks';
import {createInterface} from 'node:readline';
import {onnxModel} from './onnx_bytes.mjs';

const require = createRequire(`${process.env.ORT_MODULES}/`);
const ort = require('onnxruntime-node');
const {version} = require('onnxruntime-node/package.json');
const threads = Number(process.argv[2]);
const MOST_TIMES = 500;

const OPERATORS = {conv: 'Conv', max: 'MaxPool', average: 'AveragePool', global: 'GlobalAveragePool'};

function readFloats(path) {
    const bytes = readFileSync(path);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function readRow([kind, ...rest]) {
    const directory = rest.pop();
    const [n, c, k, h, w, r, s, stride, padH, padW, group] = rest.map(Number);
    const p = Math.floor((h + 2 * padH - r) / stride) + 1, q = Math.floor((w + 2 * padW - s) / stride) + 1;
    const window = {kernel_shape: [r, s], strides: [stride, stride], pads: [padH, padW, padH, padW]};
    return {
        kind, directory,
        attributes: kind === 'conv' ? {...window, group} : kind === 'global' ? {} : window,
        input: {name: 'x', shape: [n, c, h, w], data: readFloats(`${directory}/input`)},
        weight: kind === 'conv' && {name: 'w', shape: [k, c / group, r, s], data: readFloats(`${directory}/weight`)},
        output: {name: 'y', shape: [n, k, p, q]},
    };
}

const tensorOf = ({data, shape}) => new ort.Tensor('float32', data, shape);

// A weight in the model is prepared; one that is an input comes with the call.
async function open(row, mode) {
    const {kind, input, weight, output} = row;
    if (!OPERATORS[kind] || mode === 'own' || (!weight && mode === 'prepared')) return null;
    const inputs = [{name: 'x', shape: input.shape}];
    const feeds = {x: tensorOf(input)};
    if (weight) inputs.push(mode === 'prepared' ? weight : {name: 'w', shape: weight.shape});
    if (weight && mode === 'call') feeds.w = tensorOf(weight);
    const model = onnxModel(OPERATORS[kind], row.attributes, inputs, output);
    const session = await ort.InferenceSession.create(model, {intraOpNumThreads: threads, interOpNumThreads: 1});
    const fetches = {y: tensorOf({data: new Float32Array(output.shape.reduce((a, b) => a * b)), shape: output.shape})};
    return {session, run: () => session.run(feeds, fetches)};
}

function processorTime() {
    const {user, system} = process.cpuUsage();
    return (user + system) / 1000;
}

const CLOCKS = {wall: () => performance.now(), cpu: processorTime}; // milliseconds

async function timed(run, seconds, clock) {
    const now = CLOCKS[clock];
    await run();
    const times = [];
    let before = now();
    const end = before + 1000 * seconds;
    while (times.length === 0 || (times.length < MOST_TIMES && before < end)) {
        await run();
        const after = now();
        times.push(1000 * (after - before));
        before = after;
    }
    return times.map((time) => time.toFixed(3)).join(' ');
}

let row, opened = {};

async function forgetRow() {
    for (const {session} of Object.values(opened)) await session.release();
    opened = {};
}

async function answer([command, ...words]) {
    if (command === 'row') {
        await forgetRow();
        row = readRow(words);
        return 'ok';
    }
    const mode = words[1];
    if (command === 'time') return timed(opened[mode].run, Number(words[2]), words[3]);
    const work = await open(row, mode);
    if (!work) return 'no';
    opened[mode] = work;
    const {y} = await work.run();
    writeFileSync(`${row.directory}/output`, new Uint8Array(y.data.buffer, y.data.byteOffset, y.data.byteLength));
    return 'ok';
}

console.log(`ONNX Runtime ${version}\nsession`);
for await (const line of createInterface({input: process.stdin})) console.log(await answer(line.trim().split(' ')));
