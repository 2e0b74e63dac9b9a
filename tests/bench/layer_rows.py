"""The layers that `make bench-layers` runs.

SPDX-License-Identifier: MIT
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Letters as everywhere: N batch, C H W input, K outputs, R S kernel. Pads are the same on both sides."""
    name: str
    family: str  # of the summary
    kind: str  # conv, or of pooling: max, average, global
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
    def multiplications(self):
        p = (self.h + 2 * self.pad_h - self.r) // self.stride + 1
        q = (self.w + 2 * self.pad_w - self.s) // self.stride + 1
        return self.n * self.k * p * q * (self.c // self.group) * self.r * self.s

    def words(self):
        """What a peer is told of it: peer.h."""
        return (self.kind, self.n, self.c, self.k, self.h, self.w, self.r, self.s,
                self.stride, self.pad_h, self.pad_w, self.group)


THREE, DENSE, DEPTHWISE = '3x3, 64 channels and more', 'other dense convolutions', 'depthwise'
IMAGE, SEPARABLE, MAXIMUM, AVERAGE = 'image filters', 'separable image filters', 'maximum', 'average'

# Names: the network, kernel (and s, the stride), channels in-out @ height and width; b8 is a batch of 8.
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
)]
