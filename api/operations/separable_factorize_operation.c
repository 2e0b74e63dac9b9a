/* POST /v1/separable/factorize: kernels as sums of products of a column and a row.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "shapes.h"

#include <layer/factorize.h>

/* The longest side of a bank as one matrix, and so its highest rank. */
enum { MOST_RANK = 4096 };

typedef struct {
    api_call call;
    struct {
        api_tensor weight;
        api_choice scheme;
        api_integer rank;
        api_number tolerance;
    } request;
    layer_factorize factorize;
    struct {
        api_choice scheme;
        api_result column, row, singular_values;
        api_integer rank;
        api_number error;
        api_boolean separable;
        api_integer before, after;
    } reply;
} factorize_call;

/* ---- The fields ------------------------------------------------------------------------------ */

#define QUOTED(text) #text
#define TEXT(macro)  QUOTED(macro)

static const api_option schemes[] = {{"auto", LAYER_FACTORIZE_AUTO,
                                      "of the two the one that multiplies less; each where a rank "
                                      "is asked for, or where the bank as "
                                      "one matrix is longer than 1536 along both sides"},
#define SCHEME_OPTION(id, name, sentence) {name, LAYER_FACTORIZE_##id, sentence},
                                     LAYER_FACTORIZE_SCHEME_LIST(SCHEME_OPTION)
#undef SCHEME_OPTION
                                         {0}};

