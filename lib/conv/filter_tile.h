/* A tile of planes that are filtered alike.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_FILTER_TILE_H
#define LAYER_CONV_FILTER_TILE_H

#include "conv/filter_passes.h"

typedef struct {
    const layer_filter_plan *plan;
    layer_isa isa;
    void *memory;
    const layer_filter_kernels *kernels;
    layer_steps rows, columns, taps; /* of outputs; the kernel's columns that meet any input */
    bool is_square;                  /* layer_square_filter_kernels apply */
    bool in_place;                   /* lines are read where they lie, not gathered */
    ptrdiff_t first_line;            /* of the table of lines */
    layer_gathering *gatherings;     /* a phase each */
    bool divides;                    /* kernels of rank one into two passes */
    layer_filter_passes passes;
    layer_filter filter; /* lacks what a plane has for its own */
} layer_filter_tile;

/* Bytes that a tile at work takes, a multiple of 64. */
size_t layer_filter_tile_size(const layer_filter_plan *plan);

/* A tile in that memory, not yet anywhere; and moving it to number `number` of a plane's. */
layer_filter_tile layer_filter_tile_in(const layer_filter_plan *plan, layer_isa isa, void *memory);
void layer_filter_tile_move(layer_filter_tile *tile, size_t number);

/* Turns to an input plane. */
void layer_filter_tile_read(layer_filter_tile *tile, const float *plane);

/* Adds the plane read last, filtered by a kernel [R][S], to what the plane of outputs holds in the
 * tile, or to the bias alone. A kernel of NULL adds nothing. */
void layer_filter_tile_write(layer_filter_tile *tile, const float *kernel, float *output,
                             float bias, bool accumulates);

/* After the last write. */
void layer_filter_tile_finish(const layer_filter_tile *tile);

#endif
