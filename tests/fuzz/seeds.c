/* Writes what fuzzers begin with, from the cases: seeds FOLDER. Folders respond, reader, framing
 * and http have a file for each case; the file `dictionary` has all names and words that stand in
 * them. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "support/cases.h"
#include "support/tensor_forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;

typedef struct {
    char *text;
    size_t size;
} seed;

static void add(seed *to, const void *data, size_t size)
{
    text_append(&to->text, &to->size, data, size);
}

static void add_text(seed *to, const char *text)
{
    add(to, text, strlen(text));
}

/* Writes it and forgets it. */
static void write_seed(const char *target, size_t number, seed *what)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%04zu", folder, target, number);
    FILE *const file = fopen(path, "wb");
    if (file == NULL || fwrite(what->text, 1, what->size, file) != what->size ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    free(what->text);
    *what = (seed){0};
}

/* ---- As JSON ---- */

static void write_json_seeds(const test_case *one, size_t number)
{
    char head[256];
    seed text = {0};
    snprintf(head, sizeof head, "POST %s\napplication/json\n\n", one->path);
    add_text(&text, head);
    add_text(&text, one->request);
    write_seed("respond", number, &text);
    add_text(&text, one->request);
    write_seed("reader", number, &text);
    snprintf(head, sizeof head,
             "0POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n",
             one->path, strlen(one->request));
    add_text(&text, head);
    add_text(&text, one->request);
    write_seed("http", number, &text);
}

/* ---- In the binary form ---- */

static char operation_letter(const char *path)
{
    size_t operation = 0;
    while (operation < api_operation_count() &&
           strcmp(path + strlen("/v1/"), api_operation_name(operation)) != 0)
        operation++;
    return (char)('a' + operation);
}

static void write_binary_seed(const test_case *one, size_t number)
{
    static const char *const tensors[] = {"input",       "weight",  "bias",
                                          "grad_output", "indices", NULL};
    const char letters[] = {operation_letter(one->path), '=', '\0'};
    cJSON *const original = cJSON_Parse(one->request);
    tensor_request request;
    const bool converted =
        cJSON_IsObject(original) && tensor_request_from(&request, FORM_BINARY, original, tensors);
    if (converted) {
        tensor_request_close(&request, one->path);
        const size_t json_size = request.json_size - request.bytes_size;
        seed text = {0};
        add_text(&text, letters);
        add(&text, request.json, json_size);
        add(&text, "", 1);
        add(&text, request.json + json_size, request.bytes_size);
        write_seed("framing", number, &text);
    }
    if (cJSON_IsObject(original))
        tensor_request_free(&request);
    cJSON_Delete(original);
}

/* ---- What HTTP has beside ---- */

#define POST "POST /v1/conv HTTP/1.1\r\nHost: a\r\n"
#define BODY "{\"input\":[[1,2],[3,4]],\"weight\":[[1]]}"

static void write_http_seeds(size_t number)
{
    static const char *const texts[] = {
        "0GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "0HEAD /openapi.json HTTP/1.1\r\nHost: a\r\nX-Request-Id: b\r\n\r\n",
        "0GET /metrics HTTP/1.1\r\nHost: a\r\n\r\nGET /v2/health/ready HTTP/1.1\r\nHost: a\r\n\r\n",
        "0OPTIONS /v1/conv HTTP/1.1\r\nHost: a\r\n\r\n",
        "0GET http://a/v1 HTTP/1.0\r\n\r\n",
        "1GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        "0" POST "Content-Length: 37\r\n\r\n" BODY POST "Content-Length: 37\r\n\r\n" BODY,
        "0" POST "Transfer-Encoding: chunked\r\n\r\n25\r\n" BODY "\r\n0\r\n\r\n",
        "7" POST "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"inp\r\n0\r\nA: b\r\n\r\n",
        "0" POST "Expect: 100-continue\r\nContent-Length: 37\r\n\r\n" BODY,
        "0" POST "Transfer-Encoding: chunked\r\nContent-Length: 37\r\n\r\n" BODY,
        "0" POST "Content-Length: 99999999\r\n\r\n" BODY,
        "0" POST "Content-Length: 37\r\nX-Request-Timeout: 0.000001\r\n\r\n" BODY,
        "0" POST "Content-Length: 37\r\nConnection: close\r\n\r\n" BODY,
        "0" POST
        "Content-Length: 37\r\nAuthorization: Bearer a\r\nContent-Encoding: gzip\r\n\r\n" BODY,
        "0" POST "Content-Type: application/octet-stream\r\n"
        "Inference-Header-Content-Length: 37\r\nContent-Length: 41\r\n\r\n" BODY "abcd",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        seed text = {0};
        add_text(&text, texts[i]);
        write_seed("http", number + i, &text);
    }
}

/* ---- Words ---- */

/* libFuzzer's form: "text", quotes and backslashes escaped. */
static void write_word(FILE *file, const char *before, const char *word, const char *after)
{
    fprintf(file, "\"");
    for (const char *at = before; *at != '\0'; at++)
        fprintf(file, *at == '"' ? "\\\"" : "%c", *at);
    for (const char *at = word; *at != '\0'; at++)
        fprintf(file, *at < ' ' || *at > '~' || *at == '"' || *at == '\\' ? "\\x%02X" : "%c",
                (unsigned char)*at);
    for (const char *at = after; *at != '\0'; at++)
        fprintf(file, *at == '"' ? "\\\"" : "%c", *at);
    fprintf(file, "\"\n");
}

static void write_words(FILE *file, const cJSON *json)
{
    if (json->string != NULL)
        write_word(file, "\"", json->string, "\":");
    if (cJSON_IsString(json) && strlen(json->valuestring) < 64)
        write_word(file, "\"", json->valuestring, "\"");
    const cJSON *item;
    cJSON_ArrayForEach(item, json) write_words(file, item);
}

static void write_dictionary(const test_cases *cases)
{
    static const char *const words[] = {"65536",
                                        "2147483647",
                                        "-1",
                                        "1e38",
                                        "16777217",
                                        "0.5",
                                        "1e-45",
                                        "null",
                                        "true",
                                        "[]",
                                        "[[]]",
                                        "[[[[",
                                        "GET ",
                                        "HTTP/1.1",
                                        "chunked",
                                        "Host: a",
                                        "{}",
                                        "\\x0D\\x0A",
                                        "binary_data_size",
                                        "Transfer-Encoding: chunked\\x0D\\x0A",
                                        "Content-Length: ",
                                        "Inference-Header-Content-Length: ",
                                        "Expect: 100-continue\\x0D\\x0A"};
    char path[4096];
    snprintf(path, sizeof path, "%s/dictionary", folder);
    FILE *const file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        fprintf(file, "\"%s\"\n", words[i]);
    for (size_t i = 0; i < cases->count; i++) {
        cJSON *const json = cJSON_Parse(cases->cases[i].request);
        write_word(file, "", cases->cases[i].path, "");
        if (json != NULL)
            write_words(file, json);
        cJSON_Delete(json);
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seeds FOLDER\n");
        return 2;
    }
    folder = argv[1];
    test_cases cases = cases_load();
    for (size_t i = 0; i < cases.count; i++) {
        write_json_seeds(&cases.cases[i], i);
        write_binary_seed(&cases.cases[i], i);
    }
    write_http_seeds(cases.count);
    write_dictionary(&cases);
    cases_free(&cases);
    return 0;
}
