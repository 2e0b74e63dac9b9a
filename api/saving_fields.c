/* What a separable convolution spares: its multiplications, and those of the one in one piece.
 * SPDX-License-Identifier: MIT */
#include "saving_fields.h"

const api_field api_saving_fields[] = {
    {.name = "multiplications_before",
     .kind = &api_integer_kind,
     .offset = offsetof(api_saving, before),
     .required = true,
     .summary = "of the same convolution in one piece"},
    {.name = "multiplications_after",
     .kind = &api_integer_kind,
     .offset = offsetof(api_saving, after),
     .required = true,
     .summary = "of the two that it was taken apart into"},
    {0},
};

static api_integer counted(uint64_t multiplications)
{
    return (api_integer){true, multiplications < INT64_MAX ? (int64_t)multiplications : INT64_MAX};
}

api_saving api_saving_of(uint64_t before, uint64_t after)
{
    return (api_saving){counted(before), counted(after)};
}
