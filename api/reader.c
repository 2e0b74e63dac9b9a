/* JSON text to a tree: values, objects and ordinary arrays of the strict pass.
 * SPDX-License-Identifier: MIT */
#include "reader.h"

#include "numbers.h"
#include "scan.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static bool scan_literal(api_scan *scan, const char *literal, cJSON **item)
{
    const char *expected = literal;
    for (; *expected != 0; ++expected, ++scan->at)
        if (scan->at == scan->end || *scan->at != *expected)
            return api_fault(scan, scan->at, NULL, literal);
    *item = api_new_literal(scan, *literal);
    return true;
}

/* A number on its own stays a double. */
static bool scan_number(api_scan *scan, cJSON **item)
{
    float value;
    const char *const after = api_read_float(scan->at, scan->end, &value);
    if (after == NULL)
        return api_fault(scan, api_number_fault(scan->at, scan->end), NULL, "a digit");
    if (isinf(value))
        api_refuse_number(scan, scan->at, after);
    *item = api_new_number(scan, api_read_double(scan->at, after));
    scan->at = after;
    return true;
}

static bool scan_text_value(api_scan *scan, cJSON **item)
{
    if (!api_scan_string(scan))
        return false;
    *item = api_new_string(scan);
    return true;
}

static bool scan_elements(api_scan *scan, api_step *step, cJSON *array)
{
    bool more = true;
    for (; more; ++step->index) {
        cJSON *item;
        scan->at = api_skip_space(scan->at, scan->end);
        if (api_is_number(scan))
            api_refuse_here(scan, 422, "found a number among other values");
        if (!api_scan_value(scan, &item) || !api_next_element(scan, ']', &more))
            return false;
        if (item != NULL)
            cJSON_AddItemToArray(array, item);
    }
    return true;
}

/* An array that does not begin with a number; an empty one counts as numbers. */
static bool scan_array(api_scan *scan, cJSON **item)
{
    api_step step = {.up = scan->step};
    *item = api_new_array(scan);
    if (!api_enter(scan, &step))
        return false;
    if (api_is_next(scan, ']'))
        ++scan->at;
    else if (!scan_elements(scan, &step, *item))
        return false;
    api_leave(scan);
    return true;
}

/* The string that was read, in the arena. */
static const char *keep_key(api_scan *scan)
{
    char *const key =
        api_is_silent(scan) ? NULL : api_arena_allocate(scan->arena, scan->string_size + 1);
    if (key != NULL)
        return memcpy(key, scan->string, scan->string_size + 1);
    api_refuse_memory(scan);
    return "";
}

/* Reads a key and refuses it if the object has it, or has too many. */
static bool scan_key(api_scan *scan, size_t count, api_step *step, const cJSON *object)
{
    if (!api_is_next(scan, '"'))
        return api_fault(scan, scan->at, NULL, "a field's name in quotes");
    scan->step = step->up;
    if (!api_scan_string(scan))
        return false;
    step->key = keep_key(scan);
    if (count == API_MAX_MEMBERS)
        api_refuse_here(scan, 413, "more than %d members in one object", API_MAX_MEMBERS);
    scan->step = step;
    if (!api_is_silent(scan) && cJSON_GetObjectItemCaseSensitive(object, step->key) != NULL)
        api_refuse_here(scan, 422, "the field stands twice in its object");
    return true;
}

static bool scan_members(api_scan *scan, api_step *step, cJSON *object)
{
    bool more = true;
    for (size_t count = 0; more; ++count) {
        cJSON *item;
        if (!scan_key(scan, count, step, object))
            return false;
        if (!api_is_next(scan, ':'))
            return api_fault(scan, scan->at, NULL, "':'");
        ++scan->at;
        if (!api_scan_value(scan, &item) || !api_next_element(scan, '}', &more))
            return false;
        if (item != NULL)
            cJSON_AddItemToObjectCS(object, step->key, item);
    }
    return true;
}

static bool scan_object(api_scan *scan, cJSON **item)
{
    api_step step = {.up = scan->step, .key = ""};
    *item = api_new_object(scan);
    if (!api_enter(scan, &step))
        return false;
    if (api_is_next(scan, '}'))
        ++scan->at;
    else if (!scan_members(scan, &step, *item))
        return false;
    api_leave(scan);
    return true;
}

static bool scan_any_array(api_scan *scan, cJSON **item)
{
    const int rank = api_numbers_rank(scan);
    if (rank > API_MAX_ARRAY_RANK)
        api_refuse_here(scan, 422, "numbers in arrays %d deep, at most %d", rank,
                        API_MAX_ARRAY_RANK);
    return rank == 0 || api_is_silent(scan) ? scan_array(scan, item)
                                            : api_scan_numbers(scan, rank, item);
}

bool api_scan_value(api_scan *scan, cJSON **item)
{
    *item = NULL;
    scan->at = api_skip_space(scan->at, scan->end);
    if (scan->value_count++ == API_MAX_VALUES)
        api_refuse_here(scan, 413, "more than %d values besides those in arrays of numbers",
                        API_MAX_VALUES);
    if (api_is_number(scan))
        return scan_number(scan, item);
    switch (scan->at == scan->end ? 0 : *scan->at) {
    case '{':
        return scan_object(scan, item);
    case '[':
        return scan_any_array(scan, item);
    case '"':
        return scan_text_value(scan, item);
    case 't':
        return scan_literal(scan, "true", item);
    case 'f':
        return scan_literal(scan, "false", item);
    case 'n':
        return scan_literal(scan, "null", item);
    default:
        return api_fault(scan, scan->at, NULL, "a value");
    }
}

static bool scan_text(api_scan *scan, cJSON **root)
{
    if (!api_scan_value(scan, root))
        return false;
    scan->at = api_skip_space(scan->at, scan->end);
    return scan->at == scan->end || api_fault(scan, scan->at, NULL, "nothing behind the value");
}

bool api_read(const char *text, size_t size, size_t max_elements, api_arena *arena,
              api_document *document, api_problem *problem)
{
    assert(problem->status == 0);
    api_scan scan; /* but for the string's room, which needs no clearing */
    memset(&scan, 0, offsetof(api_scan, string));
    scan.begin = scan.at = text;
    scan.end = size == 0 ? text : text + size;
    scan.problem = problem;
    scan.arena = arena;
    scan.max_elements = max_elements;
    *document = (api_document){0};
    cJSON *root = NULL;
    api_nodes_begin(arena);
    const bool read = scan_text(&scan, &root) && !api_is_silent(&scan);
    api_nodes_end();
    if (read)
        *document = (api_document){.root = root, .arrays = scan.arrays};
    return read;
}
