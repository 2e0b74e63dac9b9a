/* Products of matrices that are small, shallow, or one vector.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/product_tile.h"
#include "core/shallow.h"
#include "core/tasks.h"
#include "core/vector.h"

/* Depth of products with one vector that is added up at once. */
enum { VECTOR_ROWS = 512, VECTOR_DEPTH = 4096 };

void layer_tile_small(const layer_tiling *call, const layer_tile *part)
{
    const layer_product *const product = &call->product;
    const float *const bias = product->bias;
    for (size_t i = part->row; i < part->row + part->rows; i++)
        for (size_t j = part->column; j < part->column + part->columns; j++) {
            float sum = bias == NULL ? 0 : bias[j];
            for (size_t k = 0; k < product->depth; k++)
                sum += *layer_factor_at(&product->left, i, k) *
                       *layer_factor_at(&product->right, k, j);
            product->result[i * product->columns + j] = sum;
        }
}

void layer_tile_shallow(const layer_tiling *call, const layer_tile *part)
{
    const layer_product *const product = &call->product;
    const layer_factor *const left = &product->left;
    layer_shallow_kernels_at(call->run->isa)
        ->multiply(&(layer_shallow){
            .rows = part->rows,
            .columns = part->columns,
            .depth = product->depth,
            .left = layer_factor_at(left, part->row, 0),
            .right = layer_factor_at(&product->right, 0, part->column),
            .start = product->bias == NULL ? NULL : product->bias + part->column,
            .row_step = left->is_transposed ? 1 : left->leading,
            .depth_step = left->is_transposed ? left->leading : 1,
            .right_leading = product->right.leading,
            .result = layer_tile_result(product, part),
            .result_leading = product->columns,
        });
}

/* One row: x W, a sum of W's rows, some of them at a time lest a long sum lose digits. */
void layer_tile_row(const layer_tiling *call, const layer_tile *part)
{
    const layer_product *const product = &call->product;
    const layer_factor *const left = &product->left, *const right = &product->right;
    float *const result = product->result + part->column;
    float sums[LAYER_ROW_COLUMNS];
    for (size_t first = 0; first < product->depth && !layer_run_cancelled(call->run);
         first += VECTOR_ROWS) {
        const bool is_first = first == 0;
        layer_vector_kernels_at(call->run->isa)
            ->by_columns(&(layer_vector_product){
                .rows = layer_smaller(VECTOR_ROWS, product->depth - first),
                .columns = part->columns,
                .matrix = layer_factor_at(right, first, part->column),
                .vector = layer_factor_at(left, 0, first),
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
void layer_tile_column(const layer_tiling *call, const layer_tile *part)
{
    const layer_product *const product = &call->product;
    const float *start = product->bias == NULL ? NULL : product->bias + part->row;
    for (size_t first = 0; first < product->depth && !layer_run_cancelled(call->run);
         first += VECTOR_DEPTH) {
        layer_vector_kernels_at(call->run->isa)
            ->by_rows(&(layer_vector_product){
                .rows = part->rows,
                .columns = layer_smaller(VECTOR_DEPTH, product->depth - first),
                .matrix = layer_factor_at(&product->left, part->row, first),
                .vector = layer_factor_at(&product->right, first, 0),
                .start = start,
                .leading = product->left.leading,
                .vector_step = 1,
                .result = product->result + part->row,
            });
        start = product->result + part->row;
    }
}
