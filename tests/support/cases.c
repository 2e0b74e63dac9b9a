/* Test cases in files: an operation, a request, and what the reply must hold.
 * SPDX-License-Identifier: MIT */
#include "cases.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double DEFAULT_TOLERANCE = 1e-6;

/* ---- Loading --------------------------------------------------------------------------------- */

static _Noreturn void fail(const char *file, const char *what)
{
    fprintf(stderr, "%s: %s\n", file, what);
    exit(2);
}

static char *read_text(const char *file)
{
    FILE *const stream = fopen(file, "rb");
    if (stream == NULL)
        fail(file, "cannot be read");
    fseek(stream, 0, SEEK_END);
    const size_t size = (size_t)ftell(stream);
    rewind(stream);
    char *const text = malloc(size + 1);
    if (text == NULL || fread(text, 1, size, stream) != size)
        fail(file, "cannot be read");
    text[size] = '\0';
    fclose(stream);
    return text;
}

static cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Lets numbers be printed with all their digits: cJSON would stop after 15. */
static void keep_digits(cJSON *json)
{
    cJSON *item;
    if (cJSON_IsNumber(json)) {
        char text[32];
        snprintf(text, sizeof text, "%.17g", json->valuedouble);
        json->type = cJSON_Raw;
        json->valuestring = strcpy(cJSON_malloc(sizeof text), text);
    }
    cJSON_ArrayForEach(item, json) keep_digits(item);
}

static test_case read_case(const char *file, const cJSON *json)
{
    const cJSON *const operation = member(json, "operation");
    const cJSON *const status = member(json, "status");
    const cJSON *const tolerance = member(json, "tolerance");
    const cJSON *const name = member(json, "name");
    if (!cJSON_IsString(operation) || !cJSON_IsNumber(status) || !cJSON_IsString(name) ||
        member(json, "request") == NULL || !cJSON_IsObject(member(json, "reply")) ||
        !cJSON_IsString(member(json, "source")))
        fail(file, "a case needs name, source, operation, request, status and reply");
    keep_digits(member(json, "request"));
    test_case one = {
        .status = status->valueint,
        .tolerance = cJSON_IsNumber(tolerance) ? tolerance->valuedouble : DEFAULT_TOLERANCE,
        .request = cJSON_PrintUnformatted(member(json, "request")),
        .reply = cJSON_Duplicate(member(json, "reply"), true),
    };
    snprintf(one.name, sizeof one.name, "%s: %s", file, name->valuestring);
    snprintf(one.path, sizeof one.path, "/v1/%s", operation->valuestring);
    return one;
}

static void append(test_cases *cases, const char *file, const cJSON *json)
{
    cases->cases = realloc(cases->cases, (cases->count + 1) * sizeof *cases->cases);
    if (cases->cases == NULL)
        fail(file, "no memory");
    cases->cases[cases->count++] = read_case(file, json);
}

static void load_file(test_cases *cases, const char *file)
{
    char *const text = read_text(file);
    cJSON *const json = cJSON_ParseWithOpts(text, NULL, true);
    const cJSON *one;
    if (json == NULL)
        fail(file, "is not JSON");
    if (cJSON_IsArray(json))
        cJSON_ArrayForEach(one, json) append(cases, file, one);
    else
        append(cases, file, json);
    cJSON_Delete(json);
    free(text);
}

test_cases cases_load(void)
{
    test_cases cases = {0};
    char pattern[4096];
    glob_t found;
    const char *const folder = getenv("LAYERD_CASES");
    snprintf(pattern, sizeof pattern, "%s/*/*.json", folder != NULL ? folder : "tests/cases");
    if (glob(pattern, 0, NULL, &found) != 0)
        fail(pattern, "no such files");
    for (size_t i = 0; i < found.gl_pathc; i++)
        load_file(&cases, found.gl_pathv[i]);
    globfree(&found);
    return cases;
}

