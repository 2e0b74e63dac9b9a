/* The strict pass's state, shared by its parts: where it is in the text, what it found wrong, what
 * it keeps.
 * SPDX-License-Identifier: MIT */
#ifndef API_SCAN_H
#define API_SCAN_H

#include "reader.h"

#include <string.h>

/* One step of the way from the root down to where the pass is: a member of an object, or an
 * element of an array. Steps live on the stack of the functions that are in there. */
typedef struct api_step {
    const struct api_step *up;
    const char *key; /* NULL for an element */
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
    api_array *arrays;
    size_t array_count, array_capacity;
    size_t string_size;
    char string[API_MAX_STRING + 1]; /* the last one, without its escapes */
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

/* The parts of the pass. Each begins at the value's first byte, ends behind its last, and returns
 * false after an error of grammar. *item is the value's node, NULL in silence; a string is left in
 * scan->string. */
bool api_scan_value(api_scan *scan, cJSON **item);
bool api_scan_string(api_scan *scan);
bool api_scan_numbers(api_scan *scan, int rank, cJSON **item);

/* The rank of the array that begins here if its first leaf is a number or missing, else 0. */
int api_numbers_rank(api_scan *scan);

/* cJSON's nodes, made in the arena; NULL in silence, or without memory, which is then told. */
cJSON *api_new_literal(api_scan *scan, char first);
cJSON *api_new_number(api_scan *scan, double value);
cJSON *api_new_string(api_scan *scan);
cJSON *api_new_array(api_scan *scan);
cJSON *api_new_object(api_scan *scan);
cJSON *api_new_lifted(api_scan *scan, size_t index);

/* Between these two cJSON takes memory from the arena. */
void api_nodes_begin(api_arena *arena);
void api_nodes_end(void);

#endif
