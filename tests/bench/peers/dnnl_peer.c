/* oneDNN 2 as a contender of the layer benchmark.
 *
 * Variants: `direct` and `winograd` in the layouts that oneDNN chooses, reordered from and to plain
 * ones; `plain` on plain layouts as they are.
 *
 * SPDX-License-Identifier: MIT */
#include "peer.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT, WEIGHT, OUTPUT, TENSORS };

/* What a primitive makes of the others, and what it then calls the tensors. */
static const int arguments_of[TENSORS][TENSORS] = {
    [INPUT] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
    [WEIGHT] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
    [OUTPUT] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
};
static const dnnl_query_t queries_of[TENSORS][TENSORS] = {
    [INPUT] = {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
    [WEIGHT] = {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md},
    [OUTPUT] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
};

/* A tensor as its user has it and as the primitive wants it; the same if that is no difference. */
typedef struct {
    dnnl_memory_desc_t plain, wanted;
    dnnl_memory_t from, to;
    dnnl_primitive_t reorder; /* NULL: there is nothing to do */
} tensor;

typedef struct {
    tensor tensors[TENSORS];
    size_t result; /* which of them is made */
    dnnl_primitive_t primitive;
    peer_mode mode;
} computation;

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void expect(dnnl_status_t status)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "dnnl_peer: oneDNN says %d\n", (int)status);
    exit(EXIT_FAILURE);
}

static void describe(dnnl_memory_desc_t *descriptor, int rank, const dnnl_dims_t extent,
                     dnnl_format_tag_t tag)
{
    expect(dnnl_memory_desc_init_by_tag(descriptor, rank, extent, dnnl_f32, tag));
}

static void describe_plain(computation *self, const peer_row *row)
{
    const dnnl_dims_t input = {row->n, row->c, row->h, row->w};
    const dnnl_dims_t output = {row->n, row->k, row->p, row->q};
    const dnnl_dims_t weight = {row->k, row->c, row->r, row->s};
    if (peer_begins(row, "linear")) {
        describe(&self->tensors[INPUT].plain, 2, input, dnnl_ab);
        describe(&self->tensors[OUTPUT].plain, 2, output, dnnl_ab);
        describe(&self->tensors[WEIGHT].plain, 2, weight, dnnl_ab);
        return;
    }
    const dnnl_dims_t grouped = {row->group, row->k / row->group, row->c / row->group, row->r,
                                 row->s};
    describe(&self->tensors[INPUT].plain, 4, input, dnnl_nchw);
    describe(&self->tensors[OUTPUT].plain, 4, output, dnnl_nchw);
    if (row->group > 1)
        describe(&self->tensors[WEIGHT].plain, 5, grouped, dnnl_goihw);
    else
        describe(&self->tensors[WEIGHT].plain, 4, weight, dnnl_oihw);
}

/* What the primitive is asked to take: what it likes, or plain layouts. */
static void describe_wanted(computation *self, dnnl_format_tag_t layout)
{
    for (size_t i = 0; i < TENSORS; i++) {
        tensor *const at = &self->tensors[i];
        if (layout == dnnl_format_tag_undef)
            at->wanted = at->plain;
        else
            describe(&at->wanted, at->plain.ndims, at->plain.dims, layout);
    }
}

/* The operation's descriptor is `wanted`; *found is NULL if there is nothing for it. */
static void find(dnnl_status_t status, const_dnnl_op_desc_t wanted, dnnl_primitive_desc_t *found)
{
    if (status != dnnl_success ||
        dnnl_primitive_desc_create(found, wanted, NULL, engine, NULL) != dnnl_success)
        *found = NULL;
}

static void find_conv(computation *self, const peer_row *row, const char *variant,
                      dnnl_primitive_desc_t *found)
{
    const dnnl_dims_t strides = {row->stride, row->stride}, pads = {row->pad_h, row->pad_w};
    const dnnl_alg_kind_t algorithm =
        strcmp(variant, "winograd") == 0 ? dnnl_convolution_winograd : dnnl_convolution_direct;
    const dnnl_memory_desc_t *const input = &self->tensors[INPUT].wanted;
    const dnnl_memory_desc_t *const weight = &self->tensors[WEIGHT].wanted;
    const dnnl_memory_desc_t *const output = &self->tensors[OUTPUT].wanted;
    dnnl_convolution_desc_t wanted;
    describe_wanted(self,
                    strcmp(variant, "plain") == 0 ? dnnl_format_tag_undef : dnnl_format_tag_any);
    if (self->result == INPUT)
        find(dnnl_convolution_backward_data_desc_init(&wanted, algorithm, input, weight, output,
                                                      strides, pads, pads),
             &wanted, found);
    else if (self->result == WEIGHT)
        find(dnnl_convolution_backward_weights_desc_init(&wanted, algorithm, input, weight, NULL,
                                                         output, strides, pads, pads),
             &wanted, found);
    else
        find(dnnl_convolution_forward_desc_init(&wanted, dnnl_forward_inference, algorithm, input,
                                                weight, NULL, output, strides, pads, pads),
             &wanted, found);
}

