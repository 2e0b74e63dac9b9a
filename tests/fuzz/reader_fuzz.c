/* The strict pass over JSON and the arrays of numbers that it lifts, held to cJSON: what it accepts
 * cJSON accepts, and the trees are the same. (cJSON accepts more.)
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "reader.h"

#include <math.h>
#include <string.h>

enum { MEMORY_SIZE = 4 << 20, MOST_ELEMENTS = 1000 };

static bool is_near(float read, double expected)
{
    const float rounded = (float)expected; /* twice, so it may be off by one */
    return read == rounded || read == nextafterf(rounded, INFINITY) ||
           read == nextafterf(rounded, -INFINITY);
}

static void compare_array(const api_array *array, int axis, const float **at, const cJSON *json)
{
    if (axis == array->rank) {
        fuzz_require(cJSON_IsNumber(json) && is_near(**at, json->valuedouble), "%.9g",
                     (double)**at);
        ++*at;
        return;
    }
    fuzz_require(cJSON_IsArray(json) && (size_t)cJSON_GetArraySize(json) == array->extent[axis],
                 "axis %d has %zu elements", axis, array->extent[axis]);
    const cJSON *element;
    cJSON_ArrayForEach(element, json) compare_array(array, axis + 1, at, element);
}

static void compare(const api_document *document, const cJSON *item, const cJSON *json)
{
    const api_array *const array = api_document_array(document, item);
    if (array != NULL) {
        const float *at = array->data;
        compare_array(array, 0, &at, json);
        fuzz_require(at == array->data + array->count, "%zu numbers", array->count);
        return;
    }
    fuzz_require((item->type & 0xFF) == json->type, "types %d and %d", item->type, json->type);
    fuzz_require(!cJSON_IsString(item) || strcmp(item->valuestring, json->valuestring) == 0,
                 "\"%s\" is \"%s\"", item->valuestring, json->valuestring);
    fuzz_require(!cJSON_IsNumber(item) || item->valuedouble == json->valuedouble, "%.17g is %.17g",
                 item->valuedouble, json->valuedouble);
    const cJSON *one = item->child, *other = json->child;
    for (; one != NULL && other != NULL; one = one->next, other = other->next) {
        fuzz_require(!cJSON_IsObject(item) || strcmp(one->string, other->string) == 0,
                     "\"%s\" is \"%s\"", one->string, other->string);
        compare(document, one, other);
    }
    fuzz_require(one == NULL && other == NULL, "one has more than the other");
}

static void check_problem(const api_problem *problem)
{
    const int status = problem->status;
    fuzz_require(status == 400 || status == 413 || status == 422, "%d: %s", status,
                 problem->detail);
}

/* With half of the memory it is the same or refused, a grammar error always the same. */
static void check_scarce(const char *text, size_t size, api_arena *arena, int status)
{
    api_document document;
    api_problem problem = {0};
    api_arena_reset(arena, api_arena_used(arena) / 2);
    if (api_read(text, size, MOST_ELEMENTS, arena, &document, &problem))
        fuzz_require(status == 0, "%d only with more memory", status);
    else
        fuzz_require(problem.status == 413 ? status != 400 : problem.status == status,
                     "%d is %d with less memory", status, problem.status);
}

/* cJSON cuts numbers after 63 bytes. */
static bool has_long_number(const char *text, size_t size)
{
    size_t length = 0, longest = 0;
    for (size_t i = 0; i < size; i++) {
        length = text[i] != '\0' && strchr("0123456789+-.eE", text[i]) != NULL ? length + 1 : 0;
        longest = length > longest ? length : longest;
    }
    return longest > 63;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static api_arena *arena;
    if (arena == NULL)
        arena = api_arena_create(MEMORY_SIZE);
    const char *const text = (const char *)data;
    api_document document;
    api_problem problem = {0};
    api_arena_reset(arena, MEMORY_SIZE);
    if (api_read(text, size, MOST_ELEMENTS, arena, &document, &problem)) {
        cJSON *const json = cJSON_ParseWithLength(text, size);
        const bool comparable = !has_long_number(text, size);
        fuzz_require(json != NULL || !comparable, "cJSON does not accept it");
        if (comparable)
            compare(&document, document.root, json);
        cJSON_Delete(json);
    } else {
        check_problem(&problem);
    }
    check_scarce(text, size, arena, problem.status);
    return 0;
}
