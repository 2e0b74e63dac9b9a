/* What tests expect of replies.
 * SPDX-License-Identifier: MIT */
#include "support/expect.h"

#include "support/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

const char LECTURE_REQUEST[] =
    "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2],[3,4]],\"output_format\":\"nested\"}";

static const struct {
    int status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

void expect_status(const http_reply *reply, long status)
{
    if (reply->result != CURLE_OK)
        fail_msg("no reply: %s", curl_easy_strerror(reply->result));
    if (reply->status != status)
        fail_msg("status %ld, not %ld: %.1000s", reply->status, status, reply->body);
}

static cJSON *parse(const http_reply *reply)
{
    const char *end = NULL;
    cJSON *const value = cJSON_ParseWithOpts(reply->body, &end, true);
    if (value == NULL)
        fail_msg("the body is not JSON: %.1000s", reply->body);
    return value;
}

cJSON *expect_json(const http_reply *reply)
{
    expect_status(reply, 200);
    const char *const type = http_header(reply, "Content-Type");
    if (type == NULL || strncmp(type, "application/json", 16) != 0)
        fail_msg("Content-Type is %s", type != NULL ? type : "missing");
    return parse(reply);
}

static const char *string_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void check_string(const cJSON *object, const char *name, const char *value)
{
    const char *const found = string_of(object, name);
    if (found == NULL || strcmp(found, value) != 0)
        fail_msg("\"%s\" is \"%s\", not \"%s\"", name, found != NULL ? found : "(none)", value);
}

static void expect_title(const cJSON *problem, int status)
{
    for (size_t row = 0; row < sizeof titles / sizeof *titles; row++)
        if (titles[row].status == status) {
            check_string(problem, "title", titles[row].title);
            return;
        }
    fail_msg("no title is known for status %d", status);
}

static void expect_parts(const char *sentence, const char *parts)
{
    char *const copy = strdup(parts);
    char *rest = copy;
    for (const char *part = strsep(&rest, "|"); part != NULL; part = strsep(&rest, "|"))
        if (strstr(sentence, part) == NULL) {
            print_error("the detail \"%s\" does not hold \"%s\"\n", sentence, part);
            free(copy);
            fail();
        }
    free(copy);
}

static void expect_pointer(const cJSON *problem, const char *pointer)
{
    if (pointer == NULL)
        return;
    if (*pointer != '\0')
        check_string(problem, "pointer", pointer);
    else if (cJSON_HasObjectItem(problem, "pointer"))
        fail_msg("an unexpected pointer \"%s\"", string_of(problem, "pointer"));
}

void expect_problem(const http_reply *reply, int status, const char *pointer, const char *detail)
{
    expect_status(reply, status);
    const char *const type = http_header(reply, "Content-Type");
    if (type == NULL || strncmp(type, "application/problem+json", 24) != 0)
        fail_msg("Content-Type is %s: %.200s", type != NULL ? type : "missing", reply->body);
    cJSON *const problem = parse(reply);
    check_string(problem, "type", "about:blank");
    expect_title(problem, status);
    const cJSON *const number = cJSON_GetObjectItemCaseSensitive(problem, "status");
    assert_true(cJSON_IsNumber(number));
    assert_int_equal(number->valueint, status);
    const char *const sentence = string_of(problem, "detail");
    assert_non_null(sentence);
    assert_true(strlen(sentence) > 0);
    check_string(problem, "error", sentence);
    expect_pointer(problem, pointer);
    if (detail != NULL)
        expect_parts(sentence, detail);
    cJSON_Delete(problem);
}

void expect_unavailable(const http_reply *reply, const char *detail)
{
    expect_problem(reply, 503, NULL, detail);
    const char *const after = http_header(reply, "Retry-After");
    if (after == NULL || strspn(after, "0123456789") != strlen(after) || atoi(after) < 1)
        fail_msg("Retry-After is %s", after != NULL ? after : "missing");
}

void expect_lecture(const http_reply *reply)
{
    cJSON *const answer = expect_json(reply);
    cJSON *const expected = cJSON_Parse("[[37,47],[67,77]]");
    if (!cJSON_Compare(cJSON_GetObjectItemCaseSensitive(answer, "output"), expected, true))
        fail_msg("the lecture's convolution is %.200s", reply->body);
    cJSON_Delete(expected);
    cJSON_Delete(answer);
}

static bool is_answered(void *url)
{
    http_reply reply = http_post(url, "/v1/conv", LECTURE_REQUEST);
    const bool answered = reply.status == 200;
    http_free(&reply);
    return answered;
}

void expect_good_soon(const char *url)
{
    assert_true(wait_until(is_answered, (void *)(uintptr_t)url));
}

void expect_good(const char *url)
{
    http_reply reply = http_post(url, "/v1/conv", LECTURE_REQUEST);
    expect_lecture(&reply);
    http_free(&reply);
}
