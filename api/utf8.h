/* UTF-8, as the Unicode standard's table 3-7 has it.
 * SPDX-License-Identifier: MIT */
#ifndef API_UTF8_H
#define API_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed sequence at `text`, 1 to 4; 0 if it is not one: an overlong form, a
 * surrogate, beyond U+10FFFF, cut short. */
size_t api_utf8_size(const char *text, const char *end);

/* Writes a code point that is not a surrogate and returns the end, at most 4 bytes on. */
char *api_utf8_write(char *text, uint32_t code);

#endif
