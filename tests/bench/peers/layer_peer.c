/* The library as a contender of the layer benchmark, on the daemon's own worker pool.
 * SPDX-License-Identifier: MIT */
#include "layer/conv.h"
#include "layer/conv_backward.h"
#include "layer/linear.h"
#include "layer/pool.h"
#include "peer.h"
#include "workers.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const peer_row *row;
    layer_conv conv;
    layer_pool pool;
    layer_linear linear;
    void *workspace, *prepared; /* NULL: the weights come with the call */
    float *indices;             /* of a maximum's way back */
    float *output;
} computation;

static const char *const variants[] = {"auto",
#define VARIANT(id, name, bound, sentence) name,
                                       LAYER_CONV_ALGORITHM_LIST(VARIANT)
#undef VARIANT
                                           NULL};

static struct {
    server_work work;
    const peer *self;
    layer_executor executor;
    int status;
    sem_t served;
} pool;

static layer_geometry geometry_of(const peer_row *row)
{
    return (layer_geometry){.strides = {row->stride, row->stride},
                            .pads_begin = {row->pad_h, row->pad_w},
                            .pads_end = {row->pad_h, row->pad_w}};
}

static layer_conv_algorithm algorithm_of(const char *variant)
{
    int algorithm = LAYER_CONV_AUTO;
    while (strcmp(variants[algorithm], variant) != 0)
        algorithm++;
    return (layer_conv_algorithm)algorithm;
}

static bool describe_conv(computation *self, const char *variant, peer_mode mode)
{
    const peer_row *const row = self->row;
    const layer_shape input = {4, {row->n, row->c, row->h, row->w}};
    const layer_shape weight = {4, {row->k, row->c / row->group, row->r, row->s}};
    const layer_conv_options options = {.geometry = geometry_of(row),
                                        .group = row->group,
                                        .algorithm = algorithm_of(variant),
                                        .is_prepared = mode == PEER_PREPARED};
    layer_error error;
    return layer_conv_describe(&self->conv, &input, &weight, &options, &error) == LAYER_OK;
}

static bool describe_linear(computation *self, const char *variant)
{
    const peer_row *const row = self->row;
    const layer_shape input = {2, {row->n, row->c}}, weight = {2, {row->k, row->c}};
    layer_error error;
    return strcmp(variant, "auto") == 0 &&
           layer_linear_describe(&self->linear, &input, &weight, &error) == LAYER_OK;
}

static bool describe_pool(computation *self, const char *variant)
{
    const peer_row *const row = self->row;
    const layer_shape input = {4, {row->n, row->c, row->h, row->w}};
    layer_pool_options options = {.global = peer_is(row, "global")};
    if (!options.global)
        options = (layer_pool_options){.kernel = {row->r, row->s}, .geometry = geometry_of(row)};
    options.kind = peer_begins(row, "max") ? LAYER_POOL_MAX
                   : peer_is(row, "lp")    ? LAYER_POOL_LP
                                           : LAYER_POOL_AVERAGE;
    options.indices = peer_is(row, "max_backward");
    layer_error error;
    return strcmp(variant, "auto") == 0 &&
           layer_pool_describe(&self->pool, &input, &options, &error) == LAYER_OK;
}

static size_t conv_workspace_size(const computation *self, peer_mode mode)
{
    const int threads = pool.executor.threads;
    if (peer_is(self->row, "conv_grad_input"))
        return layer_conv_grad_input_workspace_size(&self->conv, threads);
    if (peer_is(self->row, "conv_grad_weight"))
        return layer_conv_grad_weight_workspace_size(&self->conv, threads);
    return mode == PEER_PREPARED ? layer_conv_prepared_workspace_size(&self->conv, threads)
                                 : layer_conv_workspace_size(&self->conv, threads);
}

static bool describe(computation *self, const char *variant, peer_mode mode, const char **detail,
                     size_t *size)
{
    const peer_row *const row = self->row;
    if (mode != PEER_CALL && !peer_is(row, "conv"))
        return false;
    if (peer_begins(row, "linear"))
        return describe_linear(self, variant);
    if (row->weight == NULL) {
        const bool fits = describe_pool(self, variant);
        *size = fits ? layer_pool_workspace_size(&self->pool, pool.executor.threads) : 0;
        return fits;
    }
    if (!describe_conv(self, variant, mode) ||
        (row->gradient != NULL && strcmp(variant, "auto") != 0) ||
        (mode == PEER_PREPARED && layer_conv_prepared_size(&self->conv) == 0))
        return false;
    *size = conv_workspace_size(self, mode);
    *detail = row->gradient != NULL ? "" : layer_conv_algorithm_name(self->conv.algorithm);
    return true;
}

