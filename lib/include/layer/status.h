/* Statuses and errors: what every describe function answers.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_STATUS_H
#define LAYER_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* One row a status: its name and its sentence. The enum, layer_status_name() and
 * layer_status_sentence() all come from here. */
#define LAYER_STATUS_LIST(X)                                                                       \
    X(OK, "done")                                                                                  \
    X(INVALID, "the arguments do not fit together")                                                \
    X(TOO_LARGE, "a size is beyond what the library computes")                                     \
    X(CANCELLED, "cancelled before it was finished")                                               \
    X(FAILED, "the linear algebra library gave up")

typedef enum {
#define LAYER_STATUS_ENUM(name, sentence) LAYER_##name,
    LAYER_STATUS_LIST(LAYER_STATUS_ENUM)
#undef LAYER_STATUS_ENUM
} layer_status;

enum { LAYER_REASON_SIZE = 192 };

/* Which argument was refused, and why. `argument` is a name from the function's documentation
 * ("input", "weight", "pads" ...) with static lifetime. Left alone when all is well. */
typedef struct {
    layer_status status;
    const char *argument;
    char reason[LAYER_REASON_SIZE];
} layer_error;

/* "INVALID" for LAYER_INVALID. Thread-safe. */
const char *layer_status_name(layer_status status);

/* The sentence of the list above. Thread-safe. */
const char *layer_status_sentence(layer_status status);

#ifdef __cplusplus
}
#endif
#endif
