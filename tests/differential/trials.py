"""What a row of the comparison is, and how geometries are drawn.

SPDX-License-Identifier: MIT
"""

from typing import Callable, NamedTuple

import numpy
import torch
import torch.nn.functional as F


class Trial(NamedTuple):
    """A request, whose arrays are tensors, and what the reply must hold: a function of those tensors in double."""
    request: dict
    expected: Callable
    multilinear: bool = True  # the expression of the magnitudes bounds every sum of terms
    derived: Callable = lambda reply: {}  # what follows from a reply that is not unique, to be held to as well


BOUND = 5e-6


class Row(NamedTuple):
    name: str
    operation: str
    draw: Callable  # (random) -> Trial
    bound: float = BOUND  # where the reply names no algorithm


def normals(random, shape):
    """An array of normal numbers in single precision."""
    return numpy.random.default_rng(random.getrandbits(63)).standard_normal(shape, dtype=numpy.float32)


def gradients(forward, grad_output, **inputs):
    """What autograd brings to each of the inputs, by the names that replies have."""
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in inputs.items()}
    forward(**leaves).backward(grad_output)
    return {f'grad_{name}': torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            for name, leaf in leaves.items()}


def draw_axes(random):
    return random.choice((1, 2, 2, 2, 3))


def per_axis(random, axes, values):
    """One of the values for each axis; often the same for all."""
    return [random.choice(values)] * axes if random.random() < 0.4 else [random.choice(values) for _ in range(axes)]


def attribute(random, request, name, values, default):
    """Says an attribute: as a list, or as one number where all are equal; leaves out a default now and then."""
    if all(value == default for value in values) and random.random() < 0.7:
        return
    same = len(set(values)) == 1 and random.random() < 0.5
    request[name] = values[0] if same else list(values)


def spans(kernel, dilations):
    """What a kernel covers along each axis."""
    return [dilation * (extent - 1) + 1 for extent, dilation in zip(kernel, dilations)]


def same_pads(extents, covered, strides, upper):
    """ONNX's SAME padding, (begins, ends)."""
    begins, ends = [], []
    for extent, span, stride in zip(extents, covered, strides):
        missing = max(0, (-(-extent // stride) - 1) * stride + span - extent)
        small, large = missing // 2, missing - missing // 2
        begins.append(small if upper else large)
        ends.append(large if upper else small)
    return begins, ends


def padded(tensor, begins, ends, value=0.0):
    """The tensor with cells around its last axes; torch counts the axes from the last."""
    widths = [width for pair in zip(reversed(begins), reversed(ends)) for width in pair]
    return F.pad(tensor, widths, value=value)
