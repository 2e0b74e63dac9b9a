/* The binary framing: JSON, then the tensors' bytes. An input is the operation's letter, a letter
 * for what the header says of the JSON's length, the JSON up to the first NUL, and the bytes.
 * Whatever a mutation inserts or removes, the length is right, or wrong in the way that was asked
 * for: '=' right, '<' and '>' one off, '?' not said.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

/* The body without the NUL, in memory that ends where it does. */
static uint8_t *join(const uint8_t *body, size_t size, size_t json_size)
{
    const size_t rest = json_size < size ? size - json_size - 1 : 0;
    uint8_t *const joined = malloc(json_size + rest + 1);
    fuzz_require(joined != NULL, "no memory");
    memcpy(joined + 1, body, json_size);
    memcpy(joined + 1 + json_size, body + size - rest, rest);
    return joined;
}

static size_t announced(uint8_t letter, size_t json_size)
{
    return json_size + (letter == '>') - (letter == '<' && json_size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    char path[64], length[32];
    const uint8_t *const body = data + 2;
    const size_t body_size = size - 2, json_size = strnlen((const char *)body, body_size);
    const size_t operation = (size_t)(data[0] - 'a') % api_operation_count();
    snprintf(path, sizeof path, "/v1/%s", api_operation_name(operation));
    snprintf(length, sizeof length, "%zu", announced(data[1], json_size));
    uint8_t *const joined = join(body, body_size, json_size);
    fuzz_answer(&(api_request){.method = "POST",
                               .path = path,
                               .content_type = data[1] == '?' ? NULL : "application/octet-stream",
                               .json_length = data[1] == '?' ? NULL : length,
                               .body = joined + 1,
                               .body_size = body_size - (json_size < body_size)});
    free(joined);
    return 0;
}
