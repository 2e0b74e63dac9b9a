/* ONNX's own test cases, sent over HTTP in all three tensor forms.
 *
 * The cases are Debian's libonnx-testdata, or a folder of the same layout in $LAYERD_ONNX_DATA. An
 * operator is one row of the table below.
 *
 * SPDX-License-Identifier: MIT */
#include "onnx_model.h"
#include "support/daemon_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const folders[] = {"node", "pytorch-converted", "pytorch-operator"};

typedef struct {
    const char *name;                      /* in ONNX */
    const char *path;                      /* ours */
    const char *inputs[ONNX_MAX_TENSORS];  /* our names, in ONNX's order */
    const char *outputs[ONNX_MAX_TENSORS]; /* the same */
    void (*add_attribute)(void *request, const char *name, const char *json);
    double tolerance; /* of the greatest magnitude */
    int cases;        /* how many there are at least */
    /* NULL, or makes the whole request; false where ours cannot say what the case asks. */
    bool (*say)(tensor_request *request, const onnx_model *model);
} operator_row;

/* ONNX's attributes are ours. */
static void add_as_it_is(void *request, const char *name, const char *json)
{
    tensor_request_add_json(request, name, json);
}

/* ---- Gemm ------------------------------------------------------------------------------------ */

/* alpha A' B' + beta C, each of A and B transposed or not. */
typedef struct {
    double alpha, beta;
    bool a_is_transposed, b_is_transposed;
} gemm;

static void read_gemm_attribute(void *context, const char *name, const char *json)
{
    gemm *const attributes = context;
    const double value = strtod(json, NULL);
    if (strcmp(name, "alpha") == 0)
        attributes->alpha = value;
    else if (strcmp(name, "beta") == 0)
        attributes->beta = value;
    else if (strcmp(name, "transA") == 0)
        attributes->a_is_transposed = value != 0;
    else
        attributes->b_is_transposed = value != 0;
}

/* Adds a matrix, transposed if that is asked for. */
static void add_matrix(tensor_request *request, const char *name, const tensor *matrix,
                       bool is_transposed)
{
    const size_t rows = matrix->extent[0], columns = matrix->extent[1];
    if (!is_transposed) {
        tensor_request_add(request, name, matrix);
        return;
    }
    tensor turned = tensor_create(2, (const size_t[]){columns, rows});
    for (size_t i = 0; i < matrix->count; i++)
        turned.data[i % columns * rows + i / columns] = matrix->data[i];
    tensor_request_add(request, name, &turned);
    tensor_free(&turned);
}

/* Adds one number for each output, repeated where C is a single one. */
static void add_bias(tensor_request *request, const tensor *c, size_t outputs)
{
    tensor bias = tensor_create(1, &outputs);
    for (size_t i = 0; i < outputs; i++)
        bias.data[i] = c->data[i % c->count];
    tensor_request_add(request, "bias", &bias);
    tensor_free(&bias);
}

/* Our weight is B transposed. Factors other than 1 and a C of several rows cannot be said. */
static bool say_gemm(tensor_request *request, const onnx_model *model)
{
    gemm attributes = {.alpha = 1, .beta = 1};
    onnx_attributes(model, read_gemm_attribute, &attributes);
    const tensor *const a = onnx_input(model, 0), *const b = onnx_input(model, 1);
    const tensor *const c = onnx_input(model, 2);
    const size_t outputs = b->extent[attributes.b_is_transposed ? 0 : 1];
    const bool is_row =
        c == NULL || c->count == 1 || (c->count == outputs && c->extent[c->rank - 1] == outputs);
    if (attributes.alpha != 1 || attributes.beta != 1 || !is_row)
        return false;
    add_matrix(request, "input", a, attributes.a_is_transposed);
    add_matrix(request, "weight", b, !attributes.b_is_transposed);
    if (c != NULL)
        add_bias(request, c, outputs);
    return true;
}

/* ---- Pooling --------------------------------------------------------------------------------- */

typedef struct {
    tensor_request *request;
    bool has_strides;
} pooling;

