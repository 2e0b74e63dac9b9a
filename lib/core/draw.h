/* Random numbers a Philox block at a time: what layer/random.h promises, without drawing a block
 * anew for every element.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_DRAW_H
#define LAYER_CORE_DRAW_H

#include <stdint.h>

enum {
    LAYER_UNIFORMS_PER_BLOCK = 4,
    LAYER_NORMALS_PER_BLOCK = 2,
};

/* Elements 4 * block to 4 * block + 3 of the uniform stream `seed`. */
void layer_draw_uniforms(uint64_t seed, uint64_t block, double uniforms[LAYER_UNIFORMS_PER_BLOCK]);

/* Elements 2 * block and 2 * block + 1 of the normal stream `seed`. */
void layer_draw_normals(uint64_t seed, uint64_t block, double normals[LAYER_NORMALS_PER_BLOCK]);

#endif