static void find_linear(computation *self, const char *variant, dnnl_primitive_desc_t *found)
{
    const dnnl_memory_desc_t *const input = &self->tensors[INPUT].wanted;
    const dnnl_memory_desc_t *const weight = &self->tensors[WEIGHT].wanted;
    const dnnl_memory_desc_t *const output = &self->tensors[OUTPUT].wanted;
    dnnl_inner_product_desc_t wanted;
    describe_wanted(self,
                    strcmp(variant, "plain") == 0 ? dnnl_format_tag_undef : dnnl_format_tag_any);
    *found = NULL;
    if (strcmp(variant, "winograd") == 0)
        return;
    if (self->result == INPUT)
        find(dnnl_inner_product_backward_data_desc_init(&wanted, input, weight, output), &wanted,
             found);
    else if (self->result == WEIGHT)
        find(dnnl_inner_product_backward_weights_desc_init(&wanted, input, weight, NULL, output),
             &wanted, found);
    else
        find(dnnl_inner_product_forward_desc_init(&wanted, dnnl_forward_inference, input, weight,
                                                  NULL, output),
             &wanted, found);
}

static void find_pool(computation *self, const peer_row *row, const char *variant,
                      dnnl_primitive_desc_t *found)
{
    const dnnl_dims_t strides = {row->stride, row->stride}, pads = {row->pad_h, row->pad_w};
    const dnnl_dims_t kernel = {row->r, row->s};
    describe_wanted(self, strcmp(variant, "plain") == 0 ? dnnl_format_tag_undef : dnnl_nChw16c);
    dnnl_pooling_desc_t wanted;
    *found = NULL;
    if (strcmp(variant, "winograd") == 0 || row->gradient != NULL || peer_is(row, "lp"))
        return;
    expect(dnnl_pooling_forward_desc_init(
        &wanted, dnnl_forward_inference,
        peer_is(row, "max") ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding,
        &self->tensors[INPUT].wanted, &self->tensors[OUTPUT].wanted, strides, kernel, pads, pads));
    expect(dnnl_primitive_desc_create(found, &wanted, NULL, engine, NULL));
}

static dnnl_primitive_t create(dnnl_primitive_desc_t descriptor)
{
    dnnl_primitive_t primitive;
    expect(dnnl_primitive_create(&primitive, descriptor));
    expect(dnnl_primitive_desc_destroy(descriptor));
    return primitive;
}

static dnnl_memory_t allocate(const dnnl_memory_desc_t *descriptor)
{
    dnnl_memory_t memory;
    expect(dnnl_memory_create(&memory, descriptor, engine, DNNL_MEMORY_ALLOCATE));
    return memory;
}

static void prepare_tensor(tensor *self, const dnnl_memory_desc_t *wanted, float *data, bool out)
{
    self->wanted = *wanted;
    expect(dnnl_memory_create(&self->from, &self->plain, engine,
                              data != NULL ? (void *)data : DNNL_MEMORY_ALLOCATE));
    if (dnnl_memory_desc_equal(&self->plain, wanted)) {
        self->to = self->from;
        return;
    }
    dnnl_primitive_desc_t descriptor;
    self->to = allocate(wanted);
    expect(dnnl_reorder_primitive_desc_create(&descriptor, out ? wanted : &self->plain, engine,
                                              out ? &self->plain : wanted, engine, NULL));
    self->reorder = create(descriptor);
}

static void execute(dnnl_primitive_t primitive, size_t count, const dnnl_exec_arg_t arguments[])
{
    expect(dnnl_primitive_execute(primitive, stream, (int)count, arguments));
}

static void reorder(const tensor *self, bool out)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, out ? self->to : self->from},
                                         {DNNL_ARG_TO, out ? self->from : self->to}};
    if (self->reorder != NULL)
        execute(self->reorder, 2, arguments);
}

