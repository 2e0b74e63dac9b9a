/* Arrays of numbers for tests.
 * SPDX-License-Identifier: MIT */
#include "support/floats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

size_t floats_count(const layer_shape *shape)
{
    size_t count = 0;
    layer_error error;
    if (layer_shape_count(shape, "shape", &count, &error) != LAYER_OK) {
        fprintf(stderr, "%s\n", error.reason);
        abort();
    }
    return count;
}

static void *given(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

float *floats_new(size_t count)
{
    return given(malloc(count * sizeof(float)));
}

double *doubles_new(size_t count)
{
    return given(malloc(count * sizeof(double)));
}

float *floats_drawn(sampling *from, size_t count)
{
    float *const drawn = floats_new(count);
    sampling_fill(from, drawn, count);
    return drawn;
}

float *floats_magnitudes(const float *elements, size_t count)
{
    float *const magnitudes = floats_new(count);
    for (size_t i = 0; i < count; i++)
        magnitudes[i] = fabsf(elements[i]);
    return magnitudes;
}

double doubles_largest(const double *elements, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(elements[i]));
    return most;
}

void *floats_workspace(size_t size)
{
    if (size == 0)
        return NULL;
    const size_t whole = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return memset(given(aligned_alloc(ALIGNMENT, whole)), 0xFF, whole);
}
