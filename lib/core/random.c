/* Uniform and normal numbers out of Philox blocks.
 * SPDX-License-Identifier: MIT */
#include "layer/random.h"
#include "core/draw.h"

#include <math.h>

/* The third word of the counter keeps the streams of the two laws apart. */
enum { UNIFORM_STREAM = 0, NORMAL_STREAM = 1 };

static void draw_block(uint64_t seed, uint64_t block, uint32_t stream, uint32_t words[4])
{
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), stream, 0};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    layer_philox(counter, key, words);
}

/* (bits >> 11, + 1/2) / 2^53. */
static double unit_interval(uint32_t low, uint32_t high)
{
    const uint64_t bits = (uint64_t)high << 32 | low;
    return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

void layer_draw_uniforms(uint64_t seed, uint64_t block, double uniforms[LAYER_UNIFORMS_PER_BLOCK])
{
    uint32_t words[4];
    draw_block(seed, block, UNIFORM_STREAM, words);
    for (int i = 0; i < LAYER_UNIFORMS_PER_BLOCK; i++)
        uniforms[i] = ((double)words[i] + 0.5) * 0x1p-32;
}

void layer_draw_normals(uint64_t seed, uint64_t block, double normals[LAYER_NORMALS_PER_BLOCK])
{
    uint32_t words[4];
    draw_block(seed, block, NORMAL_STREAM, words);
    const double radius = sqrt(-2.0 * log(unit_interval(words[0], words[1])));
    const double angle = 2.0 * M_PI * unit_interval(words[2], words[3]);
    normals[0] = radius * cos(angle);
    normals[1] = radius * sin(angle);
}

double layer_random_uniform(uint64_t seed, uint64_t index)
{
    double uniforms[LAYER_UNIFORMS_PER_BLOCK];
    layer_draw_uniforms(seed, index / LAYER_UNIFORMS_PER_BLOCK, uniforms);
    return uniforms[index % LAYER_UNIFORMS_PER_BLOCK];
}

double layer_random_normal(uint64_t seed, uint64_t index)
{
    double normals[LAYER_NORMALS_PER_BLOCK];
    layer_draw_normals(seed, index / LAYER_NORMALS_PER_BLOCK, normals);
    return normals[index % LAYER_NORMALS_PER_BLOCK];
}
