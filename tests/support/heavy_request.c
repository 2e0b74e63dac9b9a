/* A request that is small to send and takes long to compute.
 * SPDX-License-Identifier: MIT */
#include "support/heavy_request.h"

#include "support/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
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

static char *whole_text(const heavy_request *heavy, size_t *size)
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

raw_connection heavy_send(const heavy_request *heavy, const char *url)
{
    size_t size;
    char *const text = whole_text(heavy, &size);
    raw_connection connection = raw_open(url);
    assert_true(raw_send(&connection, text, size));
    free(text);
    return connection;
}

/* A worker reserves the output's memory when it has parsed the request. */
raw_connection heavy_occupy(const char *url, size_t kernels)
{
    heavy_request *const heavy = heavy_create(HEAVY_MUCH, kernels, NULL);
    const double before = metric(url, "layerd_memory_in_flight_bytes", ""), side = HEAVY_MUCH - 63,
                 taken = (double)heavy->request.body_size + side * side * 4 * (double)kernels;
    const raw_connection connection = heavy_send(heavy, url);
    assert_true(metric_exceeds(url, "layerd_memory_in_flight_bytes", "", before + taken));
    heavy_destroy(heavy);
    return connection;
}

raw_connection heavy_queue(const heavy_request *heavy, const char *url)
{
    const double before = metric(url, "layerd_queue_length", "");
    const raw_connection connection = heavy_send(heavy, url);
    assert_true(metric_exceeds(url, "layerd_queue_length", "", before));
    return connection;
}
