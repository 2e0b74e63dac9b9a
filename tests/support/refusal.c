/* What describing derives and refuses, for tests.
 * SPDX-License-Identifier: MIT */
#include "support/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SPOILT = 0x5A };

void expect_refusal(layer_status returned, const layer_error *error, const refusal *expected)
{
    assert_int_equal(returned, expected->status);
    assert_int_equal(error->status, expected->status);
    assert_string_equal(error->argument, expected->argument);
    assert_string_equal(error->reason, expected->reason);
}

void spoil(void *description, size_t size)
{
    memset(description, SPOILT, size);
}

void expect_spoilt(const void *description, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(((const unsigned char *)description)[i], SPOILT);
}

void expect_shape(const layer_shape *shape, const layer_shape *expected)
{
    assert_int_equal(shape->rank, expected->rank);
    for (int axis = 0; axis < expected->rank; axis++)
        assert_int_equal(shape->extent[axis], expected->extent[axis]);
}