/* ONNX's flags are 0 and 1. */
static void add_pool_attribute(void *context, const char *name, const char *json)
{
    pooling *const said = context;
    const bool is_flag = strcmp(name, "ceil_mode") == 0 || strcmp(name, "count_include_pad") == 0;
    said->has_strides = said->has_strides || strcmp(name, "strides") == 0;
    tensor_request_add_json(said->request, name,
                            !is_flag                 ? json
                            : strcmp(json, "0") == 0 ? "false"
                                                     : "true");
}

/* ONNX's default of strides is 1, ours the kernel. */
static void add_pool_attributes(tensor_request *request, const onnx_model *model, bool has_windows)
{
    pooling said = {.request = request};
    onnx_attributes(model, add_pool_attribute, &said);
    if (has_windows && !said.has_strides)
        tensor_request_add_json(request, "strides", "1");
}

/* One case has a signal of 220000 samples, longer than the service's limit of an axis. */
static bool is_within_limits(const tensor *input)
{
    enum { LONGEST_AXIS = 65536 };
    for (size_t axis = 0; axis < input->rank; axis++)
        if (input->extent[axis] > LONGEST_AXIS)
            return false;
    return true;
}

static bool say_pool(tensor_request *request, const onnx_model *model)
{
    if (!is_within_limits(onnx_input(model, 0)))
        return false;
    const char *const name = onnx_operator(model);
    const bool is_global = strncmp(name, "Global", 6) == 0;
    const bool is_max = strstr(name, "Max") != NULL, is_average = strstr(name, "Average") != NULL;
    tensor_request_add(request, "input", onnx_input(model, 0));
    tensor_request_add_json(request, "kind",
                            is_max       ? "\"max\""
                            : is_average ? "\"average\""
                                         : "\"lp\"");
    tensor_request_add_json(request, "global", is_global ? "true" : "false");
    tensor_request_add_json(request, "return_indices", is_max ? "true" : "false");
    tensor_request_add_json(request, "index_base", "\"tensor\"");
    add_pool_attributes(request, model, !is_global);
    return true;
}

/* output_shape is a tensor to ONNX, an attribute to us. Its cases count indices in the shape that
 * the attributes imply. */
static bool say_unpool(tensor_request *request, const onnx_model *model)
{
    const tensor *const shape = onnx_input(model, 2);
    tensor_request_add(request, "input", onnx_input(model, 0));
    tensor_request_add(request, "indices", onnx_input(model, 1));
    tensor_request_add_json(request, "index_base", "\"tensor\"");
    tensor_request_add_json(request, "index_shape", "\"inferred\"");
    if (shape != NULL) {
        char text[256] = "";
        size_t length = 0;
        for (size_t axis = 0; axis < shape->count; axis++)
            length += (size_t)snprintf(text + length, sizeof text - length, "%c%.0f",
                                       axis == 0 ? '[' : ',', (double)shape->data[axis]);
        snprintf(text + length, sizeof text - length, "]");
        tensor_request_add_json(request, "output_shape", text);
    }
    add_pool_attributes(request, model, true);
    return true;
}

/* ---- The table ------------------------------------------------------------------------------- */

static const operator_row operators[] = {
    {"Conv", "/v1/conv", {"input", "weight", "bias"}, {"output"}, add_as_it_is, 1e-4, 33, NULL},
    {"ConvTranspose",
     "/v1/conv-transpose",
     {"input", "weight", "bias"},
     {"output"},
     add_as_it_is,
     1e-4,
     13,
     NULL},
    {"Gemm", "/v1/linear", {NULL}, {"output"}, NULL, 1e-4, 8, say_gemm},
    {"MaxPool", "/v1/pool", {NULL}, {"output", "indices"}, NULL, 1e-6, 23, say_pool},
    {"AveragePool", "/v1/pool", {NULL}, {"output"}, NULL, 1e-6, 18, say_pool},
    {"LpPool", "/v1/pool", {NULL}, {"output"}, NULL, 1e-6, 0, say_pool},
    {"GlobalMaxPool", "/v1/pool", {NULL}, {"output"}, NULL, 1e-6, 2, say_pool},
    {"GlobalAveragePool", "/v1/pool", {NULL}, {"output"}, NULL, 1e-6, 2, say_pool},
    {"MaxUnpool", "/v1/unpool", {NULL}, {"output"}, NULL, 0, 2, say_unpool},
};

