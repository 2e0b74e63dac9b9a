/* Numbers to text and back, correctly rounded and shortest: <charconv> behind a C interface.
 * SPDX-License-Identifier: MIT */
#ifndef API_NUMBERS_H
#define API_NUMBERS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Longest text of a binary32: -1.1754944e-38 and its like. */
enum { API_FLOAT_TEXT_SIZE = 16, API_DOUBLE_TEXT_SIZE = 32 };

/* Reads the number that starts at `text`, whose RFC 8259 grammar has been checked, rounds it to the
 * nearest float (ties to even) and returns the end of the number. A magnitude beyond FLT_MAX
 * becomes infinite; one below the subnormals, zero. */
const char *api_read_float(const char *text, const char *end, float *value);

/* Writes the shortest decimal that reads back as the same float (or double) and returns its end;
 * `text` has API_FLOAT_TEXT_SIZE (API_DOUBLE_TEXT_SIZE) bytes. `value` is finite. */
char *api_write_float(char *text, float value);
char *api_write_double(char *text, double value);

#ifdef __cplusplus
}
#endif
#endif
