"""OpenCV as a contender of the layer benchmark, for images of one channel: peer.h says how.

SPDX-License-Identifier: MIT
"""

import sys

import cv2
import numpy

import peer


def factors(kernel):
    """A column and a row whose product is the kernel, or None."""
    left, sizes, right = numpy.linalg.svd(kernel.astype(float))
    if len(sizes) > 1 and sizes[1] > 1e-6 * sizes[0]:
        return None
    return left[:, 0] * sizes[0], right[0]


def prepare(row, variant, mode):
    if mode != 'call' or row.kind != 'conv' or (row.n, row.c, row.k, row.stride) != (1, 1, 1, 1):
        return None
    image, kernel = row.input[0, 0], row.weight[0, 0]
    output = numpy.empty_like(image)
    if variant == 'filter2D':
        run = lambda: cv2.filter2D(image, cv2.CV_32F, kernel, output, borderType=cv2.BORDER_CONSTANT)
        return run, lambda result: result
    parts = factors(kernel)
    if parts is None:
        return None
    column, line = (numpy.float32(part) for part in parts)
    run = lambda: cv2.sepFilter2D(image, cv2.CV_32F, line, column, output, borderType=cv2.BORDER_CONSTANT)
    return run, lambda result: result


cv2.setNumThreads(int(sys.argv[1]))
peer.serve(f'OpenCV {cv2.__version__}', ['filter2D', 'sepFilter2D'], prepare)
