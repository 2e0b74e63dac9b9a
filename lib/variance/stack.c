/* What describing and measuring a stack of layers share.
 * SPDX-License-Identifier: MIT */
#include "variance/stack.h"
#include "layer/random.h"

/* The third word of the counter keeps the seeds apart from what is drawn with them. */
enum { SEED_STREAM = 2, UNUSED_BITS = 64 - 53 };

uint64_t layer_variance_seed(uint64_t seed, size_t index)
{
    const uint32_t counter[4] = {(uint32_t)index, 0, SEED_STREAM, 0};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t words[4];
    layer_philox(counter, key, words);
    return ((uint64_t)words[1] << 32 | words[0]) >> UNUSED_BITS;
}

size_t layer_variance_channels_in(const layer_initialize *law)
{
    return (size_t)law->shape.extent[1] * (size_t)law->group;
}

int layer_variance_kernel(const layer_initialize *law, int axis)
{
    const int own = axis - (LAYER_MAX_SPATIAL - (law->shape.rank - 2));
    return own < 0 ? 1 : law->shape.extent[2 + own];
}
