"""Linear layers, initial weights, factorizations, receptive fields: rows of the comparison with PyTorch.

SPDX-License-Identifier: MIT
"""

import math

import torch
import torch.nn.functional as F

from conv_rows import CONV
from trials import Row, Trial, draw_axes, gradients, normals, padded, per_axis

ROUNDING = 1e-6  # an error below is that of the weight's own digits

# ---- Linear layers --------------------------------------------------------------------------------------------------


def draw_linear(random):
    batch, inputs, outputs = random.choice((None, 1, 2, 7, 32)), random.randint(1, 90), random.randint(1, 90)
    request = {'input': normals(random, [inputs] if batch is None else [batch, inputs]),
               'weight': normals(random, [outputs, inputs])}
    if random.random() < 0.5:
        request['bias'] = normals(random, [outputs])
    return Trial(request, lambda tensors: {'output': F.linear(**tensors)})


def draw_linear_backward(random):
    batch, inputs, outputs = random.choice((None, 1, 2, 7, 32)), random.randint(1, 90), random.randint(1, 90)
    lead = [] if batch is None else [batch]
    request = {'input': normals(random, lead + [inputs]), 'weight': normals(random, [outputs, inputs]),
               'grad_output': normals(random, lead + [outputs])}
    return Trial(request, lambda tensors: gradients(
        F.linear, tensors['grad_output'], input=tensors['input'], weight=tensors['weight'],
        bias=torch.zeros(outputs, dtype=torch.float64)))


# ---- Initial weights ------------------------------------------------------------------------------------------------

NONLINEARITIES = ('linear', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu')


def draw_shape(random):
    return [random.randint(1, 40), random.randint(1, 40)] + [random.randint(1, 5) for _ in range(random.randint(0, 3))]


def draw_law(random):
    """The fans, the gain and the law's standard deviation, with one group: as torch counts."""
    method = random.choice(('xavier_normal', 'xavier_uniform', 'kaiming_normal', 'kaiming_uniform'))
    nonlinearity = random.choice(NONLINEARITIES)
    request = {'method': method, 'shape': draw_shape(random), 'nonlinearity': nonlinearity,
               'seed': random.getrandbits(32)}
    slope = None
    if nonlinearity == 'leaky_relu':
        slope = request['slope'] = random.choice((0.01, 0.1, 0.3))
    if method.startswith('kaiming'):
        request['mode'] = random.choice(('fan_in', 'fan_out'))

    def expected(_):
        weight = torch.empty(request['shape'])
        fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(weight)
        gain = torch.nn.init.calculate_gain(nonlinearity, slope)
        fan = torch.nn.init._calculate_correct_fan(weight, request['mode']) if 'mode' in request else \
            (fan_in + fan_out) / 2
        numbers = {'fan_in': fan_in, 'fan_out': fan_out, 'gain': gain, 'std': gain / math.sqrt(fan)}
        if method.endswith('uniform'):
            numbers['bound'] = math.sqrt(3 / fan) * gain
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in numbers.items()}

    return Trial(request, expected, multilinear=False)


def draw_fixed(random):
    """Weights that are not drawn."""
    method = random.choice(('dirac', 'eye', 'constant'))
    shape, group = draw_shape(random), 1
    request = {'method': method}
    if method == 'eye':
        shape = shape[:2]
    elif method == 'dirac':
        group = random.choice((1, 1, 2, 3))
        shape = [shape[0] * group] + shape[1:] + ([random.randint(1, 5)] if len(shape) == 2 else [])
    else:
        request['value'] = random.choice((0, 1, -0.5))
    request = {**request, 'shape': shape, 'group': group}
    fill = {'dirac': lambda weight: torch.nn.init.dirac_(weight, group), 'eye': torch.nn.init.eye_,
            'constant': lambda weight: torch.nn.init.constant_(weight, request['value'])}[method]
    return Trial(request, lambda _: {'weight': fill(torch.empty(shape))}, multilinear=False)


def draw_orthogonal(random):
    """The shorter side's vectors: they have the length of the gain, and right angles between them."""
    gain = random.choice((1, 0.5, 2))
    request = {'method': 'orthogonal', 'shape': draw_shape(random), 'gain': gain, 'seed': random.getrandbits(32)}
    short = min(request['shape'][0], math.prod(request['shape'][1:]))

    def products(reply):
        weight = torch.from_numpy(reply['weight'].astype('float64')).flatten(1)
        return {'products': weight @ weight.T if len(weight) == short else weight.T @ weight}

    return Trial(request, lambda _: {'products': gain ** 2 * torch.eye(short)}, multilinear=False, derived=products)


# ---- Separable kernels ----------------------------------------------------------------------------------------------


def draw_kernels(random):
    """A kernel or a bank of them, now and then of a rank lower than its sides allow: each kernel's, or the bank's."""
    bank = random.choice(([], [4, 2], [3, 5]))
    height, width = random.randint(1, 9), random.randint(1, 9)
    kind = random.choice(('full', 'each', 'shared') if bank else ('full', 'each'))
    if kind == 'full':
        return normals(random, bank + [height, width])
    if kind == 'each':
        rank = random.randint(1, min(height, width))
        return normals(random, bank + [height, rank]) @ normals(random, bank + [rank, width])
    rank = random.randint(1, min(bank[1] * height, bank[0] * width))
    columns, rows = normals(random, [rank, bank[1], height]), normals(random, [bank[0], rank, width])
    return torch.einsum('mcr,kms->kcrs', torch.from_numpy(columns), torch.from_numpy(rows)).numpy()


