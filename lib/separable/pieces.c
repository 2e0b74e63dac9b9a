/* A spatially separable convolution in the pieces that it is computed in.
 * SPDX-License-Identifier: MIT */
#include "separable/pieces.h"

layer_pieces layer_pieces_of(const layer_separable_spatial *separable)
{
    const int *const input = separable->input.extent, *const column = separable->column.extent;
    const int *const row = separable->row.extent, *const output = separable->output.extent;
    const size_t plane = (size_t)input[2] * (size_t)input[3];
    if (separable->is_shared)
        return (layer_pieces){.samples = 1, .outputs = 1, .group_outputs = 1};
    return (layer_pieces){
        .samples = (size_t)input[0],
        .outputs = (size_t)row[0],
        .group_outputs = (size_t)(row[0] / separable->group),
        .sample = (size_t)input[1] * plane,
        .part = (size_t)column[1] * plane,
        .column = (size_t)column[1] * (size_t)column[2] * (size_t)column[3],
        .row = (size_t)row[1] * (size_t)row[2] * (size_t)row[3],
        .plane = (size_t)output[2] * (size_t)output[3],
    };
}

layer_chain_operands layer_piece_operands(const layer_pieces *pieces,
                                          const layer_separable_spatial_operands *operands,
                                          size_t n, size_t k)
{
    return (layer_chain_operands){
        .input = operands->input + n * pieces->sample + k / pieces->group_outputs * pieces->part,
        .first_weight = operands->column + k * pieces->column,
        .second_weight = operands->row + k * pieces->row,
        .second_bias = operands->bias == NULL ? NULL : operands->bias + k,
    };
}
