/* Tensors in their three forms, and the binary framing, through the whole service.
 * SPDX-License-Identifier: MIT */
#include "support/service.h"
#include "tensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BINARY(shape, size)                                                                        \
    "{\"shape\":" shape ",\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":" #size "}}"

static void expect_body(const api_response *reply, const char *part)
{
    char text[2048];
    snprintf(text, sizeof text, "%.*s", (int)reply->body_size, (const char *)reply->body);
    if (reply->status != 200 || strstr(text, part) == NULL)
        fail_msg("%s, expected %s", text, part);
}

static void expect_problem(const api_response *reply, int status, const char *pointer,
                           const char *detail)
{
    cJSON *const json = service_read(reply);
    const cJSON *const found = cJSON_GetObjectItem(json, "pointer");
    assert_int_equal(reply->status, status);
    assert_string_equal(cJSON_GetObjectItem(json, "detail")->valuestring, detail);
    if (pointer == NULL)
        assert_null(found);
    else
        assert_string_equal(found->valuestring, pointer);
    cJSON_Delete(json);
}

static void bytes_follow_in_the_order_of_the_json(void **state)
{
    (void)state;
    test_service service = service_open();
    const float bytes[] = {10, 1, 2, 3}; /* the weight stands first */
    const api_response reply = service_post_binary(
        &service, "/v1/conv",
        "{\"weight\":" BINARY("[1]", 4) ",\"output_format\":\"nested\",\"input\":" BINARY("[3]",
                                                                                          12) "}",
        bytes, sizeof bytes);
    expect_body(&reply, "\"output\":[10,20,30]");
    service_close(&service);
}

static void binary_is_answered_in_binary(void **state)
{
    (void)state;
    test_service service = service_open();
    const float bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4};
    const float expected[] = {37, 47, 67, 77};
    const api_response reply = service_post_binary(
        &service, "/v1/conv",
        "{\"input\":" BINARY("[3,3]", 36) ",\"weight\":" BINARY("[2,2]", 16) "}", bytes,
        sizeof bytes);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.content_type, "application/octet-stream");
    assert_int_equal(reply.tensor_count, 1);
    assert_int_equal(reply.tensors->size, sizeof expected);
    assert_memory_equal(reply.tensors->bytes, expected, sizeof expected);
    cJSON *const json = service_read(&reply);
    char *const output = cJSON_PrintUnformatted(cJSON_GetObjectItem(json, "output"));
    assert_string_equal(output, BINARY("[2,2]", 16));
    cJSON_free(output);
    cJSON_Delete(json);
    service_close(&service);
}

/* Blanks move the bytes behind the JSON to every address modulo four. */
static void bytes_may_lie_anywhere(void **state)
{
    (void)state;
    test_service service = service_open();
    const float bytes[] = {1, 2, 10};
    for (int blanks = 0; blanks < 4; blanks++) {
        char json[256];
        snprintf(json, sizeof json, "{\"input\":%s,%*s\"weight\":%s,\"output_format\":\"flat\"}",
                 BINARY("[2]", 8), blanks, "", BINARY("[1]", 4));
        const api_response reply =
            service_post_binary(&service, "/v1/conv", json, bytes, sizeof bytes);
        expect_body(&reply, "\"data\":[10,20]");
        assert_int_equal(reply.tensor_count, 0);
    }
    service_close(&service);
}

static void forms_may_be_mixed(void **state)
{
    (void)state;
    test_service service = service_open();
    const float bytes[] = {10};
    const api_response reply = service_post_binary(
        &service, "/v1/conv", "{\"input\":[[1,2],[3,4]],\"weight\":" BINARY("[1,1]", 4) "}", bytes,
        sizeof bytes);
    expect_body(&reply, "\"output\":[[10,20],[30,40]]");
    service_close(&service);
}

