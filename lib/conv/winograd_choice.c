/* What Winograd's algorithms cost, in multiplications at the rate of a matrix product; the factors
 * are measured.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_plan.h"
#include "core/blocks.h"

#include <math.h>

/* With fewer channels vectors are mostly empty, and products too thin. */
enum { FEWEST_CHANNELS = 8 };

/* More transformed weights than these floats are not worth their memory. */
enum { MOST_WEIGHTS = 1 << 26 };

/* Transforming one point: of an input, of an output. A product costs as if it had some channels
 * more than it has. */
static const double INPUT_COST = 16, OUTPUT_COST = 12, PRODUCT_CHANNELS = 8;

/* How much longer all takes with eight by eight points, which leave less room in the caches. */
static const double SLOWER_BY_6 = 1.15;

/* Weights that do not stay in level 2 come as slowly as the products of this many tiles. */
static const struct {
    double weights, tiles;
} far_weights[] = {{3 << 17, 0}, {1 << 20, 8}, {1e300, 20}};

typedef struct {
    double points, weight_cost, slower_by; /* the second: of transforming one kernel */
    size_t m;
} variant;

static const variant variants[] = {
    {16, 224, 1, 2},
    {36, 400, 1, 4},
    {64, 700, SLOWER_BY_6, 6},
};

static size_t lines(size_t channels)
{
    return layer_rounded_up(channels, LAYER_WINOGRAD_LINE);
}

static double cost_of(const layer_conv *conv, const variant *with)
{
    const double channels = conv->weight.extent[1];
    const double outputs = (double)lines((size_t)(conv->weight.extent[0] / conv->group));
    const double padded = (double)lines((size_t)conv->weight.extent[1]);
    const double weights = with->points * channels * outputs;
    const double tiles = (double)conv->output.extent[0] *
                         (double)layer_blocks_of((size_t)conv->output.extent[2], with->m) *
                         (double)layer_blocks_of((size_t)conv->output.extent[3], with->m);
    size_t distance = 0;
    while (weights > far_weights[distance].weights)
        distance++;
    const double fewest = far_weights[distance].tiles;
    const double products =
        (channels + PRODUCT_CHANNELS) * outputs * (tiles > fewest ? tiles : fewest);
    const double transforms = tiles * (INPUT_COST * padded + OUTPUT_COST * outputs);
    const double prepared = conv->is_prepared ? 0 : with->weight_cost * channels * outputs;
    return conv->group * (with->slower_by * with->points * (products + transforms) + prepared);
}

double layer_winograd_cost(const layer_conv *conv, size_t m)
{
    const size_t weights = (size_t)conv->weight.extent[0] * (size_t)conv->weight.extent[1];
    const variant *with = variants;
    while (with->m != m)
        with++;
    if (conv->weight.extent[1] < FEWEST_CHANNELS || (double)weights * with->points > MOST_WEIGHTS)
        return INFINITY;
    return cost_of(conv, with);
}
