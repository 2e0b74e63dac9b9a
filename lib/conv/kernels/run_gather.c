/* Gathering runs.
 * SPDX-License-Identifier: MIT */
#include "conv/runs.h"
#include "core/kernels/vectors.h"

/* Whole vectors of a run, and what is left. */
__attribute__((always_inline)) static inline void gather_row(const layer_runs *runs,
                                                             const float *from, float *to,
                                                             size_t whole, lanes_range rest,
                                                             int rest_count)
{
    for (size_t r = 0; r < runs->run_count; r++, to += runs->length) {
        const float *const run = from + runs->runs[r];
        for (size_t j = 0; j < whole; j += LANES)
            lanes_store(to + j, lanes_load(run + j));
        if (rest_count > 0)
            lanes_store_some(to + whole, lanes_load_range(run + whole, rest), rest_count);
    }
}

static void gather(const layer_runs *runs)
{
    const size_t whole = runs->length / LANES * LANES;
    const int count = (int)(runs->length - whole);
    const lanes_range rest = lanes_between(0, count);
    for (size_t i = 0; i < runs->row_count; i++)
        gather_row(runs, runs->from + runs->rows[i], runs->to + i * runs->leading, whole, rest,
                   count);
}

const layer_run_kernels LAYER_KERNELS(layer_run_kernels) = {gather};
