/* Receptive fields by marking cells one by one along one axis.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_RECEPTIVE_ORACLE_H
#define ORACLE_RECEPTIVE_ORACLE_H

#include "layer/receptive_field.h"

enum { RECEPTIVE_ORACLE_LAYERS = 8, RECEPTIVE_ORACLE_SPAN = 8192 };

/* One axis of a small network; the windows' pads and outputs are known. */
typedef struct {
    int count, input_size;
    layer_window window[RECEPTIVE_ORACLE_LAYERS];
    int input_count[RECEPTIVE_ORACLE_LAYERS];
    int inputs[RECEPTIVE_ORACLE_LAYERS][RECEPTIVE_ORACLE_LAYERS];
} receptive_oracle;

/* The first and last cell of the input that output `position` of the layer at `place` sees; false
 * if there is none. Clipped, cells outside a layer are padding and nothing is seen through them. */
bool receptive_oracle_seen(const receptive_oracle *network, int place, int position, bool clipped,
                           int *first, int *last);

/* The first and last output of the last layer that sees cell `position`; false if none does. */
bool receptive_oracle_reached(const receptive_oracle *network, int position, int *first, int *last);

/* Follows every path from the layer at `place` to the input: whether all have the same stride, and
 * whether, with that, they have the same centre. */
void receptive_oracle_paths(const receptive_oracle *network, int place, bool *uniform,
                            bool *aligned);

#endif
