/* The whole service without a network. An input is four parts, the first three a line each: method
 * and path, Content-Type, Inference-Header-Content-Length (empty: no such header), body.
 *
 *     POST /v1/conv
 *     application/json
 *
 *     {"input":[[1,2],[3,4]],"weight":[[1]]}
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char method[FUZZ_LINE_SIZE], content_type[FUZZ_LINE_SIZE], json_length[FUZZ_LINE_SIZE];
    fuzz_input input = {data, data + size};
    fuzz_take_line(&input, method);
    const bool typed = fuzz_take_line(&input, content_type);
    const bool framed = fuzz_take_line(&input, json_length);
    char *const blank = strchr(method, ' ');
    if (blank != NULL)
        *blank = '\0';
    fuzz_answer(&(api_request){.method = method,
                               .path = blank != NULL ? blank + 1 : "/",
                               .content_type = typed ? content_type : NULL,
                               .json_length = framed ? json_length : NULL,
                               .body = input.at,
                               .body_size = (size_t)(input.end - input.at)});
    return 0;
}
