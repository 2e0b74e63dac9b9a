/* Random convolutions for property tests.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CONV_SAMPLING_H
#define SUPPORT_CONV_SAMPLING_H

#include "layer/conv.h"
#include "support/sampling.h"

typedef struct {
    layer_shape input, weight;
    layer_conv_options options;
} conv_geometry;

/* Strides, dilations, and pads of one of the kinds; may not fit the shapes. */
layer_geometry conv_sampling_geometry(sampling *from, int axes);

/* Draws until the shapes fit together and make so many outputs. Small enough for the definition,
 * large enough for several tiles and vectors now and then; often the extremes: one cell, one
 * channel, one group a channel. */
conv_geometry conv_sampling_draw(sampling *from, size_t fewest_outputs, layer_conv *conv);

/* The same with 3x3 kernels, stride and dilation 1: what networks have most, and special algorithms
 * are for. */
conv_geometry conv_sampling_draw_favourite(sampling *from, layer_conv *conv);

/* What a failure says, so that it can be repeated by hand. */
const char *conv_sampling_sentence(const layer_conv *conv);

#endif
