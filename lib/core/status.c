/* The names and sentences of statuses.
 * SPDX-License-Identifier: MIT */
#include "layer/status.h"

#include <assert.h>
#include <stddef.h>

static const char *const names[] = {
#define STATUS_NAME(name, sentence) [LAYER_##name] = #name,
    LAYER_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
};

static const char *const sentences[] = {
#define STATUS_SENTENCE(name, sentence) [LAYER_##name] = (sentence),
    LAYER_STATUS_LIST(STATUS_SENTENCE)
#undef STATUS_SENTENCE
};

const char *layer_status_name(layer_status status)
{
    assert((size_t)status < sizeof names / sizeof *names);
    return names[status];
}

const char *layer_status_sentence(layer_status status)
{
    assert((size_t)status < sizeof sentences / sizeof *sentences);
    return sentences[status];
}
