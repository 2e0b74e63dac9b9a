/* Requests that make no sense: each gets its status and a whole problem, and a good request right
 * after is answered.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *method, *path, *header;
    const char *body;
    int status;
    const char *pointer; /* "" when there must be none */
    const char *detail;  /* parts that the sentence holds, separated by '|' */
} error_row;

#define CONV "/v1/conv"
#define INIT "/v1/initialize"

static const error_row syntax_rows[] = {
    {NULL, CONV, NULL, "{", 400, "", "line 1|column 2"},
    {NULL, CONV, NULL, "{\"input\":[1,2],\n \"weight\":[1,]}", 400, "", "line 2|column 14"},
    {NULL, CONV, NULL, "{\"input\":[01]}", 400, "", "line 1|column"},
    {NULL, CONV, NULL, "{\"input\":[1.]}", 400, "", "line 1|column"},
    {NULL, CONV, NULL, "{\"input\":[.5]}", 400, "", "line 1|column"},
    {NULL, CONV, NULL, "{\"input\":[NaN]}", 400, "", "line 1|column"},
    {NULL, CONV, NULL, "{\"input\":[1] /* a comment */}", 400, "", "line 1|column"},
    {NULL, CONV, NULL, "{\"mode\":\"a\tb\"}", 400, "", "line 1|column"},
    {NULL, CONV, NULL, "{\"mode\":\"\\x\"}", 400, "", "line 1|column"},
    {NULL, CONV, NULL, "{\"input\":[1]} {}", 400, "", "line 1|column"},
    {NULL, CONV, NULL, "{\"mode\":\"\xff\"}", 400, "", "UTF-8"},
    {NULL, CONV, NULL, "{\"mode\":\"\xc0\xaf\"}", 400, "", "UTF-8"},
    {NULL, CONV, NULL, "[1,2]", 400, "", "object"},
    {NULL, CONV, NULL, "3", 400, "", "object"},
    {NULL, CONV, NULL, "null", 400, "", "object"},
    {NULL, CONV, NULL, " ", 400, "", NULL},
};

static const error_row sense_rows[] = {
    {NULL, CONV, NULL, "{}", 422, NULL, "input"},
    {NULL, CONV, NULL, "{\"input\":[[1]]}", 422, NULL, "weight"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"stride\":2}", 422, "/stride",
     "strides"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"padding\":2}", 422, "/padding", "pads"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"groups\":2}", 422, "/groups", "group"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"kernel_size\":2}", 422, "/kernel_size",
     "kernel_shape"},
    {NULL, CONV, NULL, "{\"input\":\"x\",\"weight\":[[1]]}", 422, "/input", "nested arrays"},
    {NULL, CONV, NULL, "{\"input\":[[1,2],[3]],\"weight\":[[1]]}", 422, NULL, NULL},
    {NULL, CONV, NULL, "{\"input\":[[1,\"2\"]],\"weight\":[[1]]}", 422, NULL, NULL},
    {NULL, CONV, NULL, "{\"input\":[[1e39]],\"weight\":[[1]]}", 422, NULL, NULL},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"input\":[[2]]}", 422, "/input", NULL},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1,2],[3,4]]}", 422, "/weight", "2x2|1x1"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"strides\":0}", 422, "/strides", "1"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"strides\":[1,2,3]}", 422, "/strides",
     NULL},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"strides\":1.5}", 422, "/strides",
     "integer"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"pads\":[1,1]}", 422, "/pads", "4"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"auto_pad\":\"SAME\"}", 422, "/auto_pad",
     "SAME_UPPER"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"auto_pad\":\"VALID\",\"pads\":1}", 422,
     NULL, "pads|auto_pad"},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"bias\":[1,2]}", 422, "/bias", NULL},
    {NULL, CONV, NULL, "{\"input\":[[1]],\"weight\":[[1]],\"group\":3}", 422, "/group", "3"},
    {NULL, CONV, NULL, "{\"input\":{\"shape\":[2,2],\"data\":[1,2,3]},\"weight\":[[1]]}", 422, NULL,
     "4|3"},
    {NULL, CONV, NULL,
     "{\"input\":{\"shape\":[1,1],\"datatype\":\"FP64\",\"data\":[1]},\"weight\":[[1]]}", 422, NULL,
     "FP32"},
    {NULL, CONV, NULL, "{\"input\":[[3e38]],\"weight\":[[10]]}", 422, NULL, "nonfinite"},
    {NULL, INIT, NULL, "{\"method\":\"xavier\",\"shape\":[3,3]}", 422, "/method", "xavier_normal"},
    {NULL, INIT, NULL, "{\"method\":\"orthogonal\"}", 422, NULL, "shape"},
    {NULL, INIT, NULL, "{\"method\":\"orthogonal\",\"shape\":[3,0]}", 422, NULL, NULL},
    {NULL, INIT, NULL, "{\"method\":\"orthogonal\",\"shape\":[3]}", 422, NULL, "rank"},
};

static const error_row head_rows[] = {
    {NULL, "/", NULL, NULL, 404, "", NULL},
    {NULL, "/v1/convolve", NULL, "{}", 404, "", "/v1/convolve"},
    {NULL, "/v1/conv/", NULL, "{}", 404, "", NULL},
    {NULL, "/v3/health/live", NULL, NULL, 404, "", NULL},
    {NULL, CONV, "Content-Type: text/plain", "{}", 415, "", "application/json"},
    {NULL, CONV, "Content-Type: application/x-www-form-urlencoded", "{}", 415, "",
     "application/json"},
    {NULL, CONV, "Content-Type: application/octet-stream", "{}", 415, "",
     "Inference-Header-Content-Length"},
};

