/* layerd from C, with libcurl and cJSON: cc conv_client.c -lcurl -lcjson -lm && ./a.out
 * SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    long status;
    char type[64];
    size_t json_length; /* in the binary form the floats begin here */
    size_t size;
    char body[4096];
} answer;

static size_t receive(char *bytes, size_t one, size_t size, void *context)
{
    answer *const reply = context;
    if (size >= sizeof reply->body - reply->size)
        return 0;
    memcpy(reply->body + reply->size, bytes, size);
    reply->size += size;
    return one * size;
}

/* A GET without a body, a POST with one; `headers` are freed. */
static answer call(const char *path, const void *body, size_t size, struct curl_slist *headers)
{
    answer reply = {0};
    char url[256];
    const char *const base = getenv("LAYERD_URL"), *type = NULL;
    struct curl_header *length;
    snprintf(url, sizeof url, "%s%s", base != NULL ? base : "http://127.0.0.1:8080", path);
    CURL *const curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    snprintf(reply.type, sizeof reply.type, "%s", type != NULL ? type : "");
    if (curl_easy_header(curl, "Inference-Header-Content-Length", 0, CURLH_HEADER, -1, &length) ==
        CURLHE_OK)
        reply.json_length = strtoul(length->value, NULL, 10);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return reply;
}

static answer post(const char *path, const char *json)
{
    return call(path, json, strlen(json),
                curl_slist_append(NULL, "Content-Type: application/json"));
}

/* A field of the reply as text, to be freed; "null" if there is none. */
static char *field(const answer *reply, const char *name)
{
    cJSON *const json = cJSON_Parse(reply->body);
    const cJSON *const item = cJSON_GetObjectItemCaseSensitive(json, name);
    char *const text = item != NULL ? cJSON_PrintUnformatted(item) : strdup("null");
    cJSON_Delete(json);
    return text;
}

static void check(const char *what, int good, const char *seen)
{
    printf("%s %s: %s\n", good ? "ok" : "FAIL", what, seen);
    if (!good)
        exit(1);
}

static void convolve_json(void)
{
    const answer reply =
        post("/v1/conv", "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2],[3,4]]}");
    char *const output = field(&reply, "output");
    check("conv, JSON", strcmp(output, "[[37,47],[67,77]]") == 0, output);
    free(output);
}

/* Little-endian floats behind the JSON, whose length a header gives, both ways. */
static void convolve_binary(void)
{
    static const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4};
    char body[1024], length[64], seen[128];
    const size_t json_length = (size_t)snprintf(body, sizeof body, "%s",
                                                "{\"input\":{\"shape\":[3,3],\"datatype\":\"FP32\","
                                                "\"parameters\":{\"binary_data_size\":36}},"
                                                "\"weight\":{\"shape\":[2,2],\"datatype\":\"FP32\","
                                                "\"parameters\":{\"binary_data_size\":16}}}");
    memcpy(body + json_length, numbers, sizeof numbers); /* on a little-endian machine */
    snprintf(length, sizeof length, "Inference-Header-Content-Length: %zu", json_length);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/octet-stream");
    const answer reply =
        call("/v1/conv", body, json_length + sizeof numbers, curl_slist_append(headers, length));
    float output[4] = {0};
    if (reply.size - reply.json_length == sizeof output)
        memcpy(output, reply.body + reply.json_length, sizeof output);
    snprintf(seen, sizeof seen, "%g %g %g %g", output[0], output[1], output[2], output[3]);
    check("conv, binary", strcmp(seen, "37 47 67 77") == 0, seen);
}

static void initialize(void)
{
    const char *const request = "{\"method\":\"xavier_uniform\",\"shape\":[2,3],\"seed\":1}";
    const answer first = post("/v1/initialize", request), again = post("/v1/initialize", request);
    char *const weight = field(&first, "weight"), *const other = field(&again, "weight"),
                *const bound = field(&first, "bound");
    double w[6] = {0};
    const int count =
        sscanf(weight, "[[%lf,%lf,%lf],[%lf,%lf,%lf]]", &w[0], &w[1], &w[2], &w[3], &w[4], &w[5]);
    int good = count == 6 && strcmp(weight, other) == 0;
    for (int i = 0; i < 6; i++)
        good = good && fabs(w[i]) <= strtod(bound, NULL);
    check("initialize", good, weight);
    free(weight);
    free(other);
    free(bound);
}

static void make_a_mistake(void)
{
    const answer reply = post(
        "/v1/conv", "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2],[3,4]],\"stride\":2}");
    char *const pointer = field(&reply, "pointer"), *const detail = field(&reply, "detail");
    check("a mistake",
          reply.status == 422 && strcmp(reply.type, "application/problem+json") == 0 &&
              strcmp(pointer, "\"/stride\"") == 0 && strstr(detail, "strides") != NULL,
          detail);
    free(pointer);
    free(detail);
}

int main(void)
{
    const answer ready = call("/v2/health/ready", NULL, 0, NULL);
    check("ready", ready.status == 200, ready.status == 200 ? "200" : "not yet");
    convolve_json();
    convolve_binary();
    initialize();
    make_a_mistake();
}
