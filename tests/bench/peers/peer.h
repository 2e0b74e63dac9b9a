/* A contender of the layer benchmark: a process that is told a row, then computes it when asked.
 *
 * It starts as `peer THREADS`, says `VERSION` and then the names of its variants, a line each, and
 * answers every line of its standard input by one:
 *
 *     row KIND N C K H W R S STRIDE PAD_H PAD_W GROUP DIRECTORY
 *         `ok`: forgets the row before, and reads what the kind has of DIRECTORY/input, weight and
 *         gradient (floats)
 *     open VARIANT MODE
 *         `ok DETAIL`: DIRECTORY/output holds what it computes; or `no REASON`
 *     time VARIANT MODE SECONDS CLOCK
 *         microseconds of each of its runs, at least one, after one that is not counted; CLOCK is
 *         wall, or cpu for what the process takes of a processor that others want too
 *
 * KIND is conv or linear, either followed by _grad_input or _grad_weight; or a kind of pooling:
 * max, average, global, lp (the norm of p = 2), max_backward, average_backward. A linear layer is
 * the row of a convolution of 1x1 images. MODE says what a run has to do:
 *
 *     call      all: inputs, outputs and weights are plain (NCHW, OIHW)
 *     prepared  the same but for the weights, which it has had time to transform
 *     own       the same but for inputs and outputs, which are laid out as it likes best
 *
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>

/* Letters as everywhere: N batch, C H W input, K outputs, R S kernel, P Q output. */
typedef struct {
    char kind[32];
    int n, c, k, h, w, r, s, stride, pad_h, pad_w, group, p, q;
    float *input, *weight, *gradient; /* weight: NULL for pooling; gradient: for the way back */
    size_t output_count;
} peer_row;

typedef enum { PEER_CALL, PEER_PREPARED, PEER_OWN } peer_mode;

typedef struct {
    const char *version;
    const char *const *variants; /* NULL at the end */
    /* What run() works on; NULL if it cannot. May set *detail to a word about how it will. */
    void *(*open)(const peer_row *row, const char *variant, peer_mode mode, const char **detail);
    void (*run)(void *work);
    /* Copies what the last run computed. */
    void (*read)(void *work, float *output);
    void (*close)(void *work);
} peer;

/* Serves until the end of the standard input; what main() returns. */
int peer_serve(const peer *self);

/* Whether the row's kind is, or begins or ends so. */
bool peer_is(const peer_row *row, const char *kind);
bool peer_begins(const peer_row *row, const char *beginning);
bool peer_ends(const peer_row *row, const char *end);

/* Memory for floats, aligned to a page, or the end of the program. */
float *peer_floats(size_t count);

/* The arguments of main(): how many threads to use. */
int peer_threads(int count, char *arguments[]);

#endif