static const api_field request_fields[] = {
    {.name = "weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(factorize_call, request.weight),
     .required = true,
     .summary = "a kernel [R, S], or a bank of kernels [K, C, R, S]"},
    {.name = "scheme",
     .kind = &api_choice_kind,
     .offset = offsetof(factorize_call, request.scheme),
     .options = schemes,
     .fallback = "\"auto\"",
     .summary = "what the kernels of a bank have in common"},
    {.name = "rank",
     .kind = &api_integer_kind,
     .offset = offsetof(factorize_call, request.rank),
     .minimum = 1,
     .maximum = MOST_RANK,
     .summary =
         "products to sum, at most the kernel's shorter side, or shared channels; by default "
         "the fewest within the tolerance"},
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
    {.name = "scheme",
     .kind = &api_choice_kind,
     .offset = offsetof(factorize_call, reply.scheme),
     .options = schemes + 1,
     .summary = "the one that was taken"},
    {.name = "column",
     .kind = &api_result_kind,
     .offset = offsetof(factorize_call, reply.column),
     .required = true,
     .summary = "each: [rank, R] or [K, C, rank, R]; shared: [rank, C, R]"},
    {.name = "row",
     .kind = &api_result_kind,
     .offset = offsetof(factorize_call, reply.row),
     .required = true,
     .summary = "each: [rank, S] or [K, C, rank, S]; shared: [K, rank, S]. A kernel is the sum of "
                "column times row over the rank; separable/spatial takes both as they are"},
    {.name = "singular_values",
     .kind = &api_result_kind,
     .offset = offsetof(factorize_call, reply.singular_values),
     .required = true,
     .summary =
         "each: [min(R, S)] or [K, C, min(R, S)]; shared: [min(C R, K S)]; descending, those "
         "left out too"},
    {.name = "rank",
     .kind = &api_integer_kind,
     .offset = offsetof(factorize_call, reply.rank),
     .summary = "products that each kernel became, or channels that all share; in a dry run shapes "
                "are those of the highest"},
    {.name = "error",
     .kind = &api_figure_kind,
     .offset = offsetof(factorize_call, reply.error),
     .summary = "the Frobenius norm of what is left out, relative to that of the weight"},
    {.name = "separable",
     .kind = &api_boolean_kind,
     .offset = offsetof(factorize_call, reply.separable),
     .summary = "whether one product for each kernel would be within the tolerance"},
    {.name = "multiplications_before",
     .kind = &api_integer_kind,
     .offset = offsetof(factorize_call, reply.before),
     .required = true,
     .summary = "at a position of a convolution's output, over all its channels, with the weight"},
    {.name = "multiplications_after",
     .kind = &api_integer_kind,
     .offset = offsetof(factorize_call, reply.after),
     .summary = "of the same with the columns, then the rows"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

/* What a scheme makes of the weight at a rank. */
typedef struct {
    layer_shape column, row, values;
} shapes;

/* In the weight's kind of rank: the kernel's sides become one side each. */
static shapes each_shapes(const factorize_call *call, int rank)
{
    const layer_shape *const weight = &call->request.weight.shape;
    shapes of = {*weight, *weight, *weight};
    of.column.extent[weight->rank - 2] = of.row.extent[weight->rank - 2] = rank;
    of.column.extent[weight->rank - 1] = call->factorize.height;
    of.values.extent[--of.values.rank - 1] = call->factorize.each_most;
    return of;
}

static shapes shared_shapes(const layer_factorize *factorize, int rank)
{
    return (shapes){
        {3, {rank, factorize->channels, factorize->height}},
        {3, {factorize->outputs, rank, factorize->width}},
        {1, {factorize->shared_most}},
    };
}

static void give(factorize_call *call, const shapes *of)
{
    call->reply.column = (api_result){.given = true, .shape = of->column};
    call->reply.row = (api_result){.given = true, .shape = of->row};
    call->reply.singular_values = (api_result){.given = true, .shape = of->values};
}

/* Shapes are those of the highest rank, for which there is room; of both schemes where computing
 * decides. */
static void fill_reply(factorize_call *call)
{
    const layer_factorize *const factorize = &call->factorize;
    const shapes each = each_shapes(call, factorize->each_most);
    const shapes shared = shared_shapes(factorize, factorize->shared_most);
    give(call, factorize->scheme == LAYER_FACTORIZE_SHARED ? &shared : &each);
    if (factorize->scheme == LAYER_FACTORIZE_AUTO) {
        call->reply.column.alternative = shared.column;
        call->reply.row.alternative = shared.row;
        call->reply.singular_values.alternative = shared.values;
    }
    call->reply.scheme =
        (api_choice){factorize->scheme != LAYER_FACTORIZE_AUTO, (int)factorize->scheme};
    call->reply.rank = (api_integer){factorize->rank != 0, factorize->rank};
    call->reply.before = (api_integer){true, (int64_t)factorize->full_multiplications};
    call->call.multiplications = factorize->multiplications;
}

static bool check_weight(const factorize_call *call, api_problem *problem)
{
    const layer_shape *const weight = &call->request.weight.shape;
    char text[API_SHAPE_TEXT_SIZE];
    if (weight->rank != 2 && weight->rank != 4)
        return api_refuse(problem, 422, "/weight",
                          "weight has rank %d; expected 2, a kernel, or 4, a bank [K, C, R, S]",
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
    const layer_factorize_options options = {.scheme =
                                                 (layer_factorize_scheme)call->request.scheme.value,
                                             .rank = (int)call->request.rank.value,
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

static void decide(api_result *result, const layer_shape *shape)
{
    result->shape = *shape;
    result->count = 1;
    for (int axis = 0; axis < shape->rank; axis++)
        result->count *= (size_t)shape->extent[axis];
}

static layer_status compute(api_call *base, const layer_run *run)
{
    factorize_call *const call = (factorize_call *)base;
    layer_factorized result;
    const layer_status status =
        layer_factorize_run(&call->factorize, call->request.weight.data, call->reply.column.data,
                            call->reply.row.data, call->reply.singular_values.data, &result, run);
    if (status != LAYER_OK)
        return status;
    const shapes of = result.scheme == LAYER_FACTORIZE_SHARED
                          ? shared_shapes(&call->factorize, result.rank)
                          : each_shapes(call, result.rank);
    decide(&call->reply.column, &of.column);
    decide(&call->reply.row, &of.row);
    decide(&call->reply.singular_values, &of.values);
    call->reply.scheme = (api_choice){true, (int)result.scheme};
    call->reply.rank = (api_integer){true, result.rank};
    call->reply.error = (api_number){true, result.error};
    call->reply.separable = (api_boolean){true, result.separable};
    call->reply.after = (api_integer){true, (int64_t)result.multiplications};
    return LAYER_OK;
}

const api_operation api_operation_separable_factorize = {
    .name = "separable/factorize",
    .summary = "Factorize kernels into columns and rows",
    .description =
        "The best sum of products of a column and a row for each kernel, by its singular values, "
        "each value's root going to both. A kernel that is one such product is separable: a "
        "convolution with it is one with the column and then one with the row. A bank of kernels "
        "is taken apart kernel by kernel, all with the same rank, or as one matrix (C R) x (K S), "
        "whose columns and rows all kernels share; whichever multiplies less. The error is that of "
        "the whole bank. What is answered as column and row, separable/spatial takes.",
    .example = "{\"weight\":[[1,2,1],[2,4,2],[1,2,1]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(factorize_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
