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


def pooling(row):
    inputs = torch.from_numpy(row.input)
    if row.kind == 'global':
        return lambda: F.adaptive_avg_pool2d(inputs, 1)
    pool = F.max_pool2d if row.kind == 'max' else F.avg_pool2d
    return lambda: pool(inputs, (row.r, row.s), row.stride, (row.pad_h, row.pad_w))


def prepare(row, _variant, mode):
    if mode == 'own' or (row.weight is None and mode == 'prepared'):
        return None
    run = convolution(row, mode) if row.kind == 'conv' else pooling(row)
    return run, lambda output: output.numpy()


torch.set_num_threads(int(sys.argv[1]))
torch.set_grad_enabled(False)
peer.serve(f'PyTorch {torch.__version__}', ['eager'], prepare)