static void compute(const computation *self)
{
    dnnl_exec_arg_t arguments[TENSORS];
    size_t count = 0;
    for (size_t i = 0; i < TENSORS; i++)
        if (self->tensors[i].to != NULL)
            arguments[count++] =
                (dnnl_exec_arg_t){arguments_of[self->result][i], self->tensors[i].to};
    execute(self->primitive, count, arguments);
}

/* The name of the implementation, as `jit:avx512_core`. */
static const char *implementation(dnnl_primitive_desc_t descriptor)
{
    static char name[64];
    const char *text = "";
    dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &text);
    snprintf(name, sizeof name, "%s", text);
    return name;
}

/* The plain definition, which oneDNN has for what nothing else can: a hundred times as slow. */
static bool is_reference(const char *name)
{
    return strncmp(name, "ref", 3) == 0;
}

static size_t result_of(const peer_row *row)
{
    if (peer_ends(row, "_grad_weight"))
        return WEIGHT;
    return peer_ends(row, "_grad_input") ? INPUT : OUTPUT;
}

static void *open_computation(const peer_row *row, const char *variant, peer_mode mode,
                              const char **detail)
{
    dnnl_primitive_desc_t found;
    computation self = {.mode = mode};
    if (mode == PEER_PREPARED && !peer_is(row, "conv"))
        return NULL;
    float *data[TENSORS] = {row->input, row->weight, row->gradient};
    self.result = result_of(row);
    data[self.result] = NULL;
    describe_plain(&self, row);
    if (peer_begins(row, "linear"))
        find_linear(&self, variant, &found);
    else
        (row->weight != NULL ? find_conv : find_pool)(&self, row, variant, &found);
    if (found == NULL)
        return NULL;
    *detail = implementation(found);
    if (is_reference(*detail)) {
        expect(dnnl_primitive_desc_destroy(found));
        return NULL;
    }
    for (size_t i = 0; i < TENSORS; i++)
        if (i != WEIGHT || row->weight != NULL)
            prepare_tensor(&self.tensors[i],
                           dnnl_primitive_desc_query_md(found, queries_of[self.result][i], 0),
                           data[i], i == self.result);
    self.primitive = create(found);
    for (size_t i = 0; i < TENSORS; i++)
        if (i != self.result)
            reorder(&self.tensors[i], false);
    computation *const opened = malloc(sizeof *opened);
    if (opened == NULL)
        abort();
    *opened = self;
    return opened;
}

static void run_computation(void *work)
{
    const computation *const self = work;
    for (size_t i = 0; i < TENSORS; i++)
        if (i != self->result && (i == WEIGHT ? self->mode == PEER_CALL : self->mode != PEER_OWN))
            reorder(&self->tensors[i], false);
    compute(self);
    if (self->mode != PEER_OWN)
        reorder(&self->tensors[self->result], true);
    expect(dnnl_stream_wait(stream));
}

static void read_computation(void *work, float *output)
{
    const computation *const self = work;
    const tensor *const made = &self->tensors[self->result];
    void *data;
    if (self->mode == PEER_OWN)
        reorder(made, true);
    expect(dnnl_stream_wait(stream));
    expect(dnnl_memory_get_data_handle(made->from, &data));
    memcpy(output, data, dnnl_memory_desc_get_size(&made->plain));
}

static void close_computation(void *work)
{
    computation *const self = work;
    expect(dnnl_primitive_destroy(self->primitive));
    for (size_t i = 0; i < TENSORS; i++) {
        const tensor *const at = &self->tensors[i];
        if (at->reorder != NULL) {
            expect(dnnl_primitive_destroy(at->reorder));
            expect(dnnl_memory_destroy(at->to));
        }
        if (at->from != NULL)
            expect(dnnl_memory_destroy(at->from));
    }
    free(self);
}

/* The driver sets OMP_NUM_THREADS, which is what this library heeds. */
int main(int count, char *arguments[])
{
    static const char *const variants[] = {"direct", "winograd", "plain", NULL};
    static char version[32];
    const dnnl_version_t *const numbers = dnnl_version();
    peer_threads(count, arguments);
    snprintf(version, sizeof version, "oneDNN %d.%d.%d", numbers->major, numbers->minor,
             numbers->patch);
    expect(dnnl_engine_create(&engine, dnnl_cpu, 0));
    expect(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    return peer_serve(&(peer){version, variants, open_computation, run_computation,
                              read_computation, close_computation});
}
