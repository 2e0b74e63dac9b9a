/* JSON text to a tree: values, objects and ordinary arrays of the strict pass.
 * SPDX-License-Identifier: MIT */
#include "reader.h"

#include "numbers.h"
#include "scan.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

static bool scan_literal(api_scan *scan, const char *literal)
{
    const char *expected = literal;
    for (; *expected != 0; ++expected, ++scan->at)
        if (scan->at == scan->end || *scan->at != *expected)
            return api_fault(scan, scan->at, NULL, literal);
    api_outline(scan, literal, strlen(literal));
    return true;
}

/* A number on its own stays a double, in the shortest text: cJSON reads 63 bytes at most. */
static bool scan_number(api_scan *scan)
{
    float value;
    const char *const after = api_read_float(scan->at, scan->end, &value);
    if (after == NULL)
        return api_fault(scan, api_number_fault(scan->at, scan->end), NULL, "a digit");
    if (isinf(value)) {
        api_refuse_number(scan, scan->at, after);
    } else {
        char text[API_DOUBLE_TEXT_SIZE];
        const char *const end = api_write_double(text, api_read_double(scan->at, after));
        api_outline(scan, text, (size_t)(end - text));
    }
    scan->at = after;
    return true;
}

static bool scan_elements(api_scan *scan, api_step *step)
{
    bool more = true;
    for (; more; ++step->index) {
        scan->at = api_skip_space(scan->at, scan->end);
        if (api_is_number(scan))
            api_refuse_here(scan, 422, "found a number among other values");
        if (!api_scan_value(scan) || !api_next_element(scan, ']', &more))
            return false;
        api_outline(scan, more ? "," : "]", 1);
    }
    return true;
}

/* An array that does not begin with a number; an empty one counts as numbers. */
static bool scan_array(api_scan *scan)
{
    api_step step = {.up = scan->step};
    api_outline(scan, "[", 1);
    if (!api_enter(scan, &step))
        return false;
    if (api_is_next(scan, ']'))
        ++scan->at;
    else if (!scan_elements(scan, &step))
        return false;
    api_leave(scan);
    return true;
}

/* Where the outline has a key. */
typedef struct {
    size_t at, size;
} key;

/* Reads a key into the outline and refuses it if it is one of those before it. */
static bool scan_key(api_scan *scan, key keys[API_MAX_MEMBERS], size_t count, api_step *step)
{
    if (!api_is_next(scan, '"'))
        return api_fault(scan, scan->at, NULL, "a field's name in quotes");
    scan->step = step->up;
    step->key = scan->outline_size + 1;
    if (!api_scan_string(scan))
        return false;
    step->key_size = scan->outline_size - step->key - 1;
    if (count == API_MAX_MEMBERS)
        api_refuse_here(scan, 413, "more than %d members in one object", API_MAX_MEMBERS);
    scan->step = step;
    if (api_is_silent(scan))
        return true;
    for (size_t index = 0; index < count; ++index)
        if (keys[index].size == step->key_size &&
            memcmp(scan->outline + keys[index].at, scan->outline + step->key, step->key_size) == 0)
            api_refuse_here(scan, 422, "the field stands twice in its object");
    keys[count] = (key){step->key, step->key_size};
    return true;
}

static bool scan_members(api_scan *scan, api_step *step)
{
    key keys[API_MAX_MEMBERS];
    bool more = true;
    for (size_t count = 0; more; ++count) {
        if (!scan_key(scan, keys, count, step))
            return false;
        if (!api_is_next(scan, ':'))
            return api_fault(scan, scan->at, NULL, "':'");
        ++scan->at;
        api_outline(scan, ":", 1);
        if (!api_scan_value(scan) || !api_next_element(scan, '}', &more))
            return false;
        api_outline(scan, more ? "," : "}", 1);
    }
    return true;
}

static bool scan_object(api_scan *scan)
{
    api_step step = {.up = scan->step, .is_member = true};
    api_outline(scan, "{", 1);
    if (!api_enter(scan, &step))
        return false;
    if (api_is_next(scan, '}')) {
        ++scan->at;
        api_outline(scan, "}", 1);
    } else if (!scan_members(scan, &step)) {
        return false;
    }
    api_leave(scan);
    return true;
}

static bool scan_any_array(api_scan *scan)
{
    const int rank = api_numbers_rank(scan);
    if (rank > API_MAX_ARRAY_RANK)
        api_refuse_here(scan, 422, "numbers in arrays %d deep, at most %d", rank,
                        API_MAX_ARRAY_RANK);
    return rank == 0 || api_is_silent(scan) ? scan_array(scan) : api_scan_numbers(scan, rank);
}

bool api_scan_value(api_scan *scan)
{
    scan->at = api_skip_space(scan->at, scan->end);
    if (scan->value_count++ == API_MAX_VALUES)
        api_refuse_here(scan, 413, "more than %d values besides those in arrays of numbers",
                        API_MAX_VALUES);
    if (api_is_number(scan))
        return scan_number(scan);
    switch (scan->at == scan->end ? 0 : *scan->at) {
    case '{':
        return scan_object(scan);
    case '[':
        return scan_any_array(scan);
    case '"':
        return api_scan_string(scan);
    case 't':
        return scan_literal(scan, "true");
    case 'f':
        return scan_literal(scan, "false");
    case 'n':
        return scan_literal(scan, "null");
    default:
        return api_fault(scan, scan->at, NULL, "a value");
    }
}

static bool scan_text(api_scan *scan)
{
    if (!api_scan_value(scan))
        return false;
    scan->at = api_skip_space(scan->at, scan->end);
    return scan->at == scan->end || api_fault(scan, scan->at, NULL, "nothing behind the value");
}

bool api_read(const char *text, size_t size, size_t max_elements, api_arena *arena,
              api_document *document, api_problem *problem)
{
    assert(problem->status == 0);
    api_scan scan = {.begin = text,
                     .at = text,
                     .end = size == 0 ? text : text + size,
                     .problem = problem,
                     .arena = arena,
                     .max_elements = max_elements};
    *document = (api_document){0};
    if (!scan_text(&scan) || api_is_silent(&scan))
        return false;
    const cJSON *const root = api_build_tree(&scan);
    if (root == NULL)
        return false;
    *document =
        (api_document){.root = root, .arrays = scan.arrays, .array_count = scan.array_count};
    return true;
}

const api_array *api_document_array(const api_document *document, const cJSON *item)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble > (double)FLT_MAX))
        return NULL;
    const double number = round(item->valuedouble / API_STAND_IN_UNIT);
    if (!(number >= 1 && number <= (double)document->array_count))
        return NULL;
    return &document->arrays[(size_t)number - 1];
}
