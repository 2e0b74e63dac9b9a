/* Every case of tests/cases over HTTP, as JSON; convolutions in every form of their tensors too.
 * SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "support/cases.h"
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/tensor_forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void answer_every_case(const char *url)
{
    test_cases cases = cases_load();
    assert_true(cases.count > 0);
    int failed = 0;
    http_client *const client = http_open(url);
    for (size_t index = 0; index < cases.count; index++) {
        const test_case *const at = &cases.cases[index];
        char message[CASE_MESSAGE_SIZE] = "";
        http_reply reply =
            http_exchange(client, &(http_request){.path = at->path, .body = at->request});
        if (!case_accepts(at, (int)reply.status, reply.body, reply.body_size, message)) {
            print_error("%s: %s\n", at->name, message);
            failed++;
        }
        http_free(&reply);
    }
    print_message("%zu cases\n", cases.count);
    http_close(client);
    cases_free(&cases);
    assert_int_equal(failed, 0);
    expect_good(url);
}

static void every_case_is_answered(void **state)
{
    (void)state;
    answer_every_case(service_url());
}

static void every_case_is_answered_with_every_instruction_set(void **state)
{
    (void)state;
    static const char *const names[] = {"baseline", "avx2", "avx512"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int isa;
        if (!api_isa_find(names[i], &isa))
            continue;
        daemon_process *const daemon = daemon_with("--isa", names[i]);
        answer_every_case(daemon->url);
        char label[64];
        snprintf(label, sizeof label, "isa=\"%s\"", names[i]);
        http_reply metrics = http_get(daemon->url, "/metrics");
        assert_non_null(strstr(metrics.body, label));
        http_free(&metrics);
        daemon_stop(daemon);
    }
}

/* The case's request in another form; the tensor "output" of its reply. */
static bool send_in_form(http_client *client, const test_case *at, tensor_form form, tensor *output)
{
    static const char *const tensors[] = {"input", "weight", "bias", NULL};
    cJSON *const original = cJSON_Parse(at->request);
    cJSON_DeleteItemFromObjectCaseSensitive(original, "output_format");
    tensor_request request;
    bool answered = tensor_request_from(&request, form, original, tensors);
    const http_request closed = tensor_request_close(&request, at->path);
    http_reply reply = http_exchange(client, &closed);
    const bool framed = http_header(&reply, "Inference-Header-Content-Length") != NULL;
    answered = answered && reply.status == 200 && framed == (form == FORM_BINARY) &&
               tensor_read_reply(&reply, "output", output);
    if (!answered)
        print_error("%s as %s: status %ld, %.300s\n", at->name, TENSOR_FORM_NAMES[form],
                    reply.status, reply.body);
    http_free(&reply);
    tensor_request_free(&request);
    cJSON_Delete(original);
    return answered;
}

static bool is_equal(const tensor *left, const tensor *right)
{
    return left->rank == right->rank && left->count == right->count &&
           memcmp(left->extent, right->extent, left->rank * sizeof *left->extent) == 0 &&
           memcmp(left->data, right->data, left->count * sizeof *left->data) == 0;
}

static bool forms_agree(http_client *client, const test_case *at)
{
    tensor outputs[FORM_COUNT] = {0};
    bool agree = true;
    for (int form = 0; form < FORM_COUNT; form++)
        agree = send_in_form(client, at, (tensor_form)form, &outputs[form]) && agree;
    for (int form = 1; agree && form < FORM_COUNT; form++)
        if (!is_equal(&outputs[0], &outputs[form])) {
            print_error("%s: the %s form gives another output\n", at->name,
                        TENSOR_FORM_NAMES[form]);
            agree = false;
        }
    for (int form = 0; form < FORM_COUNT; form++)
        tensor_free(&outputs[form]);
    return agree;
}

/* An infinity that JSON writes as null is another thing in the binary form. */
static bool is_comparable(const test_case *at)
{
    return strcmp(at->path, "/v1/conv") == 0 && at->status == 200 &&
           cJSON_HasObjectItem(at->reply, "output") && strstr(at->request, "nonfinite") == NULL;
}

static void the_forms_of_tensors_agree(void **state)
{
    (void)state;
    test_cases cases = cases_load();
    int compared = 0, failed = 0;
    http_client *const client = http_open(service_url());
    for (size_t index = 0; index < cases.count; index++) {
        const test_case *const at = &cases.cases[index];
        if (!is_comparable(at))
            continue;
        failed += !forms_agree(client, at);
        compared++;
    }
    print_message("%d cases in %d forms\n", compared, FORM_COUNT);
    http_close(client);
    cases_free(&cases);
    assert_int_equal(failed, 0);
    assert_true(compared > 0);
}

/* The reply's form is that of the request's first tensor, unless it is asked for. */
static void the_output_form_is_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *format, *beginning;
    } rows[] = {
        {"nested", "[[37,47],[67,77]]"},
        {"flat", "{\"shape\":[2,2],"},
        {"binary", "{\"shape\":[2,2],"},
    };
    for (size_t index = 0; index < sizeof rows / sizeof *rows; index++) {
        cJSON *const request = cJSON_Parse(LECTURE_REQUEST);
        cJSON_ReplaceItemInObjectCaseSensitive(request, "output_format",
                                               cJSON_CreateString(rows[index].format));
        char *const text = cJSON_PrintUnformatted(request);
        http_reply reply = http_post(service_url(), "/v1/conv", text);
        expect_status(&reply, 200);
        assert_non_null(strstr(reply.body, rows[index].beginning));
        tensor output;
        assert_true(tensor_read_reply(&reply, "output", &output));
        assert_int_equal(output.count, 4);
        assert_true(output.data[0] == 37 && output.data[3] == 77);
        tensor_free(&output);
        http_free(&reply);
        free(text);
        cJSON_Delete(request);
    }
}

/* The same seed gives the same weights, in any form and at any time. */
static void initialization_is_reproducible(void **state)
{
    (void)state;
    static const char *const methods[] = {"xavier_normal", "xavier_uniform", "orthogonal"};
    static const char *const formats[] = {"nested", "flat", "binary"};
    for (size_t method = 0; method < 3; method++) {
        tensor first = {0};
        for (size_t round = 0; round < 6; round++) {
            char body[256];
            snprintf(body, sizeof body,
                     "{\"method\":\"%s\",\"shape\":[32,16,3,3],\"seed\":42,\"output_format\":"
                     "\"%s\"}",
                     methods[method], formats[round % 3]);
            http_reply reply = http_post(service_url(), "/v1/initialize", body);
            expect_status(&reply, 200);
            tensor weight;
            assert_true(tensor_read_reply(&reply, "weight", &weight));
            assert_int_equal(weight.count, 32 * 16 * 9);
            if (round == 0)
                first = weight;
            else
                assert_true(is_equal(&first, &weight));
            if (round > 0)
                tensor_free(&weight);
            http_free(&reply);
        }
        tensor_free(&first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_answered),
        daemon_test(every_case_is_answered_with_every_instruction_set),
        cmocka_unit_test(the_forms_of_tensors_agree),
        cmocka_unit_test(the_output_form_is_chosen),
        cmocka_unit_test(initialization_is_reproducible),
    };
    return service_run_tests(tests);
}