static void binary_carries_infinities_and_nan(void **state)
{
    (void)state;
    test_service service = service_open();
    const float bytes[] = {INFINITY, -INFINITY, NAN, 1};
    static const char json[] = "{\"input\":" BINARY("[3]", 12) ",\"weight\":" BINARY("[1]", 4);
    char text[512];
    snprintf(text, sizeof text, "%s}", json);
    api_response reply = service_post_binary(&service, "/v1/conv", text, bytes, sizeof bytes);
    float output[3];
    assert_int_equal(reply.status, 200);
    memcpy(output, reply.tensors->bytes, sizeof output);
    assert_true(output[0] == INFINITY && output[1] == -INFINITY && isnan(output[2]));
    snprintf(text, sizeof text, "%s%s}", json,
             ",\"output_format\":\"nested\",\"nonfinite\":\"string\"");
    reply = service_post_binary(&service, "/v1/conv", text, bytes, sizeof bytes);
    expect_body(&reply, "\"output\":[\"Infinity\",\"-Infinity\",\"NaN\"]");
    snprintf(text, sizeof text, "%s%s}", json,
             ",\"output_format\":\"flat\",\"nonfinite\":\"null\"");
    reply = service_post_binary(&service, "/v1/conv", text, bytes, sizeof bytes);
    expect_body(&reply, "\"data\":[null,null,null]");
    service_close(&service);
}

static void what_json_cannot_write_is_told_by_its_place(void **state)
{
    (void)state;
    test_service service = service_open();
    const float bytes[] = {1, NAN, INFINITY, 1};
    const api_response reply = service_post_binary(
        &service, "/v1/conv",
        "{\"input\":" BINARY("[3]", 12) ",\"weight\":" BINARY("[1]", 4) ",\"output_format\":"
                                                                        "\"nested\"}",
        bytes, sizeof bytes);
    expect_problem(&reply, 422, "/nonfinite",
                   "element 1 of output is NaN, which JSON cannot write: give nonfinite, or "
                   "output_format binary");
    service_close(&service);
}

static void bad_framing_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t size;
        const char *pointer, *detail;
    } rows[] = {
        {"{\"input\":" BINARY("[2]", 8) ",\"weight\":[1]}", 4, "/input",
         "bad binary framing: the tensor takes 8 bytes, there are 4"},
        {"{\"input\":" BINARY("[2]", 8) ",\"weight\":[1]}", 12, NULL,
         "bad binary framing: 4 bytes follow the JSON that no tensor takes"},
        {"{\"input\":[1],\"weight\":[1]}", 1, NULL,
         "bad binary framing: 1 bytes follow the JSON that no tensor takes"},
        {"{\"input\":" BINARY("[2]", 8) ",\"weight\":" BINARY("[1]", 4) "}", 8, "/weight",
         "bad binary framing: the tensor takes 4 bytes, there are 0"},
    };
    test_service service = service_open();
    const float bytes[4] = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const api_response reply =
            service_post_binary(&service, "/v1/conv", rows[i].json, bytes, rows[i].size);
        expect_problem(&reply, 400, rows[i].pointer, rows[i].detail);
    }
    service_close(&service);
}

static void sizes_that_do_not_fit_the_shape_are_refused(void **state)
{
    (void)state;
    test_service service = service_open();
    const float bytes[2] = {0};
    api_response reply =
        service_post_binary(&service, "/v1/conv", "{\"input\":" BINARY("[1]", 8) ",\"weight\":[1]}",
                            bytes, sizeof bytes);
    expect_problem(&reply, 422, "/input/parameters/binary_data_size",
                   "binary_data_size is 8; the shape 1 takes 4 bytes");
    reply = service_post_binary(&service, "/v1/conv",
                                "{\"input\":{\"shape\":[1],\"parameters\":{}},\"weight\":[1]}",
                                bytes, 4);
    expect_problem(&reply, 422, "/input/parameters/binary_data_size",
                   "missing field \"binary_data_size\"");
    service_close(&service);
}

