/* A request that is small to send and takes long to compute.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_HEAVY_REQUEST_H
#define SUPPORT_HEAVY_REQUEST_H

#include "support/tensor_forms.h"

/* A convolution of a plane of 512x512 with `kernels` kernels of 64x64, by the plain sum, in the
 * binary form: 8e8 multiplications a kernel, about half a second or more on one thread. */
typedef struct {
    tensor_request parts;
    http_request request;
} heavy_request;

heavy_request *heavy_create(size_t kernels);

/* The same, with headers such as "X-Request-Timeout: 1" beside its own: at most two. */
heavy_request *heavy_create_with(size_t kernels, const char *const headers[]);
void heavy_destroy(heavy_request *heavy);

/* The whole request as bytes for a raw connection; the caller frees it. */
char *heavy_text(const heavy_request *heavy, size_t *size);

#endif
