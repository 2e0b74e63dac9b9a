"""Convolutions: rows of the comparison with PyTorch.

SPDX-License-Identifier: MIT
"""

import math
import re
from pathlib import Path

import torch
import torch.nn.functional as F

from trials import Row, Trial, attribute, draw_axes, gradients, normals, padded, per_axis, same_pads, spans

# The list of algorithms, with the bounds of their errors, has its one place in the library's header.
HEADER = (Path(__file__).parents[2] / 'lib/include/layer/conv.h').read_text()
ALGORITHM_BOUNDS = {name: float(bound) for name, bound in re.findall(r'X\([A-Z0-9_]+, "(\w+)", ([\d.e-]+),', HEADER)}

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


class ConvGeometry:
    """A convolution that fits, its attributes as a request says them, and its expression in torch."""

    def __init__(self, random):
        axes = self.axes = draw_axes(random)
        self.bare = axes < 3 and random.random() < 0.1
        self.batch = random.choice((None, 1, 2, 3))
        self.kernel = per_axis(random, axes, (1, 2, 3, 3, 4, 5, 7) if axes < 3 else (1, 2, 3))
        self.strides = per_axis(random, axes, (1, 1, 1, 2, 3))
        self.dilations = per_axis(random, axes, (1, 1, 1, 2, 3))
        self._draw_channels(random)
        covered = spans(self.kernel, self.dilations)
        self.auto_pad = random.choice(('NOTSET', 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID', 'FULL'))
        if self.auto_pad == 'FULL':
            self.strides = [1] * axes
        most = 24 if axes < 3 else 9
        self.extents = [random.randint(span, span + most) for span in covered]
        self._draw_pads(random, covered)
        self.flipped = random.random() < 0.2
        self.biased = not self.bare and random.random() < 0.5

    def _draw_channels(self, random):
        self.group = 1 if self.bare else random.choice((1, 1, 1, 2, 3, 8))
        many = random.random() < 0.05 and self.axes < 3
        each = (16, 33) if many else (1, 2, 3, 5)
        self.channels = 1 if self.bare else self.group * random.choice(each)
        self.outputs = 1 if self.bare else self.group * random.choice(each)

    def _draw_pads(self, random, covered):
        if self.auto_pad == 'NOTSET':
            self.begins = per_axis(random, self.axes, (0, 0, 1, 2, 3))
            self.ends = list(self.begins) if random.random() < 0.5 else per_axis(random, self.axes, (0, 1, 2, 4))
        elif self.auto_pad == 'VALID':
            self.begins = self.ends = [0] * self.axes
        elif self.auto_pad == 'FULL':
            self.begins = self.ends = [span - 1 for span in covered]
        else:
            self.begins, self.ends = same_pads(self.extents, covered, self.strides, self.auto_pad == 'SAME_UPPER')

    def attributes(self, random):
        request = {}
        attribute(random, request, 'strides', self.strides, 1)
        attribute(random, request, 'dilations', self.dilations, 1)
        if self.auto_pad == 'NOTSET':
            attribute(random, request, 'pads', self.begins + self.ends, 0)
        else:
            request['auto_pad'] = self.auto_pad
        if self.group > 1:
            request['group'] = self.group
        if self.flipped:
            request['mode'] = 'convolution'
        return request

    def input_shape(self):
        if self.bare:
            return self.extents
        return ([] if self.batch is None else [self.batch]) + [self.channels] + self.extents

    def weight_shape(self):
        return self.kernel if self.bare else [self.outputs, self.channels // self.group] + self.kernel

    def tensors(self, random):
        tensors = {'input': normals(random, self.input_shape()), 'weight': normals(random, self.weight_shape())}
        if self.biased:
            tensors['bias'] = normals(random, [self.outputs])
        return tensors

    def forward(self, input, weight, bias=None):
        """With torch's own padding where it has that: the same on both sides, or "same" with stride 1."""
        lacking = self.axes + 2 - input.dim()
        wide = input[(None,) * lacking]
        kernel = weight.flip(list(range(-self.axes, 0))) if self.flipped else weight
        kernel = kernel[(None, None)] if self.bare else kernel
        padding = self.begins
        if self.auto_pad == 'SAME_UPPER' and set(self.strides) == {1}:
            padding = 'same'
        elif self.begins != self.ends:
            wide, padding = padded(wide, self.begins, self.ends), 0
        output = CONV[self.axes](wide, kernel, bias, self.strides, padding, self.dilations, self.group)
        return output.reshape(output.shape[lacking:])

    def output_shape(self):
        return list(self.forward(torch.zeros(self.input_shape()), torch.zeros(self.weight_shape())).shape)


def draw_conv(random):
    geometry = ConvGeometry(random)
    request = {**geometry.tensors(random), **geometry.attributes(random)}
    return Trial(request, lambda tensors: {'output': geometry.forward(**tensors)})


class NetworkGeometry(ConvGeometry):
    """3x3 with stride and dilation 1: what networks have most, and special algorithms are for."""

    def __init__(self, random):
        super().__init__(random)
        while self.axes != 2:
            super().__init__(random)
        self.kernel, self.strides, self.dilations = [3, 3], [1, 1], [1, 1]
        self.extents = [random.randint(3, 30) for _ in range(2)]
        self._draw_pads(random, self.kernel)


def draw_conv_by(algorithm):
    """Of any geometry, or every other time of one for which special algorithms are."""
    def draw(random):
        geometry = random.choice((ConvGeometry, NetworkGeometry))(random)
        request = {**geometry.tensors(random), **geometry.attributes(random), 'algorithm': algorithm}
        return Trial(request, lambda tensors: {'output': geometry.forward(**tensors)})

    return draw


def draw_conv_backward(random):
    geometry = ConvGeometry(random)
    geometry.biased = False
    request = {**geometry.tensors(random), 'grad_output': normals(random, geometry.output_shape()),
               **geometry.attributes(random)}

    def expected(tensors):
        inputs = {name: tensors[name] for name in ('input', 'weight')}
        if not geometry.bare:
            inputs['bias'] = torch.zeros(geometry.outputs, dtype=torch.float64)
        return gradients(geometry.forward, tensors['grad_output'], **inputs)

    return Trial(request, expected)


def matrix_of(geometry, weight):
    """A column for each cell of the input: what the convolution makes of a 1 there."""
    cells = math.prod(geometry.input_shape())
    columns = [geometry.forward(one.reshape(geometry.input_shape()), weight).flatten()
               for one in torch.eye(cells, dtype=torch.float64)]
    return torch.stack(columns, 1)


def draw_conv_matrix(random):
    geometry, small = None, 200
    while geometry is None or math.prod(geometry.input_shape()) > small:
        geometry = ConvGeometry(random)
        geometry.batch, geometry.biased = None, False
    layout = random.choice(('dense', 'coo', 'csr'))
    request = {'weight': geometry.tensors(random)['weight'], 'input_shape': geometry.input_shape(), 'format': layout,
               **geometry.attributes(random)}

    def expected(tensors):
        matrix = matrix_of(geometry, tensors['weight'])
        sparse = matrix.to_sparse().coalesce()
        rows, columns = sparse.indices()
        found = {'shape': torch.tensor(matrix.shape), 'nonzeros': torch.tensor(len(rows))}
        if layout == 'dense':
            return {**found, 'matrix': matrix}
        if layout == 'coo':
            return {**found, 'rows': rows, 'columns': columns, 'values': sparse.values()}
        return {**found, 'indptr': matrix.to_sparse_csr().crow_indices(), 'indices': columns,
                'values': sparse.values()}

    return Trial(request, expected, multilinear=False)


# ---- Depthwise-separable convolution ------------------------------------------------------------------------------


def draw_depthwise(random):
    """The geometry of the depthwise part, its weight, the weight that mixes its channels, and biases."""
    geometry = ConvGeometry(random)
    while geometry.bare:
        geometry = ConvGeometry(random)
    geometry.channels = geometry.group = random.choice((1, 2, 3, 8))
    geometry.outputs = geometry.channels * random.choice((1, 1, 2, 3))
    geometry.biased = False
    tensors, outputs = geometry.tensors(random), random.choice((1, 2, 5, 16))
    request = {'input': tensors['input'], 'depthwise_weight': tensors['weight'],
               'pointwise_weight': normals(random, [outputs, geometry.outputs] + [1] * geometry.axes)}
    for name, count in (('depthwise_bias', geometry.outputs), ('pointwise_bias', outputs)):
        if random.random() < 0.5:
            request[name] = normals(random, [count])
    attributes = geometry.attributes(random)
    attributes.pop('group', None)  # each channel is one

    def forward(input, depthwise_weight, pointwise_weight, depthwise_bias=None, pointwise_bias=None):
        middle = geometry.forward(input, depthwise_weight, depthwise_bias)
        return CONV[geometry.axes](middle, pointwise_weight, pointwise_bias)

    return request, attributes, forward


def draw_separable_depthwise(random):
    request, attributes, forward = draw_depthwise(random)
    return Trial({**request, **attributes}, lambda tensors: {'output': forward(**tensors)})


def draw_separable_depthwise_backward(random):
    request, attributes, forward = draw_depthwise(random)
    output = forward(**{name: torch.from_numpy(value) for name, value in request.items()})
    given = {**request, 'grad_output': normals(random, list(output.shape))}
    return Trial({**given, **attributes}, lambda tensors: gradients(
        forward, tensors['grad_output'], **{name: tensors[name] for name in request}))


# ---- Spatially separable convolution --------------------------------------------------------------------------------


class SpatialGeometry(ConvGeometry):
    """A convolution over two axes, with factors of its kernels: bare, of each kernel, or shared by all."""

    def __init__(self, random):
        super().__init__(random)
        while self.axes != 2:
            super().__init__(random)
        height, width = self.kernel
        products, channels = random.choice((1, 1, 2, 3)), self.channels // self.group
        self.kind = 'bare' if self.bare else random.choice(('each', 'shared'))
        lead = {'bare': [], 'each': [self.outputs, channels], 'shared': None}[self.kind]
        if lead is None:
            products *= random.choice((1, 4))
            self.factors = [products * self.group, channels, height], [self.outputs, products, width]
        elif self.bare and products == 1 and random.random() < 0.5:
            self.factors = [height], [width]
        else:
            self.factors = lead + [products, height], lead + [products, width]

    def tensors(self, random):
        tensors = super().tensors(random)
        del tensors['weight']
        return {**tensors, 'column': normals(random, self.factors[0]), 'row': normals(random, self.factors[1])}

    def kernels(self, column, row):
        if self.kind != 'shared':
            return (column.unsqueeze(-1) * row.unsqueeze(-2)).sum(-3) if column.dim() > 1 else torch.outer(column, row)
        columns, rows = column.unflatten(0, (self.group, -1)), row.unflatten(0, (self.group, -1))
        return torch.einsum('gmcr,gkms->gkcrs', columns, rows).flatten(0, 1)

    def convolve(self, input, column, row, bias=None):
        return self.forward(input, self.kernels(column, row), bias)


def draw_separable_spatial(random):
    geometry = SpatialGeometry(random)
    request = {**geometry.tensors(random), **geometry.attributes(random)}
    return Trial(request, lambda tensors: {'output': geometry.convolve(**tensors)})


def draw_separable_spatial_backward(random):
    geometry = SpatialGeometry(random)
    tensors = geometry.tensors(random)
    output = geometry.convolve(**{name: torch.from_numpy(value) for name, value in tensors.items()})
    request = {**tensors, 'grad_output': normals(random, list(output.shape)), **geometry.attributes(random)}
    return Trial(request, lambda given: gradients(
        geometry.convolve, given['grad_output'], **{name: given[name] for name in tensors}))


# ---- Transposed convolution -------------------------------------------------------------------------------------


class TransposeGeometry:
    """A transposed convolution: torch computes it whole, then padding is what is cut off."""

    def __init__(self, random):
        axes = self.axes = draw_axes(random)
        self.batch = random.choice((None, 1, 2, 3))
        self.group = random.choice((1, 1, 1, 2, 3))
        self.channels = self.group * random.choice((1, 2, 3, 5))
        self.outputs = self.group * random.choice((1, 2, 3, 5))
        self.extents = [random.randint(1, 12 if axes < 3 else 5) for _ in range(axes)]
        self.kernel = per_axis(random, axes, (1, 2, 3, 3, 4, 5) if axes < 3 else (1, 2, 3))
        self.strides = per_axis(random, axes, (1, 1, 2, 3))
        self.dilations = per_axis(random, axes, (1, 1, 1, 2, 3))
        self.extra = [random.randrange(max(pair)) if random.random() < 0.4 else 0
                      for pair in zip(self.strides, self.dilations)]
        self.whole = [stride * (extent - 1) + extra + span for stride, extent, extra, span in
                      zip(self.strides, self.extents, self.extra, spans(self.kernel, self.dilations))]
        self._draw_pads(random)
        self.biased = random.random() < 0.5
        self.flipped = random.random() < 0.2

    def _draw_pads(self, random):
        """Pads that leave an output, given as they are or by its shape; a shape may also add to it."""
        self.auto_pad = random.choice(('NOTSET', 'NOTSET', 'SAME_UPPER', 'SAME_LOWER'))
        self.sized = random.random() < 0.3
        self.begins, self.ends, self.sizes = [], [], []
        for whole, stride, extent in zip(self.whole, self.strides, self.extents):
            if self.sized or self.auto_pad == 'NOTSET':
                cut = random.randint(-3 if self.sized else 0, min(4, whole - 1))
            else:
                cut = whole - stride * extent
            begin = cut // 2 if self.auto_pad == 'SAME_UPPER' else cut - cut // 2
            if not self.sized and self.auto_pad == 'NOTSET':
                begin = random.randint(0, cut)
            self.begins.append(begin)
            self.ends.append(cut - begin)
            self.sizes.append(whole - cut)

    def attributes(self, random):
        request = {}
        attribute(random, request, 'strides', self.strides, 1)
        attribute(random, request, 'dilations', self.dilations, 1)
        attribute(random, request, 'output_padding', self.extra, 0)
        if self.auto_pad != 'NOTSET':
            request['auto_pad'] = self.auto_pad
        elif not self.sized:
            attribute(random, request, 'pads', self.begins + self.ends, 0)
        if self.sized:
            request['output_shape'] = self.sizes
        if self.group > 1:
            request['group'] = self.group
        if self.flipped:
            request['mode'] = 'convolution'
        return request

    def tensors(self, random):
        shape = ([] if self.batch is None else [self.batch]) + [self.channels] + self.extents
        weight = [self.channels, self.outputs // self.group] + self.kernel
        tensors = {'input': normals(random, shape), 'weight': normals(random, weight)}
        if self.biased:
            tensors['bias'] = normals(random, [self.outputs])
        return tensors

    def forward(self, input, weight, bias=None):
        wide = input if self.batch is not None else input[None]
        kernel = weight.flip(list(range(-self.axes, 0))) if self.flipped else weight
        output = CONV_TRANSPOSE[self.axes](wide, kernel, None, self.strides, 0, 0, self.group, self.dilations)
        output = padded(output, [0] * self.axes, self.extra)
        output = padded(output, [-begin for begin in self.begins], [-end for end in self.ends])
        if bias is not None:
            output = output + bias.reshape([-1] + [1] * self.axes)
        return output if self.batch is not None else output[0]


def draw_conv_transpose(random):
    geometry = TransposeGeometry(random)
    request = {**geometry.tensors(random), **geometry.attributes(random)}
    return Trial(request, lambda tensors: {'output': geometry.forward(**tensors)})


# Gradients with respect to inputs, and transposed convolution, are convolutions by any of the algorithms.
ANY_BOUND = max(ALGORITHM_BOUNDS.values())

ROWS = [
    Row('conv', 'conv', draw_conv),
    *(Row(f'conv by {name}', 'conv', draw_conv_by(name)) for name in ALGORITHM_BOUNDS),
    Row('conv/backward', 'conv/backward', draw_conv_backward, ANY_BOUND),
    Row('conv/matrix', 'conv/matrix', draw_conv_matrix),
    Row('separable/depthwise', 'separable/depthwise', draw_separable_depthwise),
    Row('separable/depthwise/backward', 'separable/depthwise/backward', draw_separable_depthwise_backward),
    Row('separable/spatial', 'separable/spatial', draw_separable_spatial),
    Row('separable/spatial/backward', 'separable/spatial/backward', draw_separable_spatial_backward),
    Row('conv-transpose', 'conv-transpose', draw_conv_transpose, ANY_BOUND),
]
