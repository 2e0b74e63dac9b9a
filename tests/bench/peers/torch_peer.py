"""PyTorch as a contender of the layer benchmark: peer.h says how.

SPDX-License-Identifier: MIT
"""

import sys

import torch
import torch.nn.functional as F

import peer


def convolution(row, mode):
    """Plain tensors; with `prepared` a frozen module, whose weight torch packs for oneDNN."""
    options = {'stride': row.stride, 'padding': (row.pad_h, row.pad_w), 'groups': row.group}
    inputs, weight = torch.from_numpy(row.input), torch.from_numpy(row.weight)
    if mode == 'call':
        return lambda: F.conv2d(inputs, weight, **options)
    module = torch.nn.Conv2d(row.c, row.k, (row.r, row.s), bias=False, **options)
    module.weight.data = weight
    packed = torch.jit.optimize_for_inference(torch.jit.script(module.eval()))
    packed(inputs), packed(inputs)
    return lambda: packed(inputs)


def convolution_backward(row):
    """What autograd calls for one of the gradients."""
    inputs, weight, gradient = map(torch.from_numpy, (row.input, row.weight, row.gradient))
    wanted = [row.kind == 'conv_grad_input', row.kind == 'conv_grad_weight', False]
    arguments = (None, [row.stride] * 2, [row.pad_h, row.pad_w], [1, 1], False, [0, 0], row.group, wanted)
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(gradient, inputs, weight, *arguments)[wanted.index(True)]


def linear(row):
    inputs, weight = torch.from_numpy(row.input).flatten(1), torch.from_numpy(row.weight).flatten(1)
    if row.kind == 'linear':
        return lambda: F.linear(inputs, weight)
    gradient = torch.from_numpy(row.gradient).flatten(1)
    if row.kind == 'linear_grad_input':
        return lambda: gradient.mm(weight)
    return lambda: gradient.t().mm(inputs)


def pooling_backward(row):
    inputs, gradient = torch.from_numpy(row.input), torch.from_numpy(row.gradient)
    window = ([row.r, row.s], [row.stride] * 2, [row.pad_h, row.pad_w])
    if row.kind == 'average_backward':
        backward = torch.ops.aten.avg_pool2d_backward
        return lambda: backward(gradient, inputs, *window, False, False, None)
    _, indices = torch.ops.aten.max_pool2d_with_indices(inputs, *window)
    backward = torch.ops.aten.max_pool2d_with_indices_backward
    return lambda: backward(gradient, inputs, *window, [1, 1], False, indices)


def pooling(row):
    inputs = torch.from_numpy(row.input)
    if row.kind == 'global':
        return lambda: F.adaptive_avg_pool2d(inputs, 1)
    if row.kind == 'lp':
        return lambda: F.lp_pool2d(inputs, 2, (row.r, row.s), row.stride)
    pool = F.max_pool2d if row.kind == 'max' else F.avg_pool2d
    return lambda: pool(inputs, (row.r, row.s), row.stride, (row.pad_h, row.pad_w))


KINDS = {'conv_grad_input': convolution_backward, 'conv_grad_weight': convolution_backward,
         'linear': linear, 'linear_grad_input': linear, 'linear_grad_weight': linear,
         'max_backward': pooling_backward, 'average_backward': pooling_backward}


def prepare(row, _variant, mode):
    if mode == 'own' or (row.kind != 'conv' and mode == 'prepared'):
        return None
    run = convolution(row, mode) if row.kind == 'conv' else KINDS.get(row.kind, pooling)(row)
    return run, lambda output: output.numpy()


torch.set_num_threads(int(sys.argv[1]))
torch.set_grad_enabled(False)
peer.serve(f'PyTorch {torch.__version__}', ['eager'], prepare)