def as_matrix(weight):
    """A bank [K, C, R, S] as one matrix, and back."""
    return weight.permute(1, 2, 0, 3).flatten(2, 3).flatten(0, 1)


def as_bank(matrix, shape):
    outputs, channels, height, width = shape
    return matrix.reshape(channels, height, outputs, width).permute(2, 0, 1, 3)


def left_out(values, rank):
    return values[..., rank:].square().sum().sqrt() / values.square().sum().sqrt()


def fewest(values):
    return next(rank for rank in range(1, values.shape[-1] + 1) if left_out(values, rank) <= ROUNDING)


def multiplications(shape, scheme, rank):
    outputs, channels, height, width = shape if len(shape) == 4 else [1, 1, *shape]
    if scheme == 'each':
        return outputs * channels * rank * (height + width)
    return rank * (channels * height + outputs * width)


def draw_factorize(random):
    """The singular values, and the best sum of so many products; a column and its row may both change their sign."""
    weight = draw_kernels(random)
    schemes = ('each', 'shared') if weight.ndim == 4 else ('each',)
    asked = random.choice(schemes + ('auto',))
    request = {'weight': weight} if asked == 'auto' else {'weight': weight, 'scheme': asked}
    if asked != 'auto' and random.random() < 0.5:
        sides = weight.shape[-2:]
        if asked == 'shared':
            sides = as_matrix(torch.from_numpy(weight)).shape
        request['rank'] = random.randint(1, min(sides))

    def factorized(weight, scheme):
        matrix = weight if scheme == 'each' else as_matrix(weight)
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        rank = request.get('rank') or fewest(values)
        best = (left[..., :rank] * values[..., None, :rank]) @ right[..., :rank, :]
        rest = left_out(values, rank)
        return {'singular_values': values, 'rank': torch.tensor(rank),
                'sum': best if scheme == 'each' else as_bank(best, weight.shape),
                'multiplications_after': torch.tensor(multiplications(weight.shape, scheme, rank)),
                **({'error': rest} if rest > ROUNDING else {})}

    def expected(tensors):
        found = [factorized(tensors['weight'], scheme) for scheme in (schemes if asked == 'auto' else (asked,))]
        return min(found, key=lambda one: one['multiplications_after'].item())

    def summed(reply):
        column, row = (torch.from_numpy(reply[name].astype('float64')) for name in ('column', 'row'))
        if column.dim() == 3:
            return {'sum': torch.einsum('mcr,kms->kcrs', column, row)}
        return {'sum': column.transpose(-1, -2) @ row}

    return Trial(request, expected, multilinear=False, derived=summed)


# ---- Receptive fields -----------------------------------------------------------------------------------------------


class Chain:
    """Layers without gaps between or within their windows, so that what is seen is what lies between its ends. Each
    is a convolution with ones: whatever is seen, and nothing else, has a gradient."""

    def __init__(self, random):
        self.axes = draw_axes(random)
        self.layers = []
        self.extents = self.sizes = [random.randint(1, 40 if self.axes < 3 else 12) for _ in range(self.axes)]
        for _ in range(random.randint(1, 5)):
            kernel = per_axis(random, self.axes, (1, 2, 3, 3, 5))
            pads = [[random.randint(0, min(2, extent - 1)) for extent in kernel] for _ in range(2)]
            strides = [random.randint(1, min(3, extent)) for extent in kernel]
            sizes = [(size + begin + end - extent) // stride + 1
                     for size, begin, end, extent, stride in zip(self.sizes, *pads, kernel, strides)]
            if min(sizes) >= 1:
                self.sizes = sizes
                self.layers.append({'kernel_shape': kernel, 'pads': pads[0] + pads[1], 'strides': strides})

    def forward(self, values):
        for layer in self.layers:
            begins, ends = layer['pads'][:self.axes], layer['pads'][self.axes:]
            ones = torch.ones([1, 1] + layer['kernel_shape'], dtype=values.dtype)
            values = CONV[self.axes](padded(values, begins, ends), ones, None, layer['strides'])
        return values


def ends(name, values):
    """The first and the last cell that is not zero, along each axis; nothing if there is none."""
    cells = values[0, 0].nonzero()
    return {f'{name}/first': cells.amin(0), f'{name}/last': cells.amax(0)} if len(cells) else {}


def draw_receptive_field(random):
    chain = Chain(random)
    while not chain.layers:
        chain = Chain(random)
    output = [random.randrange(size) for size in chain.sizes]
    input = [random.randrange(size) for size in chain.extents]
    request = {'layers': chain.layers, 'input_size': chain.extents, 'output_position': output,
               'input_position': input}

    def expected(_):
        values = torch.zeros([1, 1] + chain.extents, dtype=torch.float64, requires_grad=True)
        chain.forward(values)[(0, 0, *output)].backward()
        touched = torch.zeros_like(values, requires_grad=False)
        touched[(0, 0, *input)] = 1
        return {'output_size': torch.tensor(chain.sizes), **ends('clipped', values.grad),
                **ends('reached', chain.forward(touched))}

    return Trial(request, expected, multilinear=False)


ROWS = [
    Row('receptive-field', 'receptive-field', draw_receptive_field),
    Row('linear', 'linear', draw_linear),
    Row('linear/backward', 'linear/backward', draw_linear_backward),
    Row('initialize law', 'initialize', draw_law),
    Row('initialize fixed', 'initialize', draw_fixed),
    Row('initialize orthogonal', 'initialize', draw_orthogonal),
    Row('separable/factorize', 'separable/factorize', draw_factorize),
]