static void check_row(const error_row *row)
{
    const http_request request = {.method = row->method,
                                  .path = row->path,
                                  .headers = row->header != NULL ? HTTP_HEADERS(row->header) : NULL,
                                  .body = row->body};
    http_reply reply = http_send(service_url(), &request);
    print_message("%s %s\n", row->path, row->body != NULL ? row->body : "");
    expect_problem(&reply, row->status, row->pointer, row->detail);
    http_free(&reply);
    expect_good(service_url());
}

#define CHECK_ROWS(rows)                                                                           \
    for (size_t index = 0; index < sizeof(rows) / sizeof *(rows); index++)                         \
    check_row(&(rows)[index])

static void text_that_is_not_json_is_400_with_its_place(void **state)
{
    (void)state;
    CHECK_ROWS(syntax_rows);
}

static void json_without_sense_is_422_with_its_field(void **state)
{
    (void)state;
    CHECK_ROWS(sense_rows);
}

static void heads_without_sense_are_404_or_415(void **state)
{
    (void)state;
    CHECK_ROWS(head_rows);
}

static void wrong_methods_are_405_with_allow(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *allow;
    } rows[] = {
        {"GET", CONV, "POST"},
        {"DELETE", CONV, "POST"},
        {"PUT", INIT, "POST"},
        {"PATCH", CONV, "POST"},
        {"POST", "/v1", "GET"},
        {"POST", "/openapi.json", "GET"},
        {"POST", "/v2", "GET"},
        {"POST", "/v2/health/ready", "GET"},
        {"PUT", "/v2/health/live", "GET"},
        {"POST", "/metrics", "GET"},
    };
    for (size_t index = 0; index < sizeof rows / sizeof *rows; index++) {
        const bool sends = strcmp(rows[index].method, "GET") != 0;
        http_reply reply = http_send(service_url(), &(http_request){.method = rows[index].method,
                                                                    .path = rows[index].path,
                                                                    .body = sends ? "{}" : NULL});
        print_message("%s %s\n", rows[index].method, rows[index].path);
        expect_problem(&reply, 405, "", NULL);
        const char *const allow = http_header(&reply, "Allow");
        assert_non_null(allow);
        assert_non_null(strstr(allow, rows[index].allow));
        http_free(&reply);
        expect_good(service_url());
    }
}

/* Sends one input cell and a binary weight whose framing is as told. */
static void check_framing(const char *length, const char *json, size_t bytes, int status,
                          const char *detail)
{
    char header[100], body[1024] = {0};
    snprintf(header, sizeof header, "Inference-Header-Content-Length: %s", length);
    strcpy(body, json);
    const http_request request = {
        .path = CONV,
        .headers = HTTP_HEADERS("Content-Type: application/octet-stream", header),
        .body = body,
        .body_size = strlen(json) + bytes};
    http_reply reply = http_send(service_url(), &request);
    print_message("%s: %s + %zu bytes\n", length, json, bytes);
    if (status == 200)
        expect_status(&reply, 200);
    else
        expect_problem(&reply, status, NULL, detail);
    http_free(&reply);
    expect_good(service_url());
}

static void bad_binary_framing_is_400(void **state)
{
    (void)state;
    static const char json[] =
        "{\"input\":[[1]],\"weight\":{\"shape\":[1,1],\"datatype\":\"FP32\",\"parameters\":"
        "{\"binary_data_size\":4}}}";
    char size[32], more[32];
    snprintf(size, sizeof size, "%zu", sizeof json - 1);
    snprintf(more, sizeof more, "%zu", sizeof json + 100);
    check_framing(size, json, 4, 200, NULL);
    check_framing(size, json, 3, 400, NULL);
    check_framing(size, json, 8, 400, NULL);
    check_framing(size, json, 0, 400, NULL);
    check_framing(more, json, 4, 400, NULL);
    check_framing("-1", json, 4, 400, NULL);
    check_framing("0", json, 4, 400, NULL);
    check_framing("many", json, 4, 400, NULL);
    check_framing("99999999999999999999999", json, 4, 400, NULL);
}

static void binary_sizes_that_do_not_fit_the_shape_are_refused(void **state)
{
    (void)state;
    static const char json[] =
        "{\"input\":[[1]],\"weight\":{\"shape\":[1,2],\"datatype\":\"FP32\",\"parameters\":"
        "{\"binary_data_size\":4}}}";
    char size[32];
    snprintf(size, sizeof size, "%zu", sizeof json - 1);
    check_framing(size, json, 4, 422, "8|4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_not_json_is_400_with_its_place),
        cmocka_unit_test(json_without_sense_is_422_with_its_field),
        cmocka_unit_test(heads_without_sense_are_404_or_415),
        cmocka_unit_test(wrong_methods_are_405_with_allow),
        cmocka_unit_test(bad_binary_framing_is_400),
        cmocka_unit_test(binary_sizes_that_do_not_fit_the_shape_are_refused),
    };
    return service_run_tests(tests);
}
