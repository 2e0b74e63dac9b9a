/* Products of matrices, cut into tiles for several threads.
 * SPDX-License-Identifier: MIT */
#include "core/product.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/shallow.h"
#include "core/tasks.h"
#include "core/turn.h"
#include "core/vector.h"

#include <assert.h>
#include <string.h>

/* A strip is what a tile multiplies at once of the right factor, copied or turned: some depth of
 * some columns, so many floats, which stay in level 1. */
enum { STRIP_COUNT = 1 << 13, STRIP_COLUMNS = 64, VECTOR = 16 };

/* What else a tile needs: some depth of the left factor turned, or its result until that is. */
enum { ROOM_COUNT = 1 << 14, LEFT_DEPTH = 128 };

/* Tiles of the result at most. They are halved, in steps of a cache line, until there are so many
 * tasks, unless a task would be left with too few multiplications. */
enum { TILE_ROWS = ROOM_COUNT / LEFT_DEPTH, TILE_COLUMNS = 512, FEWEST_TASKS = 4 };
enum { TURNED_ROWS = ROOM_COUNT / STRIP_COLUMNS, VECTOR_COLUMNS = 1024, SHALLOW_ROWS = 256 };
static const size_t FEWEST_MULTIPLICATIONS = 1 << 20;

/* Below this a product's copies cost more than they save. */
enum { SMALL_MULTIPLICATIONS = 1 << 8 };

/* Depth of products with one vector that is added up at once. */
enum { VECTOR_ROWS = 512, VECTOR_DEPTH = 4096 };

typedef struct tiling tiling;

typedef struct {
    size_t row, rows, column, columns;
} tile;

struct tiling {
    layer_product product;
    bool is_turned; /* the product is the transpose of what was asked for */
    const layer_run *run;
    const layer_panel_kernels *panels;
    const layer_turn_kernels *turns;
    void (*compute)(const tiling *call, const tile *part);
    size_t tile_rows, tile_columns;
};

static const float *at(const layer_factor *factor, size_t row, size_t column)
{
    return factor->is_transposed ? factor->elements + column * factor->leading + row
                                 : factor->elements + row * factor->leading + column;
}

static float *result_at(const layer_product *product, const tile *part)
{
    return product->result + part->row * product->columns + part->column;
}

/* The bias in every row, or zero. */
static void start(const layer_product *product, const tile *part)
{
    const float *const bias = product->bias == NULL ? NULL : product->bias + part->column;
    float *row = result_at(product, part);
    for (size_t i = 0; i < part->rows; i++, row += product->columns)
        if (bias != NULL)
            memcpy(row, bias, part->columns * sizeof *row);
        else
            memset(row, 0, part->columns * sizeof *row);
}

/* ---- Small, shallow, or a row ---------------------------------------------------------------- */

static void compute_small(const tiling *call, const tile *part)
{
    const layer_product *const product = &call->product;
    const float *const bias = product->bias;
    for (size_t i = part->row; i < part->row + part->rows; i++)
        for (size_t j = part->column; j < part->column + part->columns; j++) {
            float sum = bias == NULL ? 0 : bias[j];
            for (size_t k = 0; k < product->depth; k++)
                sum += *at(&product->left, i, k) * *at(&product->right, k, j);
            product->result[i * product->columns + j] = sum;
        }
}

static void compute_shallow(const tiling *call, const tile *part)
{
    const layer_product *const product = &call->product;
    const layer_factor *const left = &product->left;
    layer_shallow_kernels_at(call->run->isa)
        ->multiply(&(layer_shallow){
            .rows = part->rows,
            .columns = part->columns,
            .depth = product->depth,
            .left = at(left, part->row, 0),
            .right = at(&product->right, 0, part->column),
            .start = product->bias == NULL ? NULL : product->bias + part->column,
            .row_step = left->is_transposed ? 1 : left->leading,
            .depth_step = left->is_transposed ? left->leading : 1,
            .right_leading = product->right.leading,
            .result = result_at(product, part),
            .result_leading = product->columns,
        });
}

