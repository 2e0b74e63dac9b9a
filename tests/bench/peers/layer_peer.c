/* The library as a contender of the layer benchmark, on the daemon's own worker pool.
 * SPDX-License-Identifier: MIT */
#include "layer/conv.h"
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
    void *workspace, *prepared; /* NULL: the weights come with the call */
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

static bool describe_pool(computation *self, const char *variant)
{
    const peer_row *const row = self->row;
    const layer_shape input = {4, {row->n, row->c, row->h, row->w}};
    layer_pool_options options = {.kind = LAYER_POOL_AVERAGE, .global = true};
    if (strcmp(row->kind, "global") != 0)
        options = (layer_pool_options){.kernel = {row->r, row->s}, .geometry = geometry_of(row)};
    if (strcmp(row->kind, "max") != 0)
        options.kind = LAYER_POOL_AVERAGE;
    layer_error error;
    return strcmp(variant, "auto") == 0 &&
           layer_pool_describe(&self->pool, &input, &options, &error) == LAYER_OK;
}

static bool describe(computation *self, const char *variant, peer_mode mode, const char **detail,
                     size_t *size)
{
    const int threads = pool.executor.threads;
    if (self->row->weight == NULL) {
        if (mode != PEER_CALL)
            return false;
        const bool fits = describe_pool(self, variant);
        *size = fits ? layer_pool_workspace_size(&self->pool, threads) : 0;
        return fits;
    }
    if (!describe_conv(self, variant, mode) ||
        (mode == PEER_PREPARED && layer_conv_prepared_size(&self->conv) == 0))
        return false;
    *size = mode == PEER_PREPARED ? layer_conv_prepared_workspace_size(&self->conv, threads)
                                  : layer_conv_workspace_size(&self->conv, threads);
    *detail = layer_conv_algorithm_name(self->conv.algorithm);
    return true;
}

static void *prepared_weight(const computation *self)
{
    void *const prepared = peer_floats(layer_conv_prepared_size(&self->conv) / sizeof(float));
    layer_conv_prepare(&self->conv, self->row->weight, prepared,
                       &(layer_run){.executor = &pool.executor});
    return prepared;
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
    computation *const opened = malloc(sizeof *opened);
    if (opened == NULL)
        abort();
    *opened = self;
    return opened;
}

static void run_computation(void *work)
{
    const computation *const self = work;
    const layer_run run = {.workspace = self->workspace, .executor = &pool.executor};
    const peer_row *const row = self->row;
    if (self->prepared != NULL)
        layer_conv_forward_prepared(&self->conv, row->input, self->prepared, NULL, self->output,
                                    &run);
    else if (row->weight != NULL)
        layer_conv_forward(&self->conv, row->input, row->weight, NULL, self->output, &run);
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
