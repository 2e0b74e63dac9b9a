/* Shapes as people and JSON see them, and the limits that hold for each.
 * SPDX-License-Identifier: MIT */
#ifndef API_SHAPES_H
#define API_SHAPES_H

#include "fields.h"

/* "2x3x4"; returns `text`. */
const char *api_shape_text(const layer_shape *shape, char text[API_SHAPE_TEXT_SIZE]);

/* [2,3,4] */
void api_write_shape(api_writer *writer, const layer_shape *shape);

/* Counts the elements. False with a 413 that names the tensor, if an axis is longer than
 * `longest` or there are more than `most` elements. */
bool api_shape_admit(const layer_shape *shape, const char *name, const char *pointer, int longest,
                     size_t most, size_t *count, api_problem *problem);

/* Whether a tensor of the request (called `field`) has the expected shape; `what` says whose shape
 * that is: "the output's". */
bool api_check_shape(const api_tensor *tensor, const char *field, const layer_shape *expected,
                     const char *what, api_problem *problem);

/* Whether a bias (called `field`), if it was given, has one number for each of so many output
 * channels. */
bool api_check_bias(const api_tensor *bias, const char *field, int channels, api_problem *problem);

#endif
