/* What all operations share: the list, the common fields, the library's refusals.
 * SPDX-License-Identifier: MIT */
#include "operations.h"

#include <stdio.h>

/* ---- The list -------------------------------------------------------------------------------- */

static const api_operation *const operations[] = {
#define OPERATION_ROW(id) &api_operation_##id,
    API_OPERATION_LIST(OPERATION_ROW)
#undef OPERATION_ROW
};

size_t api_operation_count(void)
{
    return sizeof operations / sizeof *operations;
}

const api_operation *api_operation_at(size_t index)
{
    return operations[index];
}

const char *api_operation_name(size_t index)
{
    return operations[index]->name;
}

/* ---- The common fields ----------------------------------------------------------------------- */

static const api_option forms[] = {
#define FORM_OPTION(id, name, looks) {name, API_FORM_##id, looks},
    API_FORM_LIST(FORM_OPTION)
#undef FORM_OPTION
        {0}};

static const api_option nonfinites[] = {
    {"null", API_NONFINITE_NULL, "null for each of them"},
    {"string", API_NONFINITE_STRING, "\"NaN\", \"Infinity\", \"-Infinity\""},
    {0},
};

const api_field api_common_fields[] = {
    {.name = "dry_run",
     .kind = &api_boolean_kind,
     .offset = offsetof(api_call, dry_run),
     .fallback = "false",
     .summary = "answer what the request would cost, without computing it"},
    {.name = "output_format",
     .kind = &api_choice_kind,
     .offset = offsetof(api_call, output_format),
     .options = forms,
     .summary = "the form of the reply's tensors; by default that of the request's first tensor, "
                "or nested"},
    {.name = "nonfinite",
     .kind = &api_choice_kind,
     .offset = offsetof(api_call, nonfinite),
     .options = nonfinites,
     .summary = "how infinities and NaN are written; left out, they are an error, since JSON has "
                "no such numbers"},
    {0},
};

/* ---- The library's refusals ------------------------------------------------------------------ */

bool api_refuse_layer(api_problem *problem, const layer_error *error)
{
    char pointer[API_POINTER_SIZE] = "";
    api_pointer_push(pointer, error->argument);
    const int status = error->status == LAYER_TOO_LARGE ? 413 : 422;
    return api_refuse(problem, status, pointer, "%s", error->reason);
}

bool api_refuse_within_layer(size_t place, const api_problem *found, api_problem *problem)
{
    char pointer[API_POINTER_SIZE + 32];
    snprintf(pointer, sizeof pointer, "/layers/%zu%s", place, found->pointer);
    pointer[API_POINTER_SIZE - 1] = '\0';
    return api_refuse(problem, found->status, pointer, "%s", found->detail);
}

bool api_refuse_layer_at(api_problem *problem, size_t place, const layer_error *error)
{
    api_problem found = {0};
    api_refuse_layer(&found, error);
    return api_refuse_within_layer(place, &found, problem);
}
