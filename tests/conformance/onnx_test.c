/* ONNX's own test cases, sent over HTTP in all three tensor forms.
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

typedef enum { RIGHT, WRONG, UNSAYABLE } outcome;

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
                           const char **why)
{
    if (reply->status == 200)
        return keep_outputs(node, row, reply);
    *why = reply->body;
    return reply->status == 413 && service_is_foreign() ? UNSAYABLE : WRONG;
}

static outcome send_node(const onnx_node *node, const operator_row *row, tensor_form form)
{
    tensor_request request = tensor_request_open(form);
    http_reply reply = {0};
    const char *why = row->say(&request, node);
    outcome result = UNSAYABLE;
    if (why == NULL) {
        const http_request closed = tensor_request_close(&request, row->path);
        reply = http_send(service_url(), &closed);
        result = judge_reply(node, row, &reply, &why);
    }
    if (why != NULL)
        print_message("%s, %s: %s: %.300s\n", row->path, TENSOR_FORM_NAMES[form],
                      result == WRONG ? "fails" : "cannot say it", why);
    http_free(&reply);
    tensor_request_free(&request);
    return result;
}

/* ---- A case ---------------------------------------------------------------------------------- */

static outcome run_nodes(onnx_model *model, tensor_form form)
{
    outcome result = RIGHT;
    for (size_t index = 0; result == RIGHT && index < onnx_node_count(model); index++) {
        const onnx_node node = {model, index};
        const operator_row *const row = operator_find(onnx_operator(&node));
        if (row != NULL)
            result = send_node(&node, row, form);
        else if (!onnx_move(&node))
            fail_msg("%s has other attributes than expected", onnx_operator(&node));
    }
    return result;
}

static outcome run_graph(onnx_model *model, tensor_form form, double tolerance)
{
    const outcome result = run_nodes(model, form);
    const double distance = result == RIGHT ? onnx_distance(model) : 0;
    if (distance <= tolerance)
        return result;
    print_error("%s: off by %g\n", TENSOR_FORM_NAMES[form], distance);
    return WRONG;
}

static void check_case(void **state)
{
    onnx_case *const one = *state;
    onnx_model *const model = onnx_open(one->directory);
    assert_true(onnx_read_values(model));
    one->outcome = WRONG;
    for (int form = 0; form < FORM_COUNT; form++) {
        one->outcome = run_graph(model, (tensor_form)form, one->row->tolerance);
        if (one->outcome != RIGHT)
            break;
    }
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

/* The last test, so that an operator cannot lose its cases without notice. */
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

static int run_all(void)
{
    struct CMUnitTest *const tests = calloc(all.count + 1, sizeof *tests);
    if (tests == NULL)
        abort();
    for (size_t index = 0; index < all.count; index++)
        tests[index] = (struct CMUnitTest){.name = all.cases[index].title,
                                           .test_func = check_case,
                                           .initial_state = &all.cases[index]};
    tests[all.count] = (struct CMUnitTest)cmocka_unit_test(every_operator_has_its_cases);
    const int failed = _cmocka_run_group_tests("onnx", tests, all.count + 1, NULL, NULL);
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
