/* ONNX's own test cases, sent over HTTP in all three tensor forms, and with each algorithm.
 *
 * The cases are Debian's libonnx-testdata, or a folder of the same layout in $LAYERD_ONNX_DATA:
 * every graph made of operators of onnx_operators.c and of what only moves values, which is done
 * here. It is run node by node.
 *
 * SPDX-License-Identifier: MIT */
#include "onnx_model.h"
#include "onnx_moves.h"
#include "onnx_operators.h"
#include "support/daemon_process.h"

#include <layer/conv.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const folders[] = {"node", "pytorch-converted", "pytorch-operator"};

/* One case has a signal of 220000 samples. */
#define LONGEST_AXIS "220000"

/* Every algorithm of convolution as requests name it, and what became of the cases. */
static struct {
    const char *name;
    int right, refused;
} algorithms[] = {
#define NAME(id, name, bound, sentence) {name, 0, 0},
    LAYER_CONV_ALGORITHM_LIST(NAME)
#undef NAME
};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

/* A request may be REFUSED for its algorithm, which then is left to the service. */
typedef enum { RIGHT, WRONG, UNSAYABLE, REFUSED } outcome;

/* How nodes are sent. */
typedef struct {
    tensor_form form;
    const char *algorithm; /* of convolutions; NULL: not said */
} manner;

/* A graph of operators of the table. */
typedef struct {
    char *directory;
    const char *title; /* the last part of it */
    const operator_row *row;
    outcome outcome; /* the worst of all forms */
} onnx_case;

typedef struct {
    onnx_case *cases;
    size_t count;
} onnx_cases;

static onnx_cases all;
static int mixed; /* graphs that have other operators beside those */

/* ---- A node ---------------------------------------------------------------------------------- */

static outcome keep_outputs(const onnx_node *node, const operator_row *row, const http_reply *reply)
{
    for (size_t index = 0; index < OPERATOR_MAX_OUTPUTS; index++) {
        tensor values;
        if (row->outputs[index] == NULL || !onnx_has_output(node, index))
            continue;
        if (!tensor_read_reply(reply, row->outputs[index], &values))
            return WRONG;
        onnx_set_output(node, index, values);
    }
    return RIGHT;
}

/* A service that is not ours may have a shorter limit of an axis. */
static outcome judge_reply(const onnx_node *node, const operator_row *row, const http_reply *reply,
                           const manner *how)
{
    if (reply->status == 200)
        return keep_outputs(node, row, reply);
    if (how->algorithm != NULL && reply->status == 422 &&
        strstr(reply->body, "\"pointer\":\"/algorithm\"") != NULL)
        return REFUSED;
    const outcome result = reply->status == 413 && service_is_foreign() ? UNSAYABLE : WRONG;
    print_message("%s, %s: %s: %.300s\n", row->path, TENSOR_FORM_NAMES[how->form],
                  result == WRONG ? "fails" : "cannot say it", reply->body);
    return result;
}

static bool has_algorithms(const operator_row *row)
{
    return strcmp(row->path, "/v1/conv") == 0;
}

static void add_algorithm(tensor_request *request, const char *algorithm)
{
    char json[64];
    snprintf(json, sizeof json, "\"%s\"", algorithm);
    tensor_request_add_json(request, "algorithm", json);
}

static outcome send_node(const onnx_node *node, const operator_row *row, const manner *how)
{
    tensor_request request = tensor_request_open(how->form);
    const char *const why = row->say(&request, node);
    outcome result = UNSAYABLE;
    if (how->algorithm != NULL && has_algorithms(row))
        add_algorithm(&request, how->algorithm);
    if (why == NULL) {
        const http_request closed = tensor_request_close(&request, row->path);
        http_reply reply = http_send(service_url(), &closed);
        result = judge_reply(node, row, &reply, how);
        http_free(&reply);
    } else {
        print_message("%s, %s: cannot say it: %s\n", row->path, TENSOR_FORM_NAMES[how->form], why);
    }
    tensor_request_free(&request);
    return result;
}

/* ---- A case ---------------------------------------------------------------------------------- */

/* Sets whether an algorithm was refused by a node. */
static outcome run_nodes(onnx_model *model, const manner *how, bool *was_refused)
{
    outcome result = RIGHT;
    for (size_t index = 0; result == RIGHT && index < onnx_node_count(model); index++) {
        const onnx_node node = {model, index};
        const operator_row *const row = operator_find(onnx_operator(&node));
        if (row != NULL)
            result = send_node(&node, row, how);
        else if (!onnx_move(&node))
            fail_msg("%s has other attributes than expected", onnx_operator(&node));
        if (result != REFUSED)
            continue;
        *was_refused = true;
        result = send_node(&node, row, &(manner){how->form, NULL});
    }
    return result;
}

static outcome run_graph(onnx_model *model, const manner *how, double tolerance, bool *was_refused)
{
    const outcome result = run_nodes(model, how, was_refused);
    const double distance = result == RIGHT ? onnx_distance(model) : 0;
    if (distance <= tolerance)
        return result;
    print_error("%s, %s: off by %g\n", TENSOR_FORM_NAMES[how->form],
                how->algorithm == NULL ? "auto" : how->algorithm, distance);
    return WRONG;
}

