/* Arrays of numbers: from the text straight into the arena's floats.
 * SPDX-License-Identifier: MIT */
#include "numbers.h"
#include "scan.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const size_t unknown = SIZE_MAX;

/* An array on its way. */
typedef struct {
    api_scan *scan;
    float *data;
    size_t count, capacity; /* of data; no capacity in silence */
    int rank;
    size_t extent[API_MAX_ARRAY_RANK]; /* unknown until the first row at that level ends */
    bool integers;
} lifting;

int api_numbers_rank(api_scan *scan)
{
    if (api_is_silent(scan) || scan->at < scan->ordinary_until)
        return 0;
    int rank = 0;
    const char *at = scan->at;
    while (at < scan->end && *at == '[') {
        ++rank;
        at = api_skip_space(at + 1, scan->end);
    }
    if (at < scan->end && (*at == '-' || *at == ']' || (*at >= '0' && *at <= '9')))
        return rank;
    scan->ordinary_until = at;
    return 0;
}

/* Where an array of `rank` levels ends at the latest: before that, so many ']' never meet. */
static const char *find_end(const char *at, const char *end, int rank)
{
    while ((at = memchr(at, ']', (size_t)(end - at))) != NULL)
        for (int closed = 0; at < end && *at == ']'; at = api_skip_space(at + 1, end))
            if (++closed == rank)
                return at;
    return end;
}

static const char *kind_of(char first)
{
    switch (first) {
    case '{':
        return "an object";
    case '[':
        return "an array";
    case '"':
        return "a string";
    case 'n':
        return "null";
    case 't':
    case 'f':
        return "a boolean";
    default:
        return "a number";
    }
}

/* Reads a value that does not belong here, in silence. */
static bool scan_misfit(lifting *lift, const char *expected)
{
    api_scan *const scan = lift->scan;
    if (scan->at < scan->end)
        api_refuse_here(scan, 422, "found %s, expected %s", kind_of(*scan->at), expected);
    lift->capacity = 0;
    cJSON *none;
    return api_scan_value(scan, &none);
}

/* The element at scan->at cannot simply be stored: it is no number, too large, one too many. */
static bool scan_unusual(lifting *lift)
{
    api_scan *const scan = lift->scan;
    float value;
    const char *const after = api_read_float(scan->at, scan->end, &value);
    if (after == NULL && api_is_number(scan))
        return api_fault(scan, api_number_fault(scan->at, scan->end), NULL, "a digit");
    if (after == NULL)
        return scan_misfit(lift, "a number");
    if (isinf(value))
        api_refuse_number(scan, scan->at, after);
    else if (lift->count == scan->max_elements)
        api_refuse_elements(scan);
    else
        api_refuse_memory(scan);
    lift->capacity = 0;
    scan->at = after;
    return true;
}

/* The innermost level, behind its bracket: this loop sees every number of a tensor. */
static bool scan_row(lifting *lift, api_step *step)
{
    api_scan *const scan = lift->scan;
    const char *const end = scan->end, *at = scan->at;
    const size_t before = lift->count;
    for (;;) {
        float value;
        const char *const after = api_read_float(at, end, &value);
        if (after != NULL && lift->count < lift->capacity && !isinf(value)) {
            lift->data[lift->count++] = value;
            lift->integers = lift->integers && api_is_integer(at, after);
            at = after;
        } else {
            scan->at = at;
            step->index = lift->count - before;
            if (!scan_unusual(lift))
                return false;
            at = scan->at;
        }
        at = api_skip_space(at, end);
        if (at == end || *at != ',')
            break;
        at = api_skip_space(at + 1, end);
    }
    scan->at = at;
    step->index = lift->count - before;
    bool more;
    return api_next_element(scan, ']', &more);
}

static bool scan_level(lifting *lift, int level);

static bool scan_rows(lifting *lift, int level, api_step *step)
{
    bool more = true;
    while (more) {
        if (!(api_is_next(lift->scan, '[') ? scan_level(lift, level + 1)
                                           : scan_misfit(lift, "an array, as before it")))
            return false;
        ++step->index;
        if (!api_next_element(lift->scan, ']', &more))
            return false;
    }
    return true;
}

/* A row of `count` elements ended at `level`; all of one level are alike. */
static void settle_extent(lifting *lift, int level, size_t count)
{
    size_t *const extent = &lift->extent[level];
    if (*extent == unknown)
        *extent = count;
    if (*extent == count || api_is_silent(lift->scan))
        return;
    api_refuse_here(lift->scan, 422, "row has %zu element%s, the rows before it %zu", count,
                    count == 1 ? "" : "s", *extent);
    lift->capacity = 0;
}

static bool scan_level(lifting *lift, int level)
{
    api_scan *const scan = lift->scan;
    api_step step = {.up = scan->step};
    if (!api_enter(scan, &step))
        return false;
    if (api_is_next(scan, ']'))
        ++scan->at;
    else if (!(level == lift->rank - 1 ? scan_row(lift, &step) : scan_rows(lift, level, &step)))
        return false;
    api_leave(scan);
    settle_extent(lift, level, step.index);
    return true;
}

/* Makes room for one more array. */
static bool grow_arrays(api_scan *scan)
{
    enum { FIRST_CAPACITY = 8 };
    if (scan->array_count < scan->array_capacity)
        return true;
    const size_t capacity = scan->array_capacity == 0 ? FIRST_CAPACITY : 2 * scan->array_capacity;
    api_array *const grown = api_arena_allocate(scan->arena, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    if (scan->array_count > 0)
        memcpy(grown, scan->arrays, scan->array_count * sizeof *grown);
    scan->arrays = grown;
    scan->array_capacity = capacity;
    return true;
}

/* Keeps a finished array; the node that stands for it. */
static cJSON *keep(api_scan *scan, const lifting *lift)
{
    if (!grow_arrays(scan)) {
        api_refuse_memory(scan);
        return NULL;
    }
    api_array *const array = &scan->arrays[scan->array_count];
    *array = (api_array){
        .rank = lift->rank, .count = lift->count, .data = lift->data, .integers = lift->integers};
    memcpy(array->extent, lift->extent, (size_t)lift->rank * sizeof *lift->extent);
    return api_new_lifted(scan, scan->array_count++);
}

bool api_scan_numbers(api_scan *scan, int rank, cJSON **item)
{
    const char *const stop = find_end(scan->at, scan->end, rank);
    const size_t most = (size_t)(stop - scan->at) / 2 + 1;
    const size_t capacity = most < scan->max_elements ? most : scan->max_elements;
    size_t granted;
    lifting lift = {.scan = scan, .rank = rank, .integers = true};
    lift.data = api_arena_open(scan->arena, capacity * sizeof(float), &granted);
    lift.capacity = granted / sizeof(float);
    for (int level = 0; level < rank; ++level)
        lift.extent[level] = unknown;
    const bool well_formed = scan_level(&lift, 0);
    const bool kept = well_formed && !api_is_silent(scan);
    if (lift.data != NULL)
        api_arena_close(scan->arena, kept ? lift.count * sizeof(float) : 0);
    *item = kept ? keep(scan, &lift) : NULL;
    return well_formed;
}
