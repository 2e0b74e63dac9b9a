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
} operator_row;

/* ONNX's attributes are ours. */
static void add_as_it_is(void *request, const char *name, const char *json)
{
    tensor_request_add_json(request, name, json);
}

static const operator_row operators[] = {
    {"Conv", "/v1/conv", {"input", "weight", "bias"}, {"output"}, add_as_it_is, 1e-4, 33},
    {"ConvTranspose",
     "/v1/conv-transpose",
     {"input", "weight", "bias"},
     {"output"},
     add_as_it_is,
     1e-4,
     13},
};

enum { OPERATOR_COUNT = sizeof operators / sizeof *operators };

/* What has been sent of one operator. */
typedef struct {
    int sent[FORM_COUNT], right[FORM_COUNT];
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

static void send_case(const char *directory, const operator_row *row, const onnx_model *model,
                      tensor_form form, tally *count)
{
    tensor_request request = tensor_request_open(form);
    for (size_t index = 0; row->inputs[index] != NULL; index++)
        if (onnx_input(model, index) != NULL)
            tensor_request_add(&request, row->inputs[index], onnx_input(model, index));
    onnx_attributes(model, row->add_attribute, &request);
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
                      form + 1 < FORM_COUNT ? "," : "\n");
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
    return cmocka_run_group_tests(tests, NULL, service_teardown);
}