enum { OPERATOR_COUNT = sizeof operators / sizeof *operators };

/* What has been sent of one operator. */
typedef struct {
    int sent[FORM_COUNT], right[FORM_COUNT];
    int unsayable[FORM_COUNT];
} tally;

static bool is_right(const http_reply *reply, const operator_row *row, const onnx_model *model)
{
    bool right = reply->status == 200;
    for (size_t index = 0; right && row->outputs[index] != NULL; index++) {
        const tensor *const expected = onnx_output(model, index);
        tensor actual;
        if (expected == NULL)
            continue;
        right = tensor_read_reply(reply, row->outputs[index], &actual) &&
                tensor_distance(&actual, expected) <= row->tolerance;
        tensor_free(&actual);
    }
    return right;
}

/* Puts the case into our words. */
static bool say(tensor_request *request, const operator_row *row, const onnx_model *model)
{
    if (row->say != NULL)
        return row->say(request, model);
    for (size_t index = 0; row->inputs[index] != NULL; index++)
        if (onnx_input(model, index) != NULL)
            tensor_request_add(request, row->inputs[index], onnx_input(model, index));
    onnx_attributes(model, row->add_attribute, request);
    return true;
}

static void send_case(const char *directory, const operator_row *row, const onnx_model *model,
                      tensor_form form, tally *count)
{
    tensor_request request = tensor_request_open(form);
    if (!say(&request, row, model)) {
        count->unsayable[form]++;
        if (form == 0)
            print_message("%s: %s cannot say it\n", directory, row->path);
        tensor_request_free(&request);
        return;
    }
    const http_request closed = tensor_request_close(&request, row->path);
    http_reply reply = http_send(service_url(), &closed);
    const bool right = is_right(&reply, row, model);
    count->sent[form]++;
    count->right[form] += right;
    if (!right)
        print_error("%s, %s: status %ld, %.300s\n", directory, TENSOR_FORM_NAMES[form],
                    reply.status, reply.body);
    http_free(&reply);
    tensor_request_free(&request);
}

static void try_case(const char *directory, tally tallies[])
{
    onnx_model *const model = onnx_open(directory);
    if (model == NULL)
        return;
    for (size_t index = 0; index < OPERATOR_COUNT; index++)
        if (strcmp(operators[index].name, onnx_operator(model)) == 0)
            for (int form = 0; form < FORM_COUNT; form++)
                send_case(directory, &operators[index], model, (tensor_form)form, &tallies[index]);
    onnx_close(model);
}

static void walk(const char *folder, tally tallies[])
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, NULL, alphasort);
    for (int index = 0; index < count; index++) {
        char directory[4096];
        snprintf(directory, sizeof directory, "%s/%s", folder, entries[index]->d_name);
        if (entries[index]->d_name[0] != '.')
            try_case(directory, tallies);
        free(entries[index]);
    }
    free((void *)entries);
}

static void check_tally(const operator_row *row, const tally *count)
{
    print_message("%s:", row->name);
    for (int form = 0; form < FORM_COUNT; form++)
        print_message(" %d/%d %s%s", count->right[form], count->sent[form], TENSOR_FORM_NAMES[form],
                      form + 1 < FORM_COUNT ? "," : "");
    if (count->unsayable[0] > 0)
        print_message(", %d that %s cannot say", count->unsayable[0], row->path);
    print_message("\n");
    for (int form = 0; form < FORM_COUNT; form++) {
        assert_int_equal(count->right[form], count->sent[form]);
        assert_true(count->sent[form] >= row->cases);
    }
}

static void onnx_cases_are_answered(void **state)
{
    (void)state;
    const char *const given = getenv("LAYERD_ONNX_DATA");
    const char *const root = given != NULL ? given : "/usr/share/libonnx-testdata/data";
    tally tallies[OPERATOR_COUNT] = {0};
    for (size_t index = 0; index < sizeof folders / sizeof *folders; index++) {
        char folder[2048];
        snprintf(folder, sizeof folder, "%s/%s", root, folders[index]);
        walk(folder, tallies);
    }
    for (size_t index = 0; index < OPERATOR_COUNT; index++)
        check_tally(&operators[index], &tallies[index]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(onnx_cases_are_answered)};
    return service_run_tests(tests);
}
