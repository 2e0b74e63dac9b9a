/* Numbers to text and back, correctly rounded and shortest.
 * SPDX-License-Identifier: MIT */
#ifndef API_NUMBERS_H
#define API_NUMBERS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Longest text of a binary32, -1.1754944e-38 and its like, and the room that writing one takes. */
enum { API_FLOAT_TEXT_SIZE = 16, API_FLOAT_ROOM = 40, API_DOUBLE_TEXT_SIZE = 32 };

/* Reads the number that starts at `text` as RFC 8259 writes numbers, rounds it to the nearest float
 * (ties to even) and returns its end; NULL if there is no number, or one without a digit where it
 * needs one. A magnitude that rounds beyond FLT_MAX becomes infinite; one below the subnormals,
 * zero. */
const char *api_read_float(const char *text, const char *end, float *value);

/* Where api_read_float() would have needed a digit, when it returned NULL. */
const char *api_number_fault(const char *text, const char *end);

/* The same number, from its first to its last character, rounded to the nearest double. */
double api_read_double(const char *text, const char *end);

/* Whether the number's exact value, before any rounding, is an integer of magnitude at most
 * 2^24. */
bool api_is_integer(const char *text, const char *end);

/* Writes the shortest decimal that reads back as the same float (or double), as std::to_chars does,
 * and returns its end; `text` has API_FLOAT_ROOM (API_DOUBLE_TEXT_SIZE) bytes, of which those
 * behind the end may be written too. `value` is finite. */
char *api_write_float(char *text, float value);
char *api_write_double(char *text, double value);

#ifdef __cplusplus
}
#endif
#endif
