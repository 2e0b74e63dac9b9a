/* The strict pass's state, shared by its parts: where it is in the text, what it found wrong, what
 * it keeps.
 * SPDX-License-Identifier: MIT */
#ifndef API_SCAN_H
#define API_SCAN_H

#include "reader.h"

#include <string.h>

/* The stand-in of the array with index i is the number i + 1 in this unit, far beyond FLT_MAX. */
#define API_STAND_IN_UNIT   1e100
#define API_STAND_IN_SUFFIX "e100"

/* One step of the way from the root down to where the pass is: a member of an object, or an
 * element of an array. Steps live on the stack of the functions that are in there. */
typedef struct api_step {
    const struct api_step *up;
    bool is_member;
    size_t key, key_size; /* where the outline has the key, without its quotes */
    size_t index;
} api_step;

/* After a problem that is not one of grammar the pass goes on in silence: it looks at the grammar
 * alone and keeps nothing, allocates nothing. */
typedef struct {
    const char *begin, *at, *end;
    api_problem *problem;
    api_arena *arena;
    size_t max_elements;
    const char *ordinary_until; /* arrays that begin before this are known to hold no numbers */
    const api_step *step;
    int depth;
    size_t value_count; /* met so far */
    char *outline;      /* the text for cJSON: no space, strings in one canonical form */
    size_t outline_size, outline_capacity;
    api_array *arrays;
    size_t array_count, array_capacity;
} api_scan;

static inline bool api_is_silent(const api_scan *scan)
{
    return scan->problem->status != 0;
}

static inline const char *api_skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        ++at;
    return at;
}

/* Whether the next byte, after space, is `byte`. */
static inline bool api_is_next(api_scan *scan, char byte)
{
    scan->at = api_skip_space(scan->at, scan->end);
    return scan->at < scan->end && *scan->at == byte;
}

static inline bool api_is_number(const api_scan *scan)
{
    return scan->at < scan->end && (*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9'));
}

/* An error of grammar at `at`, in place of any other problem. `found` is NULL for what stands
 * there. Returns false: nothing more is read. */
bool api_fault(api_scan *scan, const char *at, const char *found, const char *expected);

/* A problem with the value where the pass is, unless there is one already. */
void api_refuse_here(api_scan *scan, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void api_refuse_memory(api_scan *scan);
void api_refuse_elements(api_scan *scan);

/* Refuses the number from `text` to `end` as beyond binary32. */
void api_refuse_number(api_scan *scan, const char *text, const char *end);

/* Goes one level deeper, past the bracket, or says that it is one too many. */
bool api_enter(api_scan *scan, const api_step *step);
void api_leave(api_scan *scan);

/* After an element: past a comma to the next (*more), or past the closing bracket. */
bool api_next_element(api_scan *scan, char bracket, bool *more);

/* Appends to the outline, which may have to grow or be too long. */
void api_outline_slowly(api_scan *scan, const char *text, size_t size);

static inline void api_outline(api_scan *scan, const char *text, size_t size)
{
    if (api_is_silent(scan) || size >= scan->outline_capacity - scan->outline_size) {
        api_outline_slowly(scan, text, size);
        return;
    }
    memcpy(scan->outline + scan->outline_size, text, size);
    scan->outline_size += size;
}

/* The parts of the pass. Each begins at the value's first byte, ends behind its last, and returns
 * false after an error of grammar. */
bool api_scan_value(api_scan *scan);
bool api_scan_string(api_scan *scan);
bool api_scan_numbers(api_scan *scan, int rank);

/* The rank of the array that begins here if its first leaf is a number or missing, else 0. */
int api_numbers_rank(api_scan *scan);

/* Builds the outline's tree in the arena; NULL with a problem. */
const cJSON *api_build_tree(api_scan *scan);

#endif
