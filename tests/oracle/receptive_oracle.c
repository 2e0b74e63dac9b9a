/* Receptive fields by marking cells one by one along one axis.
 * SPDX-License-Identifier: MIT */
#include "oracle/receptive_oracle.h"

#include <stdlib.h>

/* Which cells of the input (row 0) and of the layers are seen already; the middle is position 0. */
typedef bool marks[RECEPTIVE_ORACLE_LAYERS + 1][RECEPTIVE_ORACLE_SPAN];

static int size_of(const receptive_oracle *network, int place)
{
    return place == LAYER_NETWORK_INPUT ? network->input_size : network->window[place].output;
}

static void mark(const receptive_oracle *network, marks seen, int place, int position, bool clipped)
{
    if (clipped && (position < 0 || position >= size_of(network, place)))
        return;
    bool *const cell = &seen[place + 1][position + RECEPTIVE_ORACLE_SPAN / 2];
    if (*cell)
        return;
    *cell = true;
    if (place == LAYER_NETWORK_INPUT)
        return;
    const layer_window *const window = &network->window[place];
    for (int tap = 0; tap < window->kernel; tap++)
        for (int i = 0; i < network->input_count[place]; i++)
            mark(network, seen, network->inputs[place][i],
                 position * window->stride - window->pad_begin + tap * window->dilation, clipped);
}

static bool *seen_input(const receptive_oracle *network, int place, int position, bool clipped)
{
    bool(*const seen)[RECEPTIVE_ORACLE_SPAN] = calloc(1, sizeof(marks));
    if (seen == NULL)
        abort();
    mark(network, seen, place, position, clipped);
    return seen[0];
}

bool receptive_oracle_seen(const receptive_oracle *network, int place, int position, bool clipped,
                           int *first, int *last)
{
    bool *const seen = seen_input(network, place, position, clipped);
    bool any = false;
    for (int i = 0; i < RECEPTIVE_ORACLE_SPAN; i++)
        if (seen[i]) {
            *last = i - RECEPTIVE_ORACLE_SPAN / 2;
            *first = any ? *first : *last;
            any = true;
        }
    free(seen);
    return any;
}

bool receptive_oracle_reached(const receptive_oracle *network, int position, int *first, int *last)
{
    bool any = false;
    for (int output = 0; output < network->window[network->count - 1].output; output++) {
        bool *const seen = seen_input(network, network->count - 1, output, true);
        if (seen[position + RECEPTIVE_ORACLE_SPAN / 2]) {
            *last = output;
            *first = any ? *first : output;
            any = true;
        }
        free(seen);
    }
    return any;
}

/* What outputs 0 and 1 see along one path, and what the first path to the end saw. */
typedef struct {
    bool any, uniform, aligned;
    int stride, centre;
} agreement;

static void follow(const receptive_oracle *network, int place, int stride, int first, int last,
                   agreement *paths)
{
    if (place != LAYER_NETWORK_INPUT) {
        const layer_window *const window = &network->window[place];
        const int begin = first * window->stride - window->pad_begin;
        const int end =
            last * window->stride - window->pad_begin + (window->kernel - 1) * window->dilation;
        for (int i = 0; i < network->input_count[place]; i++)
            follow(network, network->inputs[place][i], stride * window->stride, begin, end, paths);
        return;
    }
    if (!paths->any)
        *paths = (agreement){true, true, true, stride, first + last};
    paths->uniform = paths->uniform && paths->stride == stride;
    paths->aligned = paths->aligned && paths->uniform && paths->centre == first + last;
}

void receptive_oracle_paths(const receptive_oracle *network, int place, bool *uniform,
                            bool *aligned)
{
    agreement paths = {0};
    follow(network, place, 1, 0, 0, &paths);
    *uniform = paths.uniform;
    *aligned = paths.aligned;
}
