/* Products of matrices, cut into tiles for several threads.
 * SPDX-License-Identifier: MIT */
#include "core/product.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <assert.h>
#include <cblas.h>

/* A tile of the result, and how much of the depth is multiplied before looking at the cancellation
 * flag. Tiles are halved, in steps of a cache line, until there are so many tasks, unless a task
 * would be left with too few multiplications. */
enum { TILE = 256, WIDE_TILE = 1024, DEPTH = 512, LINE_COUNT = 16, FEWEST_TASKS = 4 };
static const size_t FEWEST_MULTIPLICATIONS = 1 << 20;

/* Below these a product's calls and copies cost more than it saves. */
enum { SMALL_MULTIPLICATIONS = 1 << 14, SHALLOW = 4 };

/* A tile of the result and a piece of the depth. */
typedef struct {
    size_t row, rows, column, columns, first, depth;
} tile;

typedef struct {
    const layer_product *product;
    const layer_run *run;
    void (*add)(const layer_product *product, const tile *part);
    size_t tile_rows, tile_columns;
} tiling;

static const float *at(const layer_factor *factor, size_t row, size_t column)
{
    return factor->is_transposed ? factor->elements + column * factor->leading + row
                                 : factor->elements + row * factor->leading + column;
}

/* ---- Small or shallow: loops ------------------------------------------------------------------
 */

/* Several sums side by side, so that one addition need not wait for the last. */
static float dot(const float *a, const float *b, size_t count)
{
    enum { SUMS = 16 };
    float sums[SUMS] = {0};
    size_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (size_t lane = 0; lane < SUMS; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    for (; i < count; i++)
        sums[i % SUMS] += a[i] * b[i];
    float total = 0;
    for (size_t lane = 0; lane < SUMS; lane++)
        total += sums[lane];
    return total;
}

/* Columns of `right` lie side by side in memory, as do rows of `left`. */
static void add_dots(const layer_product *product, const tile *part)
{
    for (size_t j = part->column; j < part->column + part->columns; j++)
        for (size_t i = part->row; i < part->row + part->rows; i++)
            product->result[i * product->columns + j] +=
                dot(at(&product->left, i, part->first), at(&product->right, part->first, j),
                    part->depth);
}

/* Rows of `right` lie side by side in memory. */
static void add_rows(const layer_product *product, const tile *part)
{
    for (size_t i = part->row; i < part->row + part->rows; i++) {
        float *const result = product->result + i * product->columns + part->column;
        for (size_t k = part->first; k < part->first + part->depth; k++) {
            const float factor = *at(&product->left, i, k);
            const float *const row = at(&product->right, k, part->column);
            for (size_t j = 0; j < part->columns; j++)
                result[j] += factor * row[j];
        }
    }
}

/* ---- Large: BLAS ----------------------------------------------------------------------------- */

static CBLAS_TRANSPOSE order_of(const layer_factor *factor)
{
    return factor->is_transposed ? CblasTrans : CblasNoTrans;
}

/* A single row: W x, in which a product of matrices would copy all of W first. */
static void add_vector(const layer_product *product, const tile *part)
{
    const layer_factor *const left = &product->left, *const right = &product->right;
    const bool is_turned = right->is_transposed;
    cblas_sgemv(CblasRowMajor, is_turned ? CblasNoTrans : CblasTrans,
                (blasint)(is_turned ? part->columns : part->depth),
                (blasint)(is_turned ? part->depth : part->columns), 1.0f,
                at(right, part->first, part->column), (blasint)right->leading,
                at(left, part->row, part->first), left->is_transposed ? (blasint)left->leading : 1,
                1.0f, product->result + part->row * product->columns + part->column, 1);
}

static void add_matrix(const layer_product *product, const tile *part)
{
    cblas_sgemm(CblasRowMajor, order_of(&product->left), order_of(&product->right),
                (blasint)part->rows, (blasint)part->columns, (blasint)part->depth, 1.0f,
                at(&product->left, part->row, part->first), (blasint)product->left.leading,
                at(&product->right, part->first, part->column), (blasint)product->right.leading,
                1.0f, product->result + part->row * product->columns + part->column,
                (blasint)product->columns);
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

static void start(const layer_product *product, const tile *part)
{
    for (size_t i = part->row; i < part->row + part->rows; i++)
        for (size_t j = part->column; j < part->column + part->columns; j++)
            product->result[i * product->columns + j] =
                product->bias == NULL ? 0 : product->bias[j];
}

static void compute_tile(void *argument, size_t task, int thread)
{
    (void)thread;
    const tiling *const call = argument;
    const layer_product *const product = call->product;
    const size_t across = layer_blocks_of(product->columns, call->tile_columns);
    tile part = {.row = task / across * call->tile_rows,
                 .column = task % across * call->tile_columns};
    part.rows = layer_smaller(call->tile_rows, product->rows - part.row);
    part.columns = layer_smaller(call->tile_columns, product->columns - part.column);
    start(product, &part);
    for (; part.first < product->depth && !layer_run_cancelled(call->run); part.first += DEPTH) {
        part.depth = layer_smaller(DEPTH, product->depth - part.first);
        call->add(product, &part);
    }
}

static size_t tasks_of(const tiling *call)
{
    return layer_blocks_of(call->product->rows, call->tile_rows) *
           layer_blocks_of(call->product->columns, call->tile_columns);
}

static void halve(size_t *extent)
{
    *extent = layer_blocks_of(*extent / 2, LINE_COUNT) * LINE_COUNT;
}

static void choose_tiles(tiling *call)
{
    const layer_product *const product = call->product;
    call->tile_rows = layer_smaller(product->rows, TILE);
    call->tile_columns = layer_smaller(product->columns, product->rows == 1 ? WIDE_TILE : TILE);
    while (tasks_of(call) < FEWEST_TASKS &&
           call->tile_rows * call->tile_columns * product->depth > FEWEST_MULTIPLICATIONS) {
        size_t *const longer =
            call->tile_rows > call->tile_columns ? &call->tile_rows : &call->tile_columns;
        if (*longer <= LINE_COUNT)
            return;
        halve(longer);
    }
}

static void choose_way(tiling *call)
{
    const layer_product *const product = call->product;
    const size_t multiplications = product->rows * product->columns * product->depth;
    if (multiplications < SMALL_MULTIPLICATIONS || product->depth < SHALLOW)
        call->add = product->right.is_transposed ? add_dots : add_rows;
    else
        call->add = product->rows == 1 ? add_vector : add_matrix;
}

layer_status layer_multiply(const layer_product *product, const layer_run *run)
{
    assert(!product->left.is_transposed || !product->right.is_transposed);
    tiling call = {.product = product, .run = run};
    choose_way(&call);
    choose_tiles(&call);
    return layer_run_tasks(run, tasks_of(&call), compute_tile, &call);
}
