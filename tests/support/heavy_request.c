/* A request that is small to send and takes long to compute.
 * SPDX-License-Identifier: MIT */
#include "support/heavy_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

heavy_request *heavy_create(size_t side, size_t kernels, const char *const headers[])
{
    heavy_request *const heavy = calloc(1, sizeof *heavy);
    if (heavy == NULL)
        abort();
    tensor input = tensor_create(3, (const size_t[]){1, side, side});
    tensor weight = tensor_create(4, (const size_t[]){kernels, 1, 64, 64});
    heavy->parts = tensor_request_open(FORM_BINARY);
    tensor_request_add(&heavy->parts, "input", &input);
    tensor_request_add(&heavy->parts, "weight", &weight);
    tensor_request_add_json(&heavy->parts, "algorithm", "\"direct\"");
    heavy->request = tensor_request_close(&heavy->parts, "/v1/conv");
    for (size_t index = 0; headers != NULL && headers[index] != NULL; index++)
        heavy->parts.headers[2 + index] = headers[index];
    tensor_free(&input);
    tensor_free(&weight);
    return heavy;
}

void heavy_destroy(heavy_request *heavy)
{
    tensor_request_free(&heavy->parts);
    free(heavy);
}

char *heavy_text(const heavy_request *heavy, size_t *size)
{
    char *text = NULL, head[256];
    *size = 0;
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n",
             heavy->request.path, heavy->request.body_size);
    text_append(&text, size, head, strlen(head));
    for (const char *const *line = heavy->request.headers; *line != NULL; line++) {
        text_append(&text, size, *line, strlen(*line));
        text_append(&text, size, "\r\n", 2);
    }
    text_append(&text, size, "\r\n", 2);
    text_append(&text, size, heavy->request.body, heavy->request.body_size);
    return text;
}
