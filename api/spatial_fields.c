/* What going forward and backward through a spatially separable convolution share.
 * SPDX-License-Identifier: MIT */
#include "spatial_fields.h"

#include "operation.h"
#include "ranks.h"
#include "shapes.h"

/* Ranks: of the largest bare factor, of a batch of planes. */
enum { BARE_RANK = 2, BATCH_RANK = 4 };

const api_field api_spatial_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_spatial, input),
     .required = true,
     .summary = "[N, C, H, W], or one sample [C, H, W]; with bare factors [H, W]"},
    {.name = "column",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_spatial, column),
     .required = true,
     .summary =
         "bare, [R] or [M, R]: of a kernel that is the sum of M products of a column and a "
         "row; of a bank [K, C/group, R, S] of kernels that are such sums each, [K, C/group, "
         "M, R]; or [M, C/group, R], which makes M channels that all kernels share"},
    {.name = "row",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_spatial, row),
     .required = true,
     .summary =
         "of column's rank: [S], [M, S], [K, C/group, M, S]; or [K, M/group, S], which takes "
         "the shared channels"},
    {.name = "bias",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_spatial, bias),
     .summary = "[K]: what is added to each output channel; by default nothing"},
    {0},
};

static bool is_bare(const api_spatial *asked)
{
    return asked->column.shape.rank <= BARE_RANK;
}

static bool check_ranks(const api_spatial *asked, api_problem *problem)
{
    const int column = asked->column.shape.rank, row = asked->row.shape.rank;
    const int input = asked->input.shape.rank;
    if (column > BATCH_RANK)
        return api_refuse(problem, 422, "/column", "column has rank %d; expected 1 to 4", column);
    if (row != column)
        return api_refuse(problem, 422, "/row", "row has rank %d; expected %d, as column has", row,
                          column);
    if (is_bare(asked) && input != BARE_RANK)
        return api_refuse(problem, 422, "/input",
                          "input has rank %d; factors of rank %d are bare, and take an input of "
                          "rank 2",
                          input, column);
    return is_bare(asked) || input == BATCH_RANK || input == BATCH_RANK - 1 ||
           api_refuse(problem, 422, "/input",
                      "input has rank %d; factors of rank %d take an input of rank 4, or 3 for one "
                      "sample",
                      input, column);
}

static bool check_length(const char *pointer, int length, api_problem *problem)
{
    return length <= API_MAX_WINDOW ||
           api_refuse(problem, 413, pointer,
                      "%s is %d long; the limit of a kernel is %d along each axis", pointer + 1,
                      length, API_MAX_WINDOW);
}

static bool check_kernel(const api_spatial *asked, api_problem *problem)
{
    const layer_shape column = api_narrowed(&asked->column.shape, 1);
    const layer_shape row = api_narrowed(&asked->row.shape, 1);
    const layer_shape kernel = {2, {column.extent[0], row.extent[0]}};
    if (is_bare(asked) && asked->attributes.group.value > 1)
        return api_refuse(problem, 422, "/group",
                          "group is %d; bare factors have one channel, and so one group",
                          (int)asked->attributes.group.value);
    return check_length("/column", column.extent[0], problem) &&
           check_length("/row", row.extent[0], problem) &&
           api_check_kernel(&asked->geometry, &kernel, "column by row", problem);
}

bool api_describe_spatial(const api_spatial *asked, layer_separable_spatial *separable,
                          api_problem *problem)
{
    layer_conv_options options = {.group = (int)asked->attributes.group.value,
                                  .mode = (layer_conv_mode)asked->attributes.mode.value};
    if (!check_ranks(asked, problem) || !check_kernel(asked, problem) ||
        !api_read_geometry(&asked->geometry, 2, &options.geometry, problem))
        return false;
    const int rank = is_bare(asked) ? BATCH_RANK : asked->column.shape.rank;
    const layer_shape input = api_widened(&asked->input.shape, BATCH_RANK);
    const layer_shape column = api_widened(&asked->column.shape, rank);
    const layer_shape row = api_widened(&asked->row.shape, rank);
    layer_error error;
    if (layer_separable_spatial_describe(separable, &input, &column, &row, &options, &error) !=
        LAYER_OK)
        return api_refuse_layer(problem, &error);
    return api_check_bias(&asked->bias, "bias", separable->output.extent[1], problem);
}

layer_separable_spatial_operands api_spatial_operands(const api_spatial *asked)
{
    return (layer_separable_spatial_operands){
        .input = asked->input.data,
        .column = asked->column.data,
        .row = asked->row.data,
        .bias = asked->bias.data,
    };
}
