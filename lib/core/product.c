/* Products of matrices, cut into tiles for several threads.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/product_tile.h"
#include "core/shallow.h"
#include "core/tasks.h"

#include <assert.h>

/* Tiles are halved, in steps of a cache line, until there are so many tasks, unless a task would be
 * left with too few multiplications. */
enum { FEWEST_TASKS = 4, VECTOR = 16 };
static const size_t FEWEST_MULTIPLICATIONS = 1 << 20;

/* The same for a product with one vector, which waits for memory. */
static const size_t FEWEST_OF_VECTOR = 1 << 18;

/* Below this a product's copies cost more than they save. */
enum { SMALL_MULTIPLICATIONS = 1 << 8 };

/* Rows of a shallow product that a task has. */
enum { SHALLOW_ROWS = 256 };

static void compute_tile(void *argument, size_t task, int thread)
{
    (void)thread;
    const layer_tiling *const call = argument;
    const layer_product *const product = &call->product;
    const size_t across = layer_blocks_of(product->columns, call->tile_columns);
    layer_tile part = {.row = task / across * call->tile_rows,
                       .column = task % across * call->tile_columns};
    part.rows = layer_smaller(call->tile_rows, product->rows - part.row);
    part.columns = layer_smaller(call->tile_columns, product->columns - part.column);
    call->compute(call, &part);
}

static size_t tasks_of(const layer_tiling *call)
{
    return layer_blocks_of(call->product.rows, call->tile_rows) *
           layer_blocks_of(call->product.columns, call->tile_columns);
}

static void halve(size_t *extent)
{
    *extent = layer_rounded_up(*extent / 2, VECTOR);
}

static void choose_tiles(layer_tiling *call, size_t most_rows, size_t most_columns)
{
    const layer_product *const product = &call->product;
    const bool is_vector = product->rows == 1 || product->columns == 1;
    const size_t fewest = is_vector ? FEWEST_OF_VECTOR : FEWEST_MULTIPLICATIONS;
    call->tile_rows = layer_smaller(product->rows, most_rows);
    call->tile_columns = layer_smaller(product->columns, most_columns);
    while (tasks_of(call) < FEWEST_TASKS &&
           call->tile_rows * call->tile_columns * product->depth > fewest) {
        size_t *const longer =
            call->tile_rows > call->tile_columns ? &call->tile_rows : &call->tile_columns;
        if (*longer <= VECTOR)
            return;
        halve(longer);
    }
}

/* Of two turned factors the smaller is turned back. */
static void turn_product(layer_tiling *call)
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

static void choose_way(layer_tiling *call)
{
    const layer_product *const product = &call->product;
    const size_t multiplications = product->rows * product->columns * product->depth;
    const bool is_inner = product->right.is_transposed;
    if (multiplications < SMALL_MULTIPLICATIONS) {
        call->compute = layer_tile_small;
        choose_tiles(call, LAYER_TILE_ROWS, LAYER_TILE_COLUMNS);
    } else if (product->depth <= LAYER_SHALLOW_DEPTH && !is_inner) {
        call->compute = layer_tile_shallow;
        choose_tiles(call, SHALLOW_ROWS, product->columns);
    } else if (product->rows == 1 && !is_inner) {
        call->compute = layer_tile_row;
        choose_tiles(call, 1, LAYER_ROW_COLUMNS);
    } else if (is_inner && product->rows <= product->columns) {
        turn_product(call);
        call->compute = call->product.columns == 1 ? layer_tile_column : layer_tile_panels;
        choose_tiles(call, LAYER_TURNED_ROWS, LAYER_TURNED_COLUMNS);
    } else if (product->left.is_transposed && product->depth <= LAYER_OUTER_DEPTH) {
        call->compute = layer_tile_panels;
        choose_tiles(call, LAYER_OUTER_ROWS, LAYER_OUTER_COLUMNS);
    } else {
        call->compute = layer_tile_panels;
        choose_tiles(call, LAYER_TILE_ROWS, LAYER_TILE_COLUMNS);
    }
}

layer_status layer_multiply(const layer_product *product, const layer_run *run)
{
    assert(!product->left.is_transposed || !product->right.is_transposed);
    layer_tiling call = {
        .product = *product,
        .run = run,
    };
    choose_way(&call);
    return layer_run_tasks(run, tasks_of(&call), compute_tile, &call);
}