/* One row: x W, a sum of W's rows, some of them at a time lest a long sum lose digits. */
static void compute_row(const tiling *call, const tile *part)
{
    const layer_product *const product = &call->product;
    const layer_factor *const left = &product->left, *const right = &product->right;
    float *const result = product->result + part->column;
    float sums[VECTOR_COLUMNS];
    for (size_t first = 0; first < product->depth && !layer_run_cancelled(call->run);
         first += VECTOR_ROWS) {
        const bool is_first = first == 0;
        layer_vector_kernels_at(call->run->isa)
            ->by_columns(&(layer_vector_product){
                .rows = layer_smaller(VECTOR_ROWS, product->depth - first),
                .columns = part->columns,
                .matrix = at(right, first, part->column),
                .vector = at(left, 0, first),
                .start = is_first && product->bias != NULL ? product->bias + part->column : NULL,
                .leading = right->leading,
                .vector_step = left->is_transposed ? left->leading : 1,
                .result = is_first ? result : sums,
            });
        for (size_t j = 0; j < part->columns && !is_first; j++)
            result[j] += sums[j];
    }
}

/* One column: W x, inner products of W's rows. */
static void compute_column(const tiling *call, const tile *part)
{
    const layer_product *const product = &call->product;
    const float *start = product->bias == NULL ? NULL : product->bias + part->row;
    for (size_t first = 0; first < product->depth && !layer_run_cancelled(call->run);
         first += VECTOR_DEPTH) {
        layer_vector_kernels_at(call->run->isa)
            ->by_rows(&(layer_vector_product){
                .rows = part->rows,
                .columns = layer_smaller(VECTOR_DEPTH, product->depth - first),
                .matrix = at(&product->left, part->row, first),
                .vector = at(&product->right, first, 0),
                .start = start,
                .leading = product->left.leading,
                .vector_step = 1,
                .result = product->result + part->row,
            });
        start = product->result + part->row;
    }
}

/* ---- Else: panels ---------------------------------------------------------------------------- */