static void frames_longer_than_the_body_are_refused(void **state)
{
    (void)state;
    test_service service = service_open();
    api_request request = {.method = "POST",
                           .path = "/v1/conv",
                           .content_type = "application/octet-stream",
                           .json_length = "27",
                           .body = "{\"input\":[1],\"weight\":[1]}",
                           .body_size = 26};
    api_response reply = service_send(&service, &request);
    expect_problem(&reply, 400, NULL, "bad binary framing: the JSON takes 27 bytes, there are 26");
    request.json_length = "26";
    reply = service_send(&service, &request);
    expect_body(&reply, "\"output\":[1]");
    request.json_length = "0";
    assert_int_equal(service_send(&service, &request).status, 400);
    static const char *const lengths[] = {
        "", "-1", "+26", " 26", "26 ", "0x1a", "many", "2.6e1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        request.json_length = lengths[i];
        reply = service_send(&service, &request);
        expect_problem(&reply, 400, NULL,
                       "bad binary framing: Inference-Header-Content-Length is not a number of "
                       "bytes");
    }
    service_close(&service);
}

static void json_with_a_frame_of_its_own_is_json(void **state)
{
    (void)state;
    test_service service = service_open();
    const api_response reply =
        service_send(&service, &(api_request){.method = "POST",
                                              .path = "/v1/conv",
                                              .content_type = "application/json",
                                              .json_length = "26",
                                              .body = "{\"input\":[2],\"weight\":[3]}",
                                              .body_size = 26});
    expect_body(&reply, "\"output\":[6]");
    service_close(&service);
}

static void large_shapes_are_refused_before_their_data(void **state)
{
    (void)state;
    test_service service = service_open();
    service.limits.tensor_elements = 1000;
    api_response reply = service_post(
        &service, "/v1/conv",
        "{\"input\":{\"shape\":[65536,65536,65536,65536,65536],\"data\":[1]},\"weight\":[1]}");
    expect_problem(&reply, 413, "/input",
                   "the limit of a tensor is 1000 elements; input of shape "
                   "65536x65536x65536x65536x65536 has 1208925819614629174706176");
    reply = service_post(&service, "/v1/conv",
                         "{\"input\":{\"shape\":[7,11,13],\"data\":[1]},\"weight\":[1]}");
    expect_problem(&reply, 413, "/input",
                   "the limit of a tensor is 1000 elements; input of shape 7x11x13 has 1001");
    service_close(&service);
}

static void long_axes_are_refused(void **state)
{
    (void)state;
    test_service service = service_open();
    service.limits.tensor_axis = 3;
    api_response reply = service_post(&service, "/v1/conv", "{\"input\":[1,2,3,4],\"weight\":[1]}");
    expect_problem(&reply, 413, "/input", "the limit of an axis is 3; input has shape 4");
    reply = service_post(&service, "/v1/conv",
                         "{\"input\":{\"shape\":[1,4],\"data\":[1,2,3,4]},\"weight\":[[1]]}");
    expect_problem(&reply, 413, "/input", "the limit of an axis is 3; input has shape 1x4");
    reply = service_post(&service, "/v1/conv", "{\"input\":[1,2,3],\"weight\":[1],\"pads\":1}");
    expect_problem(&reply, 413, NULL, "the limit of an axis is 3; output has shape 5");
    reply = service_post(&service, "/v1/conv", "{\"input\":[1,2,3],\"weight\":[1]}");
    expect_body(&reply, "\"output\":[1,2,3]");
    service_close(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_follow_in_the_order_of_the_json),
        cmocka_unit_test(binary_is_answered_in_binary),
        cmocka_unit_test(bytes_may_lie_anywhere),
        cmocka_unit_test(forms_may_be_mixed),
        cmocka_unit_test(binary_carries_infinities_and_nan),
        cmocka_unit_test(what_json_cannot_write_is_told_by_its_place),
        cmocka_unit_test(bad_framing_is_refused),
        cmocka_unit_test(sizes_that_do_not_fit_the_shape_are_refused),
        cmocka_unit_test(frames_longer_than_the_body_are_refused),
        cmocka_unit_test(json_with_a_frame_of_its_own_is_json),
        cmocka_unit_test(large_shapes_are_refused_before_their_data),
        cmocka_unit_test(long_axes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
