/* What describing derives and refuses, for tests; each fails the test unless it holds.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_REFUSAL_H
#define SUPPORT_REFUSAL_H

#include <layer/status.h>
#include <layer/tensor.h>

#include <stddef.h>

typedef struct {
    layer_status status;
    const char *argument, *reason;
} refusal;

/* A describe function returned this status and left this error. */
void expect_refusal(layer_status returned, const layer_error *error, const refusal *expected);

/* A description that is refused stays alone: spoil it before, expect it spoilt afterwards. */
void spoil(void *description, size_t size);
void expect_spoilt(const void *description, size_t size);

void expect_shape(const layer_shape *shape, const layer_shape *expected);

#endif
