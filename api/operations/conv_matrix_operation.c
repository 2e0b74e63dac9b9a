/* POST /v1/conv/matrix: a convolution as a matrix.
 * SPDX-License-Identifier: MIT */
#include "conv_fields.h"
#include "operation.h"

#include <layer/conv_matrix.h>
#include <string.h>

/* Whole numbers up to here are binary32 exactly. */
enum { MOST_INDEX = 1 << 24 };

typedef enum { DENSE, COO, CSR } matrix_format;

typedef struct {
    api_call call;
    struct {
        api_tensor weight;
        api_shape input_shape;
        api_geometry geometry;
        api_conv_attributes attributes;
        api_choice format;
    } request;
    layer_conv_matrix matrix;
    struct {
        api_integers shape;
        api_integer nonzeros;
        api_choice format;
        api_result matrix, rows, columns, indptr, indices, values;
        api_decided_geometry geometry;
        api_integer group;
    } reply;
} matrix_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option formats[] = {
    {"dense", DENSE, "matrix: all cells"},
    {"coo", COO, "rows, columns, values: the nonzeros by row, then column"},
    {"csr", CSR, "indptr, indices, values: row i's from indptr[i] to before indptr[i + 1]"},
    {0},
};

static const api_field request_fields[] = {
    {.name = "weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(matrix_call, request.weight),
     .required = true,
     .summary = "[K, C/group, kernel ...] with one to three spatial axes, or a bare kernel of rank "
                "1 or 2"},
    {.name = "input_shape",
     .kind = &api_shape_kind,
     .offset = offsetof(matrix_call, request.input_shape),
     .required = true,
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 1,
     .most = LAYER_MAX_RANK,
     .summary = "of one sample, [C, spatial ...] or [1, C, spatial ...]; with a bare kernel of "
                "rank 1 or 2, of the same rank"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(matrix_call, request.geometry),
     .fields = api_geometry_fields},
    {.name = "attributes",
     .kind = &api_included_kind,
     .offset = offsetof(matrix_call, request.attributes),
     .fields = api_conv_attribute_fields},
    {.name = "format",
     .kind = &api_choice_kind,
     .offset = offsetof(matrix_call, request.format),
     .options = formats,
     .fallback = "\"dense\"",
     .summary = "how the matrix is written"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "shape",
     .kind = &api_list_kind,
     .offset = offsetof(matrix_call, reply.shape),
     .required = true,
     .summary = "rows, one for each output of a sample; columns, one for each input"},
    {.name = "nonzeros",
     .kind = &api_integer_kind,
     .offset = offsetof(matrix_call, reply.nonzeros),
     .required = true,
     .summary = "kernel cells that lie on the input, whatever their weight; those on padding are "
                "left out"},
    {.name = "format",
     .kind = &api_choice_kind,
     .offset = offsetof(matrix_call, reply.format),
     .required = true,
     .options = formats,
     .summary = "how the matrix is written"},
    {.name = "matrix",
     .kind = &api_result_kind,
     .offset = offsetof(matrix_call, reply.matrix),
     .summary = "[rows, columns], of the format dense"},
    {.name = "rows",
     .kind = &api_result_kind,
     .offset = offsetof(matrix_call, reply.rows),
     .maximum = MOST_INDEX,
     .summary = "[nonzeros], of the format coo: from 0"},
    {.name = "columns",
     .kind = &api_result_kind,
     .offset = offsetof(matrix_call, reply.columns),
     .maximum = MOST_INDEX,
     .summary = "[nonzeros], of the format coo: from 0"},
    {.name = "indptr",
     .kind = &api_result_kind,
     .offset = offsetof(matrix_call, reply.indptr),
     .maximum = MOST_INDEX,
     .summary = "[rows + 1], of the format csr"},
    {.name = "indices",
     .kind = &api_result_kind,
     .offset = offsetof(matrix_call, reply.indices),
     .maximum = MOST_INDEX,
     .summary = "[nonzeros], of the format csr: columns, from 0"},
    {.name = "values",
     .kind = &api_result_kind,
     .offset = offsetof(matrix_call, reply.values),
     .maximum = MOST_INDEX,
     .summary = "[nonzeros], of the formats coo and csr"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(matrix_call, reply.geometry),
     .fields = api_decided_geometry_fields},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(matrix_call, reply.group),
     .required = true,
     .summary = "groups that the channels are divided into"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool refuse_matrix(const layer_error *error, api_problem *problem)
{
    layer_error renamed = *error;
    renamed.argument = "input_shape";
    return api_refuse_layer(problem, &renamed);
}

static bool check_indices(const layer_conv_matrix *matrix, matrix_format format,
                          api_problem *problem)
{
    const int most = matrix->rows > matrix->columns ? matrix->rows : matrix->columns;
    return format == DENSE || most <= MOST_INDEX ||
           api_refuse(problem, 413, "/input_shape",
                      "the limit of an index is %d, up to which binary32 is exact; the matrix is "
                      "%dx%d",
                      MOST_INDEX, matrix->rows, matrix->columns);
}

/* A list of so many numbers; where there are none, it is left out. */
static api_result list_of(bool wanted, int count)
{
    return (api_result){.given = wanted && count > 0, .shape = {.rank = 1, .extent = {count}}};
}

static void fill_reply(matrix_call *call, matrix_format format)
{
    const layer_conv_matrix *const matrix = &call->matrix;
    call->reply.shape = (api_integers){true, 2, {matrix->rows, matrix->columns}};
    call->reply.nonzeros = (api_integer){true, matrix->nonzeros};
    call->reply.format = (api_choice){true, (int)format};
    call->reply.matrix = (api_result){
        .given = format == DENSE,
        .shape = {.rank = 2, .extent = {matrix->rows, matrix->columns}},
    };
    call->reply.rows = call->reply.columns = list_of(format == COO, matrix->nonzeros);
    call->reply.indptr = list_of(format == CSR, matrix->rows + 1);
    call->reply.indices = list_of(format == CSR, matrix->nonzeros);
    call->reply.values = list_of(format != DENSE, matrix->nonzeros);
    call->reply.group = (api_integer){true, matrix->conv.group};
    api_decide_geometry(&call->reply.geometry, matrix->conv.window, matrix->conv.axes);
}

static bool describe(api_call *base, api_problem *problem)
{
    matrix_call *const call = (matrix_call *)base;
    const matrix_format format = (matrix_format)call->request.format.value;
    const api_conv_asked asked = {
        .input = &call->request.input_shape.value,
        .weight = &call->request.weight.shape,
        .input_field = "input_shape",
        .geometry = &call->request.geometry,
        .attributes = &call->request.attributes,
    };
    layer_conv conv;
    layer_error error;
    if (!api_describe_conv(&asked, &conv, problem))
        return false;
    if (layer_conv_matrix_describe(&call->matrix, &conv, &error) != LAYER_OK)
        return refuse_matrix(&error, problem);
    if (!check_indices(&call->matrix, format, problem))
        return false;
    fill_reply(call, format);
    return true;
}

/* ---- Computing ------------------------------------------------------------------------------- */

/* The library's integers become numbers of the reply where they lie: both take four bytes. */
static void turn_into_floats(const api_result *result)
{
    _Static_assert(sizeof(int) == sizeof(float), "indices are written over by numbers");
    for (size_t i = 0; result->given && i < result->count; i++) {
        int index;
        memcpy(&index, result->data + i, sizeof index);
        const float number = (float)index;
        memcpy(result->data + i, &number, sizeof number);
    }
}

static layer_status write_matrix(const matrix_call *call, const layer_run *run)
{
    const layer_conv_matrix *const matrix = &call->matrix;
    const float *const weight = call->request.weight.data;
    float *const values = call->reply.values.data;
    switch ((matrix_format)call->request.format.value) {
    case COO:
        return layer_conv_matrix_coo(matrix, weight, (int *)(void *)call->reply.rows.data,
                                     (int *)(void *)call->reply.columns.data, values, run);
    case CSR:
        return layer_conv_matrix_csr(matrix, weight, (int *)(void *)call->reply.indptr.data,
                                     (int *)(void *)call->reply.indices.data, values, run);
    default:
        return layer_conv_matrix_dense(matrix, weight, call->reply.matrix.data, run);
    }
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const matrix_call *const call = (const matrix_call *)base;
    const layer_status status = write_matrix(call, run);
    if (status != LAYER_OK)
        return status;
    turn_into_floats(&call->reply.rows);
    turn_into_floats(&call->reply.columns);
    turn_into_floats(&call->reply.indptr);
    turn_into_floats(&call->reply.indices);
    return LAYER_OK;
}

const api_operation api_operation_conv_matrix = {
    .name = "conv/matrix",
    .summary = "Write a convolution as a matrix",
    .description =
        "The matrix T for which T times the flattened input is the flattened output of a "
        "convolution of one sample, and the transposed T times the gradient of the output that of "
        "the input. With one channel and stride 1 it is a doubly blocked Toeplitz matrix. Its "
        "indices are numbers of binary32, which are exact up to 2^24; a matrix beyond that is "
        "refused in the formats that have indices. Lists of nonzeros are left out where there are "
        "none.",
    .example = "{\"weight\":[[1,2],[3,4]],\"input_shape\":[3,3]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(matrix_call),
    .describe = describe,
    .compute = compute,
};
