#!/usr/bin/env python3
"""The library by Python's ctypes, with the headers' structs declared by hand: consumer.py LIBRARY

SPDX-License-Identifier: MIT
"""
import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_float, c_int, c_size_t, c_uint64, c_void_p


class Shape(Structure):
    _fields_ = [("rank", c_int), ("extent", c_int * 5)]


class Error(Structure):
    _fields_ = [("status", c_int), ("argument", c_char_p), ("reason", c_char * 192)]


class Window(Structure):
    _fields_ = [(name, c_int) for name in
                ("input", "kernel", "stride", "dilation", "pad_begin", "pad_end", "output")]


class Geometry(Structure):
    _fields_ = [("strides", c_int * 3), ("dilations", c_int * 3), ("pads_begin", c_int * 3),
                ("pads_end", c_int * 3), ("auto_pad", c_int)]


class ConvOptions(Structure):
    _fields_ = [("geometry", Geometry), ("group", c_int), ("mode", c_int), ("algorithm", c_int)]


class Conv(Structure):
    _fields_ = [("input", Shape), ("weight", Shape), ("output", Shape), ("axes", c_int), ("window", Window * 3),
                ("group", c_int), ("mode", c_int), ("algorithm", c_int), ("multiplications", c_uint64)]


class GuardedConv(Structure):
    """What follows stays zero unless the library's struct has outgrown the one above."""
    _fields_ = [("conv", Conv), ("guard", c_char * 1024)]


class Run(Structure):
    _fields_ = [("workspace", c_void_p), ("executor", c_void_p), ("cancelled", POINTER(c_int))]


OK, INVALID = 0, 1

library = ctypes.CDLL(sys.argv[1])
library.layer_conv_workspace_size.restype = c_size_t
library.layer_status_name.restype = c_char_p


def shape(*extents):
    return Shape(len(extents), (c_int * 5)(*extents))


def describe(input_shape, weight_shape, options=None):
    guarded, error = GuardedConv(), Error()
    status = library.layer_conv_describe(byref(guarded), byref(input_shape), byref(weight_shape),
                                         options and byref(options), byref(error))
    assert bytes(guarded)[ctypes.sizeof(Conv):].strip(b"\0") == b"", "layer_conv has grown: so must Conv here"
    return status, guarded.conv, error


def forward(conv, image, kernel):
    workspace = ctypes.create_string_buffer(library.layer_conv_workspace_size(byref(conv), 1) + 64)
    run = Run(workspace=-(-ctypes.addressof(workspace) // 64) * 64)
    extents = conv.output.extent[:conv.output.rank]
    output = (c_float * (extents[-1] * extents[-2]))()
    status = library.layer_conv_forward(byref(conv), (c_float * len(image))(*image), (c_float * len(kernel))(*kernel),
                                        None, output, byref(run))
    assert status == OK, library.layer_status_name(status)
    return list(output)


def check(what, seen, expected):
    print(what + ":", seen)
    assert seen == expected, f"expected {expected}"


lecture = shape(1, 1, 3, 3), shape(1, 1, 2, 2)
status, conv, _ = describe(*lecture)
check("described", (status, conv.multiplications), (OK, 16))
check("convolved", forward(conv, range(1, 10), range(1, 5)), [37, 47, 67, 77])

status, conv, _ = describe(*lecture, ConvOptions(Geometry(strides=(2, 2, 0))))
check("with strides", forward(conv, range(1, 10), range(1, 5)), [37])

status, _, error = describe(lecture[0], shape(1, 1, 4, 4))
check("refused", (status, error.argument), (INVALID, b"weight"))