/* The right factor's columns from `column` on, from depth `first` on: [depth][leading]. */
static void fill_strip(const tiling *call, size_t first, size_t depth, size_t column,
                       size_t columns, float *strip, size_t leading)
{
    const layer_factor *const right = &call->product.right;
    const float *const from = at(right, first, column);
    if (right->is_transposed) {
        call->turns->turn(&(layer_turn){
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
static void find_left(const tiling *call, const tile *part, size_t first, float *room,
                      layer_panel *panel)
{
    const layer_factor *const left = &call->product.left;
    panel->left = at(left, part->row, first);
    panel->left_leading = left->leading;
    if (!left->is_transposed)
        return;
    call->turns->turn(&(layer_turn){
        .from = panel->left,
        .from_leading = (ptrdiff_t)left->leading,
        .step = 1,
        .rows = panel->depth,
        .columns = part->rows,
        .to = room,
        .to_leading = LEFT_DEPTH,
    });
    panel->left = room;
    panel->left_leading = LEFT_DEPTH;
}

/* The strips of a tile, side by side, from depth panel->first on. */
static void multiply_strips(const tiling *call, const tile *part, size_t first, size_t leading,
                            layer_panel *panel)
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
        call->panels->multiply(panel);
    }
    panel->result = result;
}

static void write_turned(const tiling *call, const tile *part, const layer_panel *panel)
{
    const layer_product *const product = &call->product;
    call->turns->turn(&(layer_turn){
        .from = panel->result,
        .from_leading = (ptrdiff_t)panel->result_leading,
        .step = 1,
        .rows = part->rows,
        .columns = part->columns,
        .to = product->result + part->column * product->rows + part->row,
        .to_leading = product->rows,
    });
}

static void compute_panels(const tiling *call, const tile *part)
{
    const layer_product *const product = &call->product;
    const size_t leading =
        layer_smaller(layer_blocks_of(part->columns, VECTOR) * VECTOR, STRIP_COLUMNS);
    const size_t most = product->left.is_transposed ? LEFT_DEPTH : STRIP_COUNT / leading;
    const bool is_started = product->bias != NULL && !call->is_turned;
    _Alignas(64) float room[ROOM_COUNT];
    layer_panel panel = {
        .rows = part->rows,
        .start = product->bias != NULL && call->is_turned ? product->bias + part->row : NULL,
        .result = call->is_turned ? room : result_at(product, part),
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

/* ---- Tiles ----------------------------------------------------------------------------------- */

static void compute_tile(void *argument, size_t task, int thread)
{
    (void)thread;
    const tiling *const call = argument;
    const layer_product *const product = &call->product;
    const size_t across = layer_blocks_of(product->columns, call->tile_columns);
    tile part = {.row = task / across * call->tile_rows,
                 .column = task % across * call->tile_columns};
    part.rows = layer_smaller(call->tile_rows, product->rows - part.row);
    part.columns = layer_smaller(call->tile_columns, product->columns - part.column);
    call->compute(call, &part);
}

static size_t tasks_of(const tiling *call)
{
    return layer_blocks_of(call->product.rows, call->tile_rows) *
           layer_blocks_of(call->product.columns, call->tile_columns);
}

static void halve(size_t *extent)
{
    *extent = layer_blocks_of(*extent / 2, VECTOR) * VECTOR;
}

static void choose_tiles(tiling *call, size_t most_rows, size_t most_columns)
{
    const layer_product *const product = &call->product;
    call->tile_rows = layer_smaller(product->rows, most_rows);
    call->tile_columns = layer_smaller(product->columns, most_columns);
    while (tasks_of(call) < FEWEST_TASKS &&
           call->tile_rows * call->tile_columns * product->depth > FEWEST_MULTIPLICATIONS) {
        size_t *const longer =
            call->tile_rows > call->tile_columns ? &call->tile_rows : &call->tile_columns;
        if (*longer <= VECTOR)
            return;
        halve(longer);
    }
}

/* Of two turned factors the smaller is turned back. */
static void turn_product(tiling *call)
{
    const layer_product given = call->product;
    call->is_turned = true;
    call->product.rows = given.columns;
    call->product.columns = given.rows;
    call->product.left = given.right;
    call->product.left.is_transposed = false;
    call->product.right = given.left;
    call->product.right.is_transposed = true;
}

static void choose_way(tiling *call)
{
    const layer_product *const product = &call->product;
    const size_t multiplications = product->rows * product->columns * product->depth;
    const bool is_inner = product->right.is_transposed;
    if (multiplications < SMALL_MULTIPLICATIONS) {
        call->compute = compute_small;
        choose_tiles(call, TILE_ROWS, TILE_COLUMNS);
    } else if (product->depth <= LAYER_SHALLOW_DEPTH && !is_inner) {
        call->compute = compute_shallow;
        choose_tiles(call, SHALLOW_ROWS, product->columns);
    } else if (product->rows == 1 && !is_inner) {
        call->compute = compute_row;
        choose_tiles(call, 1, VECTOR_COLUMNS);
    } else if (is_inner && product->rows <= product->columns) {
        turn_product(call);
        call->compute = call->product.columns == 1 ? compute_column : compute_panels;
        choose_tiles(call, TURNED_ROWS, STRIP_COLUMNS);
    } else {
        call->compute = compute_panels;
        choose_tiles(call, TILE_ROWS, TILE_COLUMNS);
    }
}

layer_status layer_multiply(const layer_product *product, const layer_run *run)
{
    assert(!product->left.is_transposed || !product->right.is_transposed);
    tiling call = {
        .product = *product,
        .run = run,
        .panels = layer_panel_kernels_at(run->isa),
        .turns = layer_turn_kernels_at(run->isa),
    };
    choose_way(&call);
    return layer_run_tasks(run, tasks_of(&call), compute_tile, &call);
}
