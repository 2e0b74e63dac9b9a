/* Products of matrices by panels: strips of the right factor, which the nearest cache keeps.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/panel.h"
#include "core/product_tile.h"
#include "core/tasks.h"
#include "core/turn.h"

#include <string.h>

/* A strip is what a tile multiplies at once of the right factor, copied or turned: some depth of
 * some columns, so many floats, which stay in level 1. */
enum { STRIP_COUNT = 1 << 13, STRIP_COLUMNS = LAYER_TURNED_COLUMNS, VECTOR = 16 };

/* What else a tile needs: some depth of the left factor turned, or its result until that is. */
enum { ROOM_COUNT = 1 << 14, LEFT_DEPTH = ROOM_COUNT / LAYER_TILE_ROWS };
_Static_assert((LAYER_OUTER_ROWS) * (LAYER_OUTER_DEPTH) <= ROOM_COUNT, "an outer tile's left fits");
_Static_assert((LAYER_TURNED_ROWS) * (LAYER_TURNED_COLUMNS) <= ROOM_COUNT, "a turned tile fits");

/* The bias in every row. */
static void start(const layer_product *product, const layer_tile *part)
{
    float *row = layer_tile_result(product, part);
    for (size_t i = 0; i < part->rows; i++, row += product->columns)
        memcpy(row, product->bias + part->column, part->columns * sizeof *row);
}

/* The right factor's columns from `column` on, from depth `first` on: [depth][leading]. */
static void fill_strip(const layer_tiling *call, size_t first, size_t depth, size_t column,
                       size_t columns, float *strip, size_t leading)
{
    const layer_factor *const right = &call->product.right;
    const float *const from = layer_factor_at(right, first, column);
    if (right->is_transposed) {
        layer_turn_kernels_at(call->run->isa)
            ->turn(&(layer_turn){
                .from = from,
                .from_leading = (ptrdiff_t)right->leading,
                .step = 1,
                .rows = columns,
                .columns = depth,
                .to = strip,
                .to_leading = leading,
            });
        return;
    }
    for (size_t k = 0; k < depth; k++)
        memcpy(strip + k * leading, from + k * right->leading, columns * sizeof *strip);
}

/* The left factor's rows, from depth `first` on, as the panel wants them. */
static void find_left(const layer_tiling *call, const layer_tile *part, size_t first, float *room,
                      layer_panel *panel)
{
    const layer_factor *const left = &call->product.left;
    panel->left = layer_factor_at(left, part->row, first);
    panel->left_leading = left->leading;
    if (!left->is_transposed)
        return;
    const size_t leading = layer_rounded_up(panel->depth, VECTOR);
    layer_turn_kernels_at(call->run->isa)
        ->turn(&(layer_turn){
            .from = panel->left,
            .from_leading = (ptrdiff_t)left->leading,
            .step = 1,
            .rows = panel->depth,
            .columns = part->rows,
            .to = room,
            .to_leading = leading,
        });
    panel->left = room;
    panel->left_leading = leading;
}

/* The strips of a tile, side by side, from depth panel->first on. */
static void multiply_strips(const layer_tiling *call, const layer_tile *part, size_t first,
                            size_t leading, layer_panel *panel)
{
    _Alignas(64) float strip[STRIP_COUNT];
    float *const result = panel->result;
    for (size_t column = 0; column < part->columns; column += leading) {
        panel->columns = layer_smaller(leading, part->columns - column);
        fill_strip(call, first, panel->depth, part->column + column, panel->columns, strip,
                   leading);
        panel->right = strip;
        panel->right_leading = leading;
        panel->result = result + column;
        layer_panel_kernels_at(call->run->isa)->multiply(panel);
    }
    panel->result = result;
}

static void write_turned(const layer_tiling *call, const layer_tile *part, const layer_panel *panel)
{
    const layer_product *const product = &call->product;
    layer_turn_kernels_at(call->run->isa)
        ->turn(&(layer_turn){
            .from = panel->result,
            .from_leading = (ptrdiff_t)panel->result_leading,
            .step = 1,
            .rows = part->rows,
            .columns = part->columns,
            .to = product->result + part->column * product->rows + part->row,
            .to_leading = product->rows,
        });
}

void layer_tile_panels(const layer_tiling *call, const layer_tile *part)
{
    const layer_product *const product = &call->product;
    const size_t leading = layer_smaller(layer_rounded_up(part->columns, VECTOR), STRIP_COLUMNS);
    const size_t most = product->left.is_transposed ? LEFT_DEPTH : STRIP_COUNT / leading;
    const bool is_started = product->bias != NULL && !call->is_turned;
    _Alignas(64) float room[ROOM_COUNT];
    layer_panel panel = {
        .rows = part->rows,
        .start = product->bias != NULL && call->is_turned ? product->bias + part->row : NULL,
        .result = call->is_turned ? room : layer_tile_result(product, part),
        .result_leading = call->is_turned ? leading : product->columns,
    };
    if (is_started)
        start(product, part);
    for (size_t first = 0; first < product->depth; first += panel.depth) {
        if (layer_run_cancelled(call->run))
            return;
        panel.depth = layer_smaller(most, product->depth - first);
        panel.accumulates = is_started || first > 0;
        find_left(call, part, first, room, &panel);
        multiply_strips(call, part, first, leading, &panel);
    }
    if (call->is_turned)
        write_turned(call, part, &panel);
}
