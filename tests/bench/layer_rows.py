"""The layers that `make bench-layers` runs.

SPDX-License-Identifier: MIT
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Letters as everywhere: N batch, C H W input, K outputs, R S kernel. Pads are the same on both sides."""
    name: str
    family: str  # of the summary
    kind: str  # peers/peer.h
    n: int
    c: int
    k: int
    h: int
    w: int
    r: int
    s: int
    stride: int
    pad_h: int
    pad_w: int
    group: int = 1

    @property
    def outputs(self):
        p = (self.h + 2 * self.pad_h - self.r) // self.stride + 1
        q = (self.w + 2 * self.pad_w - self.s) // self.stride + 1
        return self.n * self.k * p * q

    @property
    def multiplications(self):
        return self.outputs * (self.c // self.group) * self.r * self.s

    def words(self):
        """What a peer is told of it: peer.h."""
        return (self.kind, self.n, self.c, self.k, self.h, self.w, self.r, self.s,
                self.stride, self.pad_h, self.pad_w, self.group)


THREE, DENSE, DEPTHWISE = '3x3, 64 channels and more', 'other dense convolutions', 'depthwise'
IMAGE, SEPARABLE, MAXIMUM, AVERAGE = 'image filters', 'separable image filters', 'maximum', 'average'
LINEAR, LP, POOL_BACK = 'linear', 'norm', 'pooling, backward'
GRAD_INPUT, GRAD_WEIGHT = "convolution's gradients of inputs", "convolution's gradients of weights"

# The way back of a convolution, and all ways of a linear layer: a row each.
CONV_BACK = [('gx', 'conv_grad_input', GRAD_INPUT), ('gw', 'conv_grad_weight', GRAD_WEIGHT)]
LINEAR_ALL = [('fc', 'linear', LINEAR), ('fc_gx', 'linear_grad_input', LINEAR),
              ('fc_gw', 'linear_grad_weight', LINEAR)]

# Names: the network, kernel (and s, the stride), channels in-out @ height and width; b8 is a batch of 8; gx and gw the
# gradients of input and weight.
#        name                         family     kind       N    C     K     H     W   R   S  stride pads group
ROWS = [Row(*row) for row in (
    ('rn50_conv1_7x7s2_3-64@224',     DENSE,     'conv',    1,   3,    64,  224,  224,  7,  7, 2, 3, 3),
    ('rn50_3x3_64-64@56',             THREE,     'conv',    1,   64,   64,   56,   56,  3,  3, 1, 1, 1),
    ('rn50_1x1_64-256@56',            DENSE,     'conv',    1,   64,  256,   56,   56,  1,  1, 1, 0, 0),
    ('rn50_3x3_128-128@28',           THREE,     'conv',    1,  128,  128,   28,   28,  3,  3, 1, 1, 1),
    ('rn50_1x1s2_256-512@56',         DENSE,     'conv',    1,  256,  512,   56,   56,  1,  1, 2, 0, 0),
    ('rn50_3x3_256-256@14',           THREE,     'conv',    1,  256,  256,   14,   14,  3,  3, 1, 1, 1),
    ('rn50_1x1_1024-256@14',          DENSE,     'conv',    1, 1024,  256,   14,   14,  1,  1, 1, 0, 0),
    ('rn50_3x3_512-512@7',            THREE,     'conv',    1,  512,  512,    7,    7,  3,  3, 1, 1, 1),
    ('vgg_3x3_3-64@224',              DENSE,     'conv',    1,    3,   64,  224,  224,  3,  3, 1, 1, 1),
    ('vgg_3x3_64-64@224',             THREE,     'conv',    1,   64,   64,  224,  224,  3,  3, 1, 1, 1),
    ('vgg_3x3_128-128@112',           THREE,     'conv',    1,  128,  128,  112,  112,  3,  3, 1, 1, 1),
    ('vgg_3x3_256-256@56',            THREE,     'conv',    1,  256,  256,   56,   56,  3,  3, 1, 1, 1),
    ('vgg_3x3_512-512@28',            THREE,     'conv',    1,  512,  512,   28,   28,  3,  3, 1, 1, 1),
    ('vgg_3x3_512-512@14',            THREE,     'conv',    1,  512,  512,   14,   14,  3,  3, 1, 1, 1),
    ('mb_dw3x3_32@112',               DEPTHWISE, 'conv',    1,   32,   32,  112,  112,  3,  3, 1, 1, 1, 32),
    ('mb_dw3x3s2_96@112',             DEPTHWISE, 'conv',    1,   96,   96,  112,  112,  3,  3, 2, 1, 1, 96),
    ('mb_dw3x3_144@56',               DEPTHWISE, 'conv',    1,  144,  144,   56,   56,  3,  3, 1, 1, 1, 144),
    ('mb_dw3x3_576@14',               DEPTHWISE, 'conv',    1,  576,  576,   14,   14,  3,  3, 1, 1, 1, 576),
    ('mb_pw_96-24@56',                DENSE,     'conv',    1,   96,   24,   56,   56,  1,  1, 1, 0, 0),
    ('mb_pw_32-16@112',               DENSE,     'conv',    1,   32,   16,  112,  112,  1,  1, 1, 0, 0),
    ('inc_1x7_192-192@17',            DENSE,     'conv',    1,  192,  192,   17,   17,  1,  7, 1, 0, 3),
    ('inc_7x1_192-192@17',            DENSE,     'conv',    1,  192,  192,   17,   17,  7,  1, 1, 3, 0),
    ('img_5x5_1-1@1024',              IMAGE,     'conv',    1,    1,    1, 1024, 1024,  5,  5, 1, 2, 2),
    ('img_15x15_1-1@1024',            IMAGE,     'conv',    1,    1,    1, 1024, 1024, 15, 15, 1, 7, 7),
    ('img_rank1_5x5_1-1@1024',        SEPARABLE, 'conv',    1,    1,    1, 1024, 1024,  5,  5, 1, 2, 2),
    ('img_rank1_15x15_1-1@1024',      SEPARABLE, 'conv',    1,    1,    1, 1024, 1024, 15, 15, 1, 7, 7),
    ('b8_rn50_3x3_64-64@56',          THREE,     'conv',    8,   64,   64,   56,   56,  3,  3, 1, 1, 1),
    ('b8_rn50_3x3_128-128@28',        THREE,     'conv',    8,  128,  128,   28,   28,  3,  3, 1, 1, 1),
    ('b8_rn50_3x3_256-256@14',        THREE,     'conv',    8,  256,  256,   14,   14,  3,  3, 1, 1, 1),
    ('b8_rn50_3x3_512-512@7',         THREE,     'conv',    8,  512,  512,    7,    7,  3,  3, 1, 1, 1),
    ('b8_rn50_1x1_1024-256@14',       DENSE,     'conv',    8, 1024,  256,   14,   14,  1,  1, 1, 0, 0),
    ('b8_mb_dw3x3_144@56',            DEPTHWISE, 'conv',    8,  144,  144,   56,   56,  3,  3, 1, 1, 1, 144),
    ('pool_max3x3s2_64@112',          MAXIMUM,   'max',     1,   64,   64,  112,  112,  3,  3, 2, 1, 1),
    ('pool_avg2x2s2_64@112',          AVERAGE,   'average', 1,   64,   64,  112,  112,  2,  2, 2, 0, 0),
    ('pool_gap_2048@7',               AVERAGE,   'global',  1, 2048, 2048,    7,    7,  7,  7, 1, 0, 0),
    ('pool_lp3x3s2_64@112',           LP,        'lp',      1,   64,   64,  112,  112,  3,  3, 2, 0, 0),
    ('back_max3x3s2_64@112',          POOL_BACK, 'max_backward',     1, 64, 64, 112, 112, 3, 3, 2, 1, 1),
    ('back_avg2x2s2_64@112',          POOL_BACK, 'average_backward', 1, 64, 64, 112, 112, 2, 2, 2, 0, 0),
    ('back_avg3x3_64@56',             POOL_BACK, 'average_backward', 1, 64, 64,  56,  56, 3, 3, 1, 1, 1),
)] + [Row(name.format(short), family, kind, *numbers) for name, kinds, *numbers in (
    ('{}_3x3_64-64@56',               CONV_BACK,  1,   64,   64,   56,   56,  3,  3, 1, 1, 1),
    ('{}_1x1_64-256@56',              CONV_BACK,  1,   64,  256,   56,   56,  1,  1, 1, 0, 0),
    ('{}_3x3s2_128-128@56',           CONV_BACK,  1,  128,  128,   56,   56,  3,  3, 2, 1, 1),
    ('{}_3x3_512-512@7',              CONV_BACK,  1,  512,  512,    7,    7,  3,  3, 1, 1, 1),
    ('{}_7x7s2_3-64@224',             CONV_BACK,  1,    3,   64,  224,  224,  7,  7, 2, 3, 3),
    ('{}_dw3x3_144@56',               CONV_BACK,  1,  144,  144,   56,   56,  3,  3, 1, 1, 1, 144),
    ('{}_1024-1024',                  LINEAR_ALL, 1, 1024, 1024,    1,    1,  1,  1, 1, 0, 0),
    ('b64_{}_1024-1024',              LINEAR_ALL, 64, 1024, 1024,   1,    1,  1,  1, 1, 0, 0),
) for short, kind, family in kinds]