static void *prepared_weight(const computation *self)
{
    void *const prepared = peer_floats(layer_conv_prepared_size(&self->conv) / sizeof(float));
    layer_conv_prepare(&self->conv, self->row->weight, prepared,
                       &(layer_run){.executor = &pool.executor});
    return prepared;
}

static float *found_indices(const computation *self)
{
    const peer_row *const row = self->row;
    const size_t count = (size_t)(row->n * row->k * row->p * row->q);
    float *const largest = peer_floats(count), *const indices = peer_floats(count);
    layer_pool_forward(&self->pool, row->input, largest, indices,
                       &(layer_run){.workspace = self->workspace, .executor = &pool.executor});
    free(largest);
    return indices;
}

static void *open_computation(const peer_row *row, const char *variant, peer_mode mode,
                              const char **detail)
{
    size_t size = 0;
    computation self = {.row = row};
    if (mode == PEER_OWN || !describe(&self, variant, mode, detail, &size))
        return NULL;
    if (mode == PEER_PREPARED)
        self.prepared = prepared_weight(&self);
    self.workspace = peer_floats(size / sizeof(float) + 1);
    self.output = peer_floats(row->output_count);
    if (peer_is(row, "max_backward"))
        self.indices = found_indices(&self);
    computation *const opened = malloc(sizeof *opened);
    if (opened == NULL)
        abort();
    *opened = self;
    return opened;
}

static void run_linear(const computation *self, const layer_run *run)
{
    const peer_row *const row = self->row;
    if (peer_is(row, "linear"))
        layer_linear_forward(&self->linear, row->input, row->weight, NULL, self->output, run);
    else if (peer_is(row, "linear_grad_input"))
        layer_linear_grad_input(&self->linear, row->weight, row->gradient, self->output, run);
    else
        layer_linear_grad_weight(&self->linear, row->input, row->gradient, self->output, run);
}

static void run_conv(const computation *self, const layer_run *run)
{
    const peer_row *const row = self->row;
    if (peer_is(row, "conv_grad_input"))
        layer_conv_grad_input(&self->conv, row->weight, row->gradient, self->output, run);
    else if (peer_is(row, "conv_grad_weight"))
        layer_conv_grad_weight(&self->conv, row->input, row->gradient, self->output, run);
    else if (self->prepared != NULL)
        layer_conv_forward_prepared(&self->conv, row->input, self->prepared, NULL, self->output,
                                    run);
    else
        layer_conv_forward(&self->conv, row->input, row->weight, NULL, self->output, run);
}

static void run_computation(void *work)
{
    const computation *const self = work;
    const layer_run run = {.workspace = self->workspace, .executor = &pool.executor};
    const peer_row *const row = self->row;
    if (peer_begins(row, "linear"))
        run_linear(self, &run);
    else if (row->weight != NULL)
        run_conv(self, &run);
    else if (row->gradient != NULL)
        layer_pool_backward(&self->pool, row->input, row->gradient, self->indices, self->output,
                            &run);
    else
        layer_pool_forward(&self->pool, row->input, self->output, NULL, &run);
}

static void read_computation(void *work, float *output)
{
    const computation *const self = work;
    memcpy(output, self->output, self->row->output_count * sizeof *output);
}

static void close_computation(void *work)
{
    computation *const self = work;
    free(self->workspace);
    free(self->prepared);
    free(self->indices);
    free(self->output);
    free(self);
}

static void serve(server_work *work)
{
    (void)work;
    pool.status = peer_serve(pool.self);
    sem_post(&pool.served);
}

/* Everything happens on a worker, as in the daemon; idle workers help it. */
int main(int count, char *arguments[])
{
    static const peer self = {"layerd " LAYERD_VERSION, variants,         open_computation,
                              run_computation,          read_computation, close_computation};
    if (!server_workers_start((size_t)peer_threads(count, arguments), 1))
        return EXIT_FAILURE;
    const api_run executor = server_workers_executor(NULL);
    pool.self = &self;
    pool.work.run = serve;
    pool.executor = (layer_executor){executor.parallel_for, executor.context, executor.threads};
    if (sem_init(&pool.served, 0, 0) != 0 || !server_workers_reserve())
        return EXIT_FAILURE;
    server_workers_push(&pool.work);
    sem_wait(&pool.served); /* workers that are told to stop do not help */
    server_workers_stop();
    return pool.status;
}
