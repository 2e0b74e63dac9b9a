// The bytes of an ONNX model of one operator: protocol buffers, as onnx.proto numbers their fields.
// SPDX-License-Identifier: MIT

function varint(number) {
    const bytes = [];
    for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
    return Buffer.from([...bytes, number]);
}

const integer = (field, number) => Buffer.concat([varint(field * 8), varint(number)]);
const bytes = (field, content) => {
    const buffer = Buffer.from(content);
    return Buffer.concat([varint(field * 8 + 2), varint(buffer.length), buffer]);
};
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

const FLOAT = 1, INT = 2, INTS = 7;

function attribute(field, name, value) {
    return Array.isArray(value)
        ? message(field, bytes(1, name), ...value.map((each) => integer(8, each)), integer(20, INTS))
        : message(field, bytes(1, name), integer(3, value), integer(20, INT));
}

function valueInfo(field, {name, shape}) {
    const extents = shape.map((extent) => message(1, integer(1, extent)));
    return message(field, bytes(1, name), message(2, message(1, integer(1, FLOAT), message(2, ...extents))));
}

function initializer(field, {name, shape, data}) {
    const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const extents = shape.map((extent) => integer(1, extent));
    return message(field, ...extents, integer(2, FLOAT), bytes(8, name), bytes(9, raw));
}

// Tensors are {name, shape}; those that also have `data` are part of the model, the others its inputs.
export function onnxModel(operator, attributes, inputs, output) {
    const node = message(1, ...inputs.map(({name}) => bytes(1, name)), bytes(2, output.name), bytes(4, operator),
        ...Object.entries(attributes).map(([name, value]) => attribute(5, name, value)));
    const graph = message(7, node, bytes(2, 'layer'),
        ...inputs.filter(({data}) => data).map((tensor) => initializer(5, tensor)),
        ...inputs.filter(({data}) => !data).map((tensor) => valueInfo(11, tensor)),
        valueInfo(12, output));
    return Buffer.concat([integer(1, 8), graph, message(8, bytes(1, ''), integer(2, 13))]);
}
