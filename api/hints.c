/* Did you mean: other frameworks' names first, then the smallest number of slips of the pen.
 * SPDX-License-Identifier: MIT */
#include "hints.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* One row a name that people bring along: theirs, ours. A name may mean several things; the one
 * that is offered counts. */
static const char *const aliases[][2] = {
    {"stride", "strides"},
    {"padding", "pads"},
    {"padding", "auto_pad"},
    {"padding_mode", "auto_pad"},
    {"dilation", "dilations"},
    {"dilation_rate", "dilations"},
    {"groups", "group"},
    {"feature_group_count", "group"},
    {"kernel_size", "kernel_shape"},
    {"kernel", "weight"},
    {"kernels", "weight"},
    {"filter", "weight"},
    {"filters", "weight"},
    {"w", "weight"},
    {"x", "input"},
    {"image", "input"},
    {"data", "input"},
    {"b", "bias"},
    {"algo", "algorithm"},
    {"format", "output_format"},
    {"type", "datatype"},
    {"dtype", "datatype"},
    {"values", "data"},
    {"initializer", "method"},
    {"size", "shape"},
    {"dims", "shape"},
    {"activation", "nonlinearity"},
    {"negative_slope", "slope"},
    {"random_state", "seed"},
    {"same", "SAME_UPPER"},
    {"correlation", "cross-correlation"},
    {"xavier", "xavier_normal"},
    {"glorot", "xavier_normal"},
    {"glorot_uniform", "xavier_uniform"},
    {"glorot_normal", "xavier_normal"},
    {"kaiming", "kaiming_normal"},
    {"he_normal", "kaiming_normal"},
    {"he_uniform", "kaiming_uniform"},
    {"lecun", "lecun_normal"},
    {"trunc_normal", "truncated_normal"},
    {"gaussian", "normal"},
    {"zeros", "constant"},
    {"ones", "constant"},
    {"stddev", "std"},
    {"orthonormal", "orthogonal"},
    {"convolve", "conv"},
    {"convolution", "conv"},
    {"conv2d", "conv"},
    {"init", "initialize"},
};

enum { LONGEST = 32 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, whatever the
 * case: the optimal string alignment distance. Both have at most LONGEST bytes. */
static int edits(const char *a, const char *b)
{
    const size_t rows = strlen(a);
    const size_t columns = strlen(b);
    int distance[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= rows; i++) {
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                distance[i][j] = (int)(i + j);
                continue;
            }
            const int a_here = tolower((unsigned char)a[i - 1]);
            const int b_here = tolower((unsigned char)b[j - 1]);
            int best = distance[i - 1][j - 1] + (a_here != b_here);
            best = least(best, least(distance[i - 1][j], distance[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a_here == tolower((unsigned char)b[j - 2]) &&
                b_here == tolower((unsigned char)a[i - 2]))
                best = least(best, distance[i - 2][j - 2] + 1);
            distance[i][j] = best;
        }
    }
    return distance[rows][columns];
}

static int is_alias(const char *unknown, const char *known)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcasecmp(aliases[i][0], unknown) == 0 && strcmp(aliases[i][1], known) == 0)
            return 1;
    return 0;
}

api_hint api_hint_for(const char *unknown)
{
    const int forgiven = (int)(strnlen(unknown, LONGEST) + 1) / 3;
    return (api_hint){.unknown = unknown, .distance = forgiven + 1};
}

void api_hint_offer(api_hint *hint, const char *known)
{
    int distance = hint->distance;
    if (is_alias(hint->unknown, known))
        distance = 0;
    else if (strnlen(hint->unknown, LONGEST + 1) <= LONGEST && strlen(known) <= LONGEST)
        distance = edits(hint->unknown, known);
    if (distance < hint->distance) {
        hint->distance = distance;
        hint->nearest = known;
    }
}
