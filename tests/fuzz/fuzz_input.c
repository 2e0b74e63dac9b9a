/* Cutting an input up.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

bool fuzz_take_line(fuzz_input *input, char line[FUZZ_LINE_SIZE])
{
    const size_t left = (size_t)(input->end - input->at);
    const uint8_t *const end = left > 0 ? memchr(input->at, '\n', left) : NULL;
    const size_t size = end != NULL ? (size_t)(end - input->at) : left;
    const size_t kept = size < FUZZ_LINE_SIZE ? size : FUZZ_LINE_SIZE - 1;
    if (kept > 0)
        memcpy(line, input->at, kept);
    line[kept] = '\0';
    input->at += size + (end != NULL);
    return line[0] != '\0';
}
