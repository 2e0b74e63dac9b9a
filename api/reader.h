/* JSON text to a tree: one strict pass checks the text, lifts its arrays of numbers, and has cJSON
 * make the nodes of the small rest.
 * SPDX-License-Identifier: MIT */
#ifndef API_READER_H
#define API_READER_H

#include "arena.h"
#include "problem.h"

#include <cjson/cJSON.h>

enum {
    API_MAX_DEPTH = 32,     /* of nested arrays and objects */
    API_MAX_MEMBERS = 64,   /* of one object */
    API_MAX_VALUES = 16384, /* of a text, each array of numbers as one */
    API_MAX_STRING = 4096,  /* bytes of a string */
    API_MAX_ARRAY_RANK = 5, /* of a lifted array */
};

/* An array of numbers, or rectangular arrays of such arrays, lifted out of the text. */
typedef struct {
    int rank; /* 1 for [1,2,3] */
    size_t extent[API_MAX_ARRAY_RANK];
    size_t count;      /* the product of the extents; 0 for [] */
    const float *data; /* row-major, in the arena, 64-byte aligned */
    bool integers;     /* every number is an integer of magnitude at most 2^24 */
} api_array;

/* A document is a cJSON tree in which each lifted array is a node of a type that no text has:
 * api_document_array() knows it. */
typedef struct {
    const cJSON *root;
    const api_array *arrays;
} api_document;

/* Reads `size` bytes of UTF-8 JSON as RFC 8259 has it. Everything lives in the arena.
 * False with a problem: 400 with line and column (grammar, UTF-8, depth, trailing text); 413 (too
 * many members or values, long strings, memory, more than `max_elements` numbers in an
 * array); 422 with a pointer (duplicate keys, ragged or mixed arrays, numbers beyond binary32,
 * U+0000 in a string). A grammar error anywhere comes before a 413 or 422. */
bool api_read(const char *text, size_t size, size_t max_elements, api_arena *arena,
              api_document *document, api_problem *problem);

/* The lifted array that `item` stands for, or NULL if it is an ordinary node. */
const api_array *api_document_array(const api_document *document, const cJSON *item);

#endif