void cases_free(test_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        cJSON_free(cases->cases[i].request);
        cJSON_Delete(cases->cases[i].reply);
    }
    free(cases->cases);
    *cases = (test_cases){0};
}

/* ---- Comparing ------------------------------------------------------------------------------- */

typedef struct {
    double tolerance;
    char *message;
} comparison;

static bool differ(const comparison *how, const char *where, const cJSON *expected,
                   const cJSON *actual)
{
    char *const wanted = cJSON_PrintUnformatted(expected);
    char *const got = actual == NULL ? NULL : cJSON_PrintUnformatted(actual);
    snprintf(how->message, CASE_MESSAGE_SIZE, "%s is %.180s, expected %.180s", where,
             got == NULL ? "missing" : got, wanted);
    cJSON_free(wanted);
    cJSON_free(got);
    return false;
}

/* The largest magnitude of the numbers in nested arrays. */
static double magnitude(const cJSON *json)
{
    double largest = cJSON_IsNumber(json) ? fabs(json->valuedouble) : 0;
    const cJSON *item;
    if (cJSON_IsArray(json))
        cJSON_ArrayForEach(item, json) largest = fmax(largest, magnitude(item));
    return largest;
}

static bool agree(const comparison *how, const char *where, const cJSON *expected,
                  const cJSON *actual, double scale);

static bool arrays_agree(const comparison *how, const char *where, const cJSON *expected,
                         const cJSON *actual, double scale)
{
    const cJSON *wanted = expected->child;
    const cJSON *got = actual->child;
    for (int i = 0; wanted != NULL && got != NULL; i++, wanted = wanted->next, got = got->next) {
        char place[128];
        snprintf(place, sizeof place, "%.110s/%d", where, i);
        if (!agree(how, place, wanted, got, scale))
            return false;
    }
    return (wanted == NULL && got == NULL) || differ(how, where, expected, actual);
}

static bool objects_agree(const comparison *how, const char *where, const cJSON *expected,
                          const cJSON *actual)
{
    const cJSON *wanted;
    cJSON_ArrayForEach(wanted, expected)
    {
        char place[128];
        snprintf(place, sizeof place, "%.60s/%.60s", where, wanted->string);
        const cJSON *const got = member(actual, wanted->string);
        if (got == NULL)
            return differ(how, place, wanted, NULL);
        if (!agree(how, place, wanted, got, magnitude(wanted)))
            return false;
    }
    return true;
}

static bool agree(const comparison *how, const char *where, const cJSON *expected,
                  const cJSON *actual, double scale)
{
    if (cJSON_IsArray(expected) && cJSON_IsArray(actual))
        return arrays_agree(how, where, expected, actual, scale);
    if (cJSON_IsObject(expected) && cJSON_IsObject(actual))
        return objects_agree(how, where, expected, actual);
    if (cJSON_IsNumber(expected) && cJSON_IsNumber(actual)) {
        const double most = how->tolerance * (scale > 0 ? scale : 1);
        return fabs(expected->valuedouble - actual->valuedouble) <= most ||
               differ(how, where, expected, actual);
    }
    return cJSON_Compare(expected, actual, true) || differ(how, where, expected, actual);
}

bool case_accepts(const test_case *expected, int status, const char *body, size_t body_size,
                  char message[CASE_MESSAGE_SIZE])
{
    const comparison how = {expected->tolerance, message};
    if (status != expected->status) {
        snprintf(message, CASE_MESSAGE_SIZE, "status %d, expected %d: %.*s", status,
                 expected->status, (int)(body_size < 300 ? body_size : 300), body);
        return false;
    }
    cJSON *const json = cJSON_ParseWithLength(body, body_size);
    if (json == NULL) {
        snprintf(message, CASE_MESSAGE_SIZE, "the reply is not JSON");
        return false;
    }
    const bool accepted = agree(&how, "", expected->reply, json, 0);
    cJSON_Delete(json);
    return accepted;
}
