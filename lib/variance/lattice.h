/* A layer's windows on a lattice without borders: what lies beyond one end is the other end.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_VARIANCE_LATTICE_H
#define LAYER_VARIANCE_LATTICE_H

#include "layer/variance.h"

/* `elements` are [channels][cells][samples], `patches` [channels][taps][cells][samples]: at each
 * cell what the kernel's tap sees that has its first tap on the cell. */
typedef struct {
    int lattice[LAYER_MAX_SPATIAL], kernel[LAYER_MAX_SPATIAL];
    size_t cells, taps, samples, channels;
} layer_lattice;

layer_lattice layer_lattice_of(const layer_variance *variance, const layer_initialize *law,
                               size_t channels, size_t samples);

void layer_lattice_gather(const layer_lattice *lattice, const float *elements, float *patches);

/* The adjoint: adds every patch to the elements that it was gathered from, which start as zero. */
void layer_lattice_scatter(const layer_lattice *lattice, const float *patches, float *elements);

#endif
