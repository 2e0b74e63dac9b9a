"""Pooling: rows of the comparison with PyTorch.

SPDX-License-Identifier: MIT
"""

import math

import torch
import torch.nn.functional as F

from conv_rows import CONV
from trials import Row, Trial, attribute, draw_axes, gradients, normals, padded, per_axis, same_pads, spans

MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
LP_POOL = {1: F.lp_pool1d, 2: F.lp_pool2d}
ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
ADAPTIVE_AVERAGE = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
MAX_UNPOOL = {1: F.max_unpool1d, 2: F.max_unpool2d, 3: F.max_unpool3d}


class PoolGeometry:
    """A pooling that torch can say: no window lies in padding alone; rounding up takes torch's own padding, the same
    on both sides and at most half of the kernel."""

    def __init__(self, random, kind):
        axes = self.axes = draw_axes(random)
        self.kind = kind
        self.overall = random.random() < 0.1
        # Without a kernel_shape it is the input's rank that says how many axes are spatial, counting a batch.
        self.batch = random.choice((1, 2, 3) if self.overall else (None, 1, 2, 3))
        self.channels = random.choice((1, 2, 3, 5, 16))
        self.kernel = per_axis(random, axes, (1, 2, 2, 3, 3, 4, 5) if axes < 3 else (1, 2, 3))
        self.strides = list(self.kernel) if random.random() < 0.4 else per_axis(random, axes, (1, 2, 3))
        self.ceil = random.random() < 0.3 and not self.overall and kind != 'lp'
        self.dilations = per_axis(random, axes, (1, 1, 1, 2, 3)) if kind == 'max' or not self.ceil else [1] * axes
        self.covered = spans(self.kernel, self.dilations)
        most = 20 if axes < 3 else 8
        self.extents = [random.randint(span, span + most) for span in self.covered]
        self._draw_pads(random)
        self.include = kind == 'average' and not self.overall and random.random() < 0.5
        self.p = random.choice((1, 2, 2, 3, 4)) if kind == 'lp' else None

    def _draw_pads(self, random):
        self.auto_pad = None
        if self.ceil:
            self.begins = self.ends = [random.randint(0, extent // 2) for extent in self.kernel]
            return
        self.begins = [random.randint(0, min(3, span - 1)) for span in self.covered]
        self.ends = self.begins if random.random() < 0.5 else [random.randint(0, span - 1) for span in self.covered]
        if random.random() < 0.2 and not self.overall:
            self.auto_pad = random.choice(('SAME_UPPER', 'SAME_LOWER', 'VALID'))
            upper = self.auto_pad == 'SAME_UPPER'
            self.begins, self.ends = ([0] * self.axes, [0] * self.axes) if self.auto_pad == 'VALID' else \
                same_pads(self.extents, self.covered, self.strides, upper)

    def attributes(self, random):
        request = {'kind': self.kind}
        if self.kind == 'lp' and (self.p != 2 or random.random() < 0.5):
            request['p'] = self.p
        if self.overall:
            return {**request, 'global': True, 'kernel_shape': None}
        request['kernel_shape'] = self.kernel
        if self.strides != self.kernel or random.random() < 0.5:
            request['strides'] = self.strides
        attribute(random, request, 'dilations', self.dilations, 1)
        if self.auto_pad is None:
            attribute(random, request, 'pads', self.begins + self.ends, 0)
        else:
            request['auto_pad'] = self.auto_pad
        if self.ceil:
            request['ceil_mode'] = True
        if self.include:
            request['count_include_pad'] = True
        return request

    def input_shape(self):
        return ([] if self.batch is None else [self.batch]) + [self.channels] + self.extents

    def _is_torchs_own(self):
        """Whether torch's padding says these pads."""
        return self.begins == self.ends and all(2 * pad <= extent for pad, extent in zip(self.begins, self.kernel))

    def maximum(self, wide):
        """The output, and indices in the input's plane."""
        if self.overall:
            return ADAPTIVE_MAX[self.axes](wide, 1, return_indices=True)
        pool = MAX_POOL[self.axes]
        if self._is_torchs_own():
            return pool(wide, self.kernel, self.strides, self.begins, self.dilations, self.ceil, True)
        wider = padded(wide, self.begins, self.ends, -math.inf)
        output, indices = pool(wider, self.kernel, self.strides, 0, self.dilations, self.ceil, True)
        return output, self._without_padding(indices, wider.shape[-self.axes:])

    def _without_padding(self, indices, extents):
        """Indices in the padded plane as ones in the plane."""
        plain, scale = torch.zeros_like(indices), 1
        for axis in reversed(range(self.axes)):
            plain += (indices % extents[axis] - self.begins[axis]) * scale
            indices = torch.div(indices, extents[axis], rounding_mode='floor')
            scale *= self.extents[axis]
        return plain

    def _sums(self, wide):
        """What each window sums, as a convolution of each channel with ones."""
        kernel = torch.ones([wide.shape[1], 1] + self.kernel, dtype=wide.dtype)
        return CONV[self.axes](padded(wide, self.begins, self.ends), kernel, None, self.strides, 0, self.dilations,
                               wide.shape[1])

    def average(self, wide):
        if self.overall:
            return ADAPTIVE_AVERAGE[self.axes](wide, 1)
        if self._is_torchs_own() and set(self.dilations) == {1}:
            return AVERAGE_POOL[self.axes](wide, self.kernel, self.strides, self.begins, self.ceil, self.include)
        cells = math.prod(self.kernel) if self.include else self._sums(torch.ones_like(wide))
        return self._sums(wide) / cells

    def norm(self, wide):
        wide = wide.abs()
        if self.overall and self.axes < 3:
            return LP_POOL[self.axes](wide, self.p, self.extents if self.axes > 1 else self.extents[0])
        if self.overall:
            return (wide ** self.p).sum((-3, -2, -1), keepdim=True) ** (1 / self.p)
        if self.axes < 3 and set(self.dilations) == {1}:
            sizes = (self.kernel, self.strides) if self.axes > 1 else (self.kernel[0], self.strides[0])
            return LP_POOL[self.axes](padded(wide, self.begins, self.ends), self.p, *sizes)
        return self._sums(wide ** self.p) ** (1 / self.p)

    def forward(self, input):
        wide = input if self.batch is not None else input[None]
        output = {'max': lambda: self.maximum(wide)[0], 'average': lambda: self.average(wide),
                  'lp': lambda: self.norm(wide)}[self.kind]()
        return output if self.batch is not None else output[0]

    def indices(self, input):
        wide = input if self.batch is not None else input[None]
        found = self.maximum(wide)[1]
        return found if self.batch is not None else found[0]


def draw_pool(kind):
    def draw(random):
        geometry = PoolGeometry(random, kind)
        request = {'input': normals(random, geometry.input_shape()), **geometry.attributes(random)}
        request = {name: value for name, value in request.items() if value is not None}
        indexed = kind == 'max' and random.random() < 0.5
        if indexed:
            request['return_indices'] = True

        def expected(tensors):
            found = {'output': geometry.forward(tensors['input'])}
            return {**found, 'indices': geometry.indices(tensors['input'])} if indexed else found

        return Trial(request, expected, multilinear=kind == 'average')

    return draw


def draw_pool_backward(kind):
    def draw(random):
        geometry = PoolGeometry(random, kind)
        values = normals(random, geometry.input_shape())
        grad_output = normals(random, list(geometry.forward(torch.from_numpy(values)).shape))
        request = {'input': values, 'grad_output': grad_output, **geometry.attributes(random)}
        request = {name: value for name, value in request.items() if value is not None}
        return Trial(request, lambda tensors: gradients(geometry.forward, tensors['grad_output'],
                                                        input=tensors['input']), multilinear=kind == 'average')

    return draw


def draw_unpool(random):
    """A pooling without padding, dilation and overlap, undone."""
    geometry = PoolGeometry(random, 'max')
    geometry.overall = geometry.ceil = False
    axes = geometry.axes
    geometry.dilations, geometry.strides = [1] * axes, list(geometry.kernel)
    geometry.begins = geometry.ends = [0] * axes
    values = torch.from_numpy(normals(random, geometry.input_shape()))
    request = {'input': geometry.forward(values).numpy(), 'indices': geometry.indices(values).numpy(),
               'kernel_shape': geometry.kernel}
    if random.random() < 0.5:
        request['strides'] = geometry.strides
    exact = [(extent // size) * size for extent, size in zip(geometry.extents, geometry.kernel)]
    if exact != geometry.extents:
        request['output_shape'] = list(values.shape)

    def expected(tensors):
        pooled = tensors['input'].dim() - axes
        return {'output': MAX_UNPOOL[axes](tensors['input'], tensors['indices'].long(), geometry.kernel,
                                           geometry.strides, 0, list(values.shape[pooled:]))}

    return Trial(request, expected, multilinear=False)


ROWS = [
    *(Row(f'pool {kind}', 'pool', draw_pool(kind)) for kind in ('max', 'average', 'lp')),
    *(Row(f'pool/backward {kind}', 'pool/backward', draw_pool_backward(kind)) for kind in ('max', 'average', 'lp')),
    Row('unpool', 'unpool', draw_unpool),
]