static outcome run_forms(onnx_model *model, const operator_row *row)
{
    outcome result = RIGHT;
    for (int form = 0; result == RIGHT && form < FORM_COUNT; form++) {
        bool was_refused = false;
        result = run_graph(model, &(manner){(tensor_form)form, NULL}, row->tolerance, &was_refused);
    }
    return result;
}

static outcome run_algorithms(onnx_model *model, const operator_row *row)
{
    outcome result = RIGHT;
    for (int i = 0; result == RIGHT && i < ALGORITHMS; i++) {
        bool was_refused = false;
        const manner how = {FORM_BINARY, algorithms[i].name};
        result = run_graph(model, &how, row->tolerance, &was_refused);
        algorithms[i].refused += was_refused;
        algorithms[i].right += result == RIGHT && !was_refused;
    }
    return result;
}

static void check_case(void **state)
{
    onnx_case *const one = *state;
    onnx_model *const model = onnx_open(one->directory);
    assert_true(onnx_read_values(model));
    one->outcome = WRONG;
    one->outcome = run_forms(model, one->row);
    if (one->outcome == RIGHT && has_algorithms(one->row) && !service_is_foreign())
        one->outcome = run_algorithms(model, one->row);
    onnx_close(model);
    if (one->outcome == UNSAYABLE)
        skip();
    assert_int_equal(one->outcome, RIGHT);
}

/* ---- All cases ------------------------------------------------------------------------------- */

/* The first operator of the table that the graph has; NULL if it has none, or others too. */
static const operator_row *row_of(const char *directory)
{
    const operator_row *first = NULL;
    bool has_others = false;
    onnx_model *const model = onnx_open(directory);
    if (model == NULL)
        return NULL;
    for (size_t index = 0; index < onnx_node_count(model); index++) {
        const onnx_node node = {model, index};
        const operator_row *const row = operator_find(onnx_operator(&node));
        has_others = has_others || (row == NULL && !onnx_only_moves(&node));
        first = first != NULL ? first : row;
    }
    onnx_close(model);
    mixed += first != NULL && has_others;
    return has_others ? NULL : first;
}

static void add_case(const char *folder, const char *name)
{
    char directory[4096];
    snprintf(directory, sizeof directory, "%s/%s", folder, name);
    const operator_row *const row = row_of(directory);
    if (row == NULL)
        return;
    all.cases = realloc(all.cases, (all.count + 1) * sizeof *all.cases);
    if (all.cases == NULL)
        abort();
    char *const kept = strdup(directory);
    all.cases[all.count++] =
        (onnx_case){.directory = kept, .title = strrchr(kept, '/') + 1, .row = row};
}

static void walk(const char *root, const char *folder)
{
    char path[2048];
    struct dirent **entries = NULL;
    snprintf(path, sizeof path, "%s/%s", root, folder);
    const int count = scandir(path, &entries, NULL, alphasort);
    for (int index = 0; index < count; index++) {
        if (entries[index]->d_name[0] != '.')
            add_case(path, entries[index]->d_name);
        free(entries[index]);
    }
    free((void *)entries);
}

static int count_cases(const operator_row *row, outcome wanted)
{
    int count = 0;
    for (size_t index = 0; index < all.count; index++)
        count += all.cases[index].row == row && all.cases[index].outcome == wanted;
    return count;
}

/* After them all, so that an operator cannot lose its cases without notice. */
static void every_operator_has_its_cases(void **state)
{
    (void)state;
    for (const operator_row *row = operators; row->name != NULL; row++) {
        const int right = count_cases(row, RIGHT), unsayable = count_cases(row, UNSAYABLE);
        print_message("%s: %d right in all forms, %d that %s cannot say\n", row->name, right,
                      unsayable, row->path);
        assert_true(right + (service_is_foreign() ? unsayable : 0) >= row->cases);
    }
    print_message("%d graphs have other operators too\n", mixed);
}

static void every_algorithm_has_cases(void **state)
{
    (void)state;
    if (service_is_foreign())
        skip();
    for (int i = 0; i < ALGORITHMS; i++) {
        print_message("Conv by %s: %d right, %d refused\n", algorithms[i].name, algorithms[i].right,
                      algorithms[i].refused);
        assert_true(algorithms[i].right > 0);
    }
}

static int run_all(void)
{
    struct CMUnitTest *const tests = calloc(all.count + 2, sizeof *tests);
    if (tests == NULL)
        abort();
    for (size_t index = 0; index < all.count; index++)
        tests[index] = (struct CMUnitTest){.name = all.cases[index].title,
                                           .test_func = check_case,
                                           .initial_state = &all.cases[index]};
    tests[all.count] = (struct CMUnitTest)cmocka_unit_test(every_operator_has_its_cases);
    tests[all.count + 1] = (struct CMUnitTest)cmocka_unit_test(every_algorithm_has_cases);
    const int failed = _cmocka_run_group_tests("onnx", tests, all.count + 2, NULL, NULL);
    free(tests);
    return failed;
}

int main(void)
{
    const char *const given = getenv("LAYERD_ONNX_DATA");
    const char *const root = given != NULL ? given : "/usr/share/libonnx-testdata/data";
    for (size_t index = 0; index < sizeof folders / sizeof *folders; index++)
        walk(root, folders[index]);
    service_set_arguments((const char *const[]){"--max-axis", LONGEST_AXIS, NULL});
    const int failed = run_all() + service_stop();
    for (size_t index = 0; index < all.count; index++)
        free(all.cases[index].directory);
    free(all.cases);
    return failed;
}
