/* A layer's windows on a lattice without borders: what lies beyond one end is the other end.
 * SPDX-License-Identifier: MIT */
#include "variance/lattice.h"
#include "variance/stack.h"

#include <string.h>

layer_lattice layer_lattice_of(const layer_variance *variance, const layer_initialize *law,
                               size_t channels, size_t samples)
{
    layer_lattice lattice = {
        .cells = variance->cells, .taps = 1, .samples = samples, .channels = channels};
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++) {
        lattice.lattice[axis] = variance->lattice[axis];
        lattice.kernel[axis] = layer_variance_kernel(law, axis);
        lattice.taps *= (size_t)lattice.kernel[axis];
    }
    return lattice;
}

/* The cell that lies `tap` from `cell`, both counted in row-major order. */
static size_t cell_at(const layer_lattice *lattice, size_t cell, size_t tap)
{
    size_t at = 0, step = 1;
    for (int axis = LAYER_MAX_SPATIAL - 1; axis >= 0; axis--) {
        const size_t extent = (size_t)lattice->lattice[axis];
        const size_t kernel = (size_t)lattice->kernel[axis];
        at += (cell % extent + tap % kernel) % extent * step;
        step *= extent;
        cell /= extent;
        tap /= kernel;
    }
    return at;
}

void layer_lattice_gather(const layer_lattice *lattice, const float *elements, float *patches)
{
    const size_t samples = lattice->samples;
    for (size_t tap = 0; tap < lattice->taps; tap++)
        for (size_t cell = 0; cell < lattice->cells; cell++) {
            const size_t from = cell_at(lattice, cell, tap);
            for (size_t c = 0; c < lattice->channels; c++)
                memcpy(patches + ((c * lattice->taps + tap) * lattice->cells + cell) * samples,
                       elements + (c * lattice->cells + from) * samples, samples * sizeof(float));
        }
}

void layer_lattice_scatter(const layer_lattice *lattice, const float *patches, float *elements)
{
    const size_t samples = lattice->samples;
    memset(elements, 0, lattice->channels * lattice->cells * samples * sizeof(float));
    for (size_t tap = 0; tap < lattice->taps; tap++)
        for (size_t cell = 0; cell < lattice->cells; cell++) {
            const size_t to = cell_at(lattice, cell, tap);
            for (size_t c = 0; c < lattice->channels; c++) {
                const float *const patch =
                    patches + ((c * lattice->taps + tap) * lattice->cells + cell) * samples;
                float *const element = elements + (c * lattice->cells + to) * samples;
                for (size_t n = 0; n < samples; n++)
                    element[n] += patch[n];
            }
        }
}
