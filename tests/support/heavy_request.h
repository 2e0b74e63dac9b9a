/* A request that is small to send and takes long to compute.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_HEAVY_REQUEST_H
#define SUPPORT_HEAVY_REQUEST_H

#include "support/raw_connection.h"
#include "support/tensor_forms.h"

/* A convolution of one plane with kernels of 64x64, by the plain sum, in the binary form:
 * (side - 63)^2 * 4096 multiplications a kernel. */
typedef struct {
    tensor_request parts;
    http_request request;
} heavy_request;

enum {
    HEAVY_LITTLE = 96, /* sides: 4e6 multiplications a kernel, some milliseconds */
    HEAVY_MOST = 80,   /* kernels that the default limits allow on the larger side */
    HEAVY_MUCH = 512,  /* 8e8 a kernel, half a second or more on one thread */
};

/* `headers`, such as "X-Request-Timeout: 1", are at most two, NULL at the end; or NULL. */
heavy_request *heavy_create(size_t side, size_t kernels, const char *const headers[]);
void heavy_destroy(heavy_request *heavy);

/* Sends it on a connection of its own, and returns as soon as it is sent. */
raw_connection heavy_send(const heavy_request *heavy, const char *url);

/* Sends a large one and waits until a worker of the daemon computes it. */
raw_connection heavy_occupy(const char *url, size_t kernels);

/* Sends it and waits until it is in the daemon's queue. */
raw_connection heavy_queue(const heavy_request *heavy, const char *url);

#endif
