/* Which of Winograd's algorithms is fastest for a convolution, by measurement.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_plan.h"
#include "core/blocks.h"

/* With fewer channels the transforms take longer than they save; with fewer tiles the weights do.
 */
enum { FEWEST_CHANNELS = 32, FEWEST_TILES = 16 };

/* Tiles of m x m outputs over all samples. */
static size_t count_tiles(const layer_conv *conv, size_t m)
{
    return (size_t)conv->output.extent[0] *
           layer_blocks_of((size_t)conv->window[LAYER_HEIGHT].output, m) *
           layer_blocks_of((size_t)conv->window[LAYER_WIDTH].output, m);
}

int layer_winograd_best(const layer_conv *conv)
{
    const size_t channels = (size_t)conv->weight.extent[1];
    const size_t outputs = (size_t)(conv->weight.extent[0] / conv->group);
    if (channels < FEWEST_CHANNELS || outputs < FEWEST_CHANNELS)
        return 0;
    if (count_tiles(conv, 4) < FEWEST_TILES)
        return 0;
    return 4;
}
