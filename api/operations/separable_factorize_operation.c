/* POST /v1/separable/factorize: kernels as sums of products of a column and a row.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "shapes.h"

#include <layer/factorize.h>

typedef struct {
    api_call call;
    struct {
        api_tensor weight;
        api_integer rank;
        api_number tolerance;
    } request;
    layer_factorize factorize;
    struct {
        api_result column, row, singular_values;
        api_integer rank;
        api_number error;
        api_boolean separable;
        api_integer before, after;
    } reply;
} factorize_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(factorize_call, request.weight),
     .required = true,
     .summary = "a kernel [R, S], or a bank of kernels [K, R, S] or [K, C, R, S]"},
    {.name = "rank",
     .kind = &api_integer_kind,
     .offset = offsetof(factorize_call, request.rank),
     .minimum = 1,
     .maximum = API_MAX_WINDOW,
     .summary = "products to sum, at most the kernel's shorter side; by default the fewest within "
                "the tolerance"},
    {.name = "tolerance",
     .kind = &api_number_kind,
     .offset = offsetof(factorize_call, request.tolerance),
     .minimum = 1e-9,
     .maximum = 1,
     .fallback = "1e-6",
     .summary = "the largest error that is allowed; decides separable too"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "column",
     .kind = &api_result_kind,
     .offset = offsetof(factorize_call, reply.column),
     .required = true,
     .summary = "[..., rank, R]: each kernel is the sum of column times row over the rank"},
    {.name = "row",
     .kind = &api_result_kind,
     .offset = offsetof(factorize_call, reply.row),
     .required = true,
     .summary = "[..., rank, S]"},
    {.name = "singular_values",
     .kind = &api_result_kind,
     .offset = offsetof(factorize_call, reply.singular_values),
     .required = true,
     .summary = "[..., min(R, S)], descending, those left out too"},
    {.name = "rank",
     .kind = &api_integer_kind,
     .offset = offsetof(factorize_call, reply.rank),
     .summary = "products that each kernel became; in a dry run shapes are those of the highest"},
    {.name = "error",
     .kind = &api_figure_kind,
     .offset = offsetof(factorize_call, reply.error),
     .summary = "the Frobenius norm of what is left out, relative to that of the weight"},
    {.name = "separable",
     .kind = &api_boolean_kind,
     .offset = offsetof(factorize_call, reply.separable),
     .summary = "whether one product would be within the tolerance"},
    {.name = "multiplications_before",
     .kind = &api_integer_kind,
     .offset = offsetof(factorize_call, reply.before),
     .required = true,
     .summary = "of one output of a convolution with the weight"},
    {.name = "multiplications_after",
     .kind = &api_integer_kind,
     .offset = offsetof(factorize_call, reply.after),
     .summary = "of the same with each column, then its row"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

/* The shape of `rank` factors of so many elements each, for every kernel of the bank. */
static layer_shape factors_of(const layer_shape *weight, int rank, int extent)
{
    layer_shape shape = *weight;
    shape.extent[shape.rank - 2] = rank;
    shape.extent[shape.rank - 1] = extent;
    return shape;
}

static int channels_of(const layer_shape *weight)
{
    return weight->rank == 4 ? weight->extent[1] : 1;
}

static void fill_reply(factorize_call *call)
{
    const layer_factorize *const factorize = &call->factorize;
    const layer_shape *const weight = &call->request.weight.shape;
    const int rank = factorize->rank != 0 ? factorize->rank : factorize->most;
    layer_shape values = *weight;
    values.extent[--values.rank - 1] = factorize->most;
    call->reply.column = (api_result){
        .given = true, .shape = factors_of(weight, factorize->most, factorize->height)};
    call->reply.row =
        (api_result){.given = true, .shape = factors_of(weight, factorize->most, factorize->width)};
    call->reply.singular_values = (api_result){.given = true, .shape = values};
    call->reply.before =
        (api_integer){true, (int64_t)channels_of(weight) * factorize->height * factorize->width};
    call->reply.rank = (api_integer){factorize->rank != 0, rank};
    call->call.multiplications = factorize->multiplications;
}

static bool check_weight(const factorize_call *call, api_problem *problem)
{
    const layer_shape *const weight = &call->request.weight.shape;
    char text[API_SHAPE_TEXT_SIZE];
    if (weight->rank < 2 || weight->rank > 4)
        return api_refuse(problem, 422, "/weight", "weight has rank %d; expected rank 2 to 4",
                          weight->rank);
    if (weight->extent[weight->rank - 2] > API_MAX_WINDOW ||
        weight->extent[weight->rank - 1] > API_MAX_WINDOW)
        return api_refuse(problem, 413, "/weight",
                          "weight has the shape %s; the limit of a kernel is %d along each axis",
                          api_shape_text(weight, text), API_MAX_WINDOW);
    return !call->request.rank.given || !call->request.tolerance.given ||
           api_refuse_both(problem, "tolerance", "rank");
}

static bool describe(api_call *base, api_problem *problem)
{
    factorize_call *const call = (factorize_call *)base;
    const layer_factorize_options options = {.rank = (int)call->request.rank.value,
                                             .tolerance = call->request.tolerance.value};
    layer_error error;
    if (!check_weight(call, problem))
        return false;
    if (layer_factorize_describe(&call->factorize, &call->request.weight.shape, &options, &error) !=
        LAYER_OK)
        return api_refuse_layer(problem, &error);
    fill_reply(call);
    return true;
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    return layer_factorize_workspace_size(&((const factorize_call *)base)->factorize, threads);
}

/* The rank is known only now: less of the factors is told than there was room for. */
static void keep(api_result *factors, int rank)
{
    int *const extent = &factors->shape.extent[factors->shape.rank - 2];
    factors->count = factors->count / (size_t)*extent * (size_t)rank;
    *extent = rank;
}

static layer_status compute(api_call *base, const layer_run *run)
{
    factorize_call *const call = (factorize_call *)base;
    const layer_factorize *const factorize = &call->factorize;
    layer_factorized result;
    const layer_status status =
        layer_factorize_run(factorize, call->request.weight.data, call->reply.column.data,
                            call->reply.row.data, call->reply.singular_values.data, &result, run);
    if (status != LAYER_OK)
        return status;
    keep(&call->reply.column, result.rank);
    keep(&call->reply.row, result.rank);
    const int64_t sides = factorize->height + factorize->width;
    call->reply.rank = (api_integer){true, result.rank};
    call->reply.error = (api_number){true, result.error};
    call->reply.separable = (api_boolean){true, result.separable};
    call->reply.after =
        (api_integer){true, channels_of(&call->request.weight.shape) * result.rank * sides};
    return LAYER_OK;
}

const api_operation api_operation_separable_factorize = {
    .name = "separable/factorize",
    .summary = "Factorize kernels into columns and rows",
    .description =
        "The best sum of products of a column and a row for each kernel, by its singular values, "
        "each value's root going to both. A kernel that is one such product is separable: a "
        "convolution with it is one with the column and then one with the row. All kernels of a "
        "bank get the same rank; the error is that of the whole bank.",
    .example = "{\"weight\":[[1,2,1],[2,4,2],[1,2,1]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(factorize_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
