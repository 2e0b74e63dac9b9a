/* Convolution by Fourier's transform: tiles of a plane, multiplied with the kernel in frequencies.
 * A kernel's size costs nothing but what neighbouring tiles have in common.
 * SPDX-License-Identifier: MIT */
#include "conv/fft.h"
#include "conv/fft_cut.h"
#include "conv/plane_sum.h"
#include "conv/rank_one.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Pairs of tiles of a task at least, for each task transforms the kernel anew; and into how many
 * tasks a plane is cut if that leaves so many. */
enum { FEWEST_PAIRS = 4, TASKS = 8 };

typedef struct {
    const layer_conv *conv;
    const float *input, *weight, *bias;
    float *output;
    const layer_run *run;
    const layer_fft_kernels *kernels;
    layer_fft_cut height, width;
    int root_count;
    size_t pairs, pairs_per_task, tasks_per_plane; /* of a plane */
} fft_conv;

/* ---- Planning -------------------------------------------------------------------------------- */

static fft_conv plan(const layer_conv *conv)
{
    fft_conv call = {
        .conv = conv,
        .height = layer_fft_cut_axis(&conv->window[LAYER_HEIGHT]),
        .width = layer_fft_cut_axis(&conv->window[LAYER_WIDTH]),
    };
    call.root_count = call.height.side > call.width.side ? call.height.side : call.width.side;
    call.pairs = layer_blocks_of((size_t)call.height.tiles * (size_t)call.width.tiles, 2);
    call.pairs_per_task =
        layer_smaller(layer_larger(layer_blocks_of(call.pairs, TASKS), FEWEST_PAIRS), call.pairs);
    call.tasks_per_plane = layer_blocks_of(call.pairs, call.pairs_per_task);
    return call;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* A thread's, in floats. */
typedef struct {
    size_t tile, rows, end; /* the spectrum comes first */
} layout;

static layout layout_of(const fft_conv *call)
{
    const size_t tile = 2 * (size_t)call->height.side * (size_t)call->width.side;
    layout at = {.tile = tile, .rows = 2 * tile};
    at.end = at.rows + 2 * (size_t)call->width.side * LAYER_FFT_ROWS;
    return at;
}

static void list_roots(float *roots, int count)
{
    const double turn = -6.283185307179586 / count;
    for (int i = 0; i < count; i++) {
        roots[2 * i] = (float)cos(turn * i);
        roots[2 * i + 1] = (float)sin(turn * i);
    }
}

/* ---- A plane --------------------------------------------------------------------------------- */

/* The kernel [R][S], dilated and turned round, unless convolution has turned it already: as a
 * convolution's it reaches back from where it ends. */
static layer_fft_source spread_kernel(const fft_conv *call, const float *kernel, float *spread)
{
    const layer_window *const height = &call->conv->window[LAYER_HEIGHT];
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const bool turned = call->conv->mode == LAYER_CONV_CONVOLUTION;
    const int rows = call->height.span, columns = call->width.span;
    memset(spread, 0, (size_t)rows * (size_t)columns * sizeof *spread);
    for (int r = 0; r < height->kernel; r++)
        for (int s = 0; s < width->kernel; s++) {
            const int row = r * height->dilation, column = s * width->dilation;
            const int at =
                turned ? row * columns + column : (rows - 1 - row) * columns + columns - 1 - column;
            spread[at] = kernel[r * width->kernel + s];
        }
    return (layer_fft_source){spread, columns, {0, rows}, {0, columns}};
}

/* Of a side of a tile, from the input's cell `first` on, what lies on the input. */
static layer_steps inside(ptrdiff_t first, int side, int input)
{
    return layer_steps_inside(first, 1, input, side);
}

static void locate_tile(const fft_conv *call, size_t number, const float *plane, float *output,
                        layer_fft_source *source, layer_fft_target *target)
{
    const layer_window *const height = &call->conv->window[LAYER_HEIGHT];
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const int p = (int)(number / (size_t)call->width.tiles) * call->height.outputs;
    const int q = (int)(number % (size_t)call->width.tiles) * call->width.outputs;
    if (p >= height->output) { /* the last pair may lack its second tile */
        source->x = NULL;
        target->output = NULL;
        return;
    }
    const ptrdiff_t row = (ptrdiff_t)p * height->stride - height->pad_begin;
    const ptrdiff_t column = (ptrdiff_t)q * width->stride - width->pad_begin;
    source->x = plane == NULL ? NULL : plane + row * width->input + column;
    source->rows = inside(row, call->height.side, height->input);
    source->columns = inside(column, call->width.side, width->input);
    target->output = output + (ptrdiff_t)p * width->output + q;
    target->rows =
        height->output - p < call->height.outputs ? height->output - p : call->height.outputs;
    target->columns =
        width->output - q < call->width.outputs ? width->output - q : call->width.outputs;
}

/* Some pairs of tiles of one plane of outputs, and what they come from. */
typedef struct {
    size_t first, end;
    float *output;
    float bias;
    layer_fft fft;
    float *spectrum;
} share;

/* Adds what a plane brings through a slice of the kernel; both may be NULL: nothing. */
static void add_plane(const fft_conv *call, const share *part, const float *plane,
                      const float *kernel, bool accumulates)
{
    const layer_window *const height = &call->conv->window[LAYER_HEIGHT];
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const layer_fft_source spread =
        kernel == NULL ? (layer_fft_source){0} : spread_kernel(call, kernel, part->spectrum);
    call->kernels->analyze(&part->fft, &spread, part->spectrum);
    for (size_t pair = part->first; pair < part->end && !layer_run_cancelled(call->run); pair++) {
        layer_fft_source sources[2];
        layer_fft_target targets[2];
        for (size_t i = 0; i < 2; i++) {
            sources[i] = (layer_fft_source){.leading = width->input};
            targets[i] = (layer_fft_target){
                .leading = width->output,
                .first_row = call->height.span - 1,
                .row_stride = height->stride,
                .first_column = call->width.span - 1,
                .column_stride = width->stride,
                .bias = part->bias,
                .accumulates = accumulates,
            };
            locate_tile(call, 2 * pair + i, plane, part->output, &sources[i], &targets[i]);
        }
        call->kernels->filter(&part->fft, sources, part->spectrum, targets);
    }
}

/* ---- Tasks ----------------------------------------------------------------------------------- */

static layer_fft fft_in(const fft_conv *call, int thread, float **spectrum)
{
    const layout at = layout_of(call);
    float *const roots = call->run->workspace;
    float *const memory = roots + 2 * (size_t)call->root_count + (size_t)thread * at.end;
    *spectrum = memory;
    return (layer_fft){
        .height = call->height.side,
        .width = call->width.side,
        .roots = roots,
        .root_count = call->root_count,
        .tile = memory + at.tile,
        .rows = memory + at.rows,
    };
}

/* [N][K][depth][pairs] */
static void compute_share(void *argument, size_t task, int thread)
{
    const fft_conv *const call = argument;
    const layer_conv *const conv = call->conv;
    const size_t index = task / call->tasks_per_plane;
    const size_t depths = (size_t)conv->window[LAYER_DEPTH].output;
    const size_t channels = (size_t)conv->weight.extent[0], channel = index / depths % channels;
    const size_t outputs = channels / (size_t)conv->group;
    const size_t first = task % call->tasks_per_plane * call->pairs_per_task;
    const size_t plane =
        (size_t)conv->window[LAYER_HEIGHT].output * (size_t)conv->window[LAYER_WIDTH].output;
    share part = {
        .first = first,
        .end = layer_smaller(first + call->pairs_per_task, call->pairs),
        .output = call->output + index * plane,
        .bias = call->bias == NULL ? 0 : call->bias[channel],
    };
    part.fft = fft_in(call, thread, &part.spectrum);
    const layer_plane_sum sum = layer_plane_sum_of(
        conv, index / depths / channels, channel / outputs, channel, (int)(index % depths));
    const size_t terms = call->height.is_met && call->width.is_met ? sum.terms : 0;
    if (terms == 0)
        add_plane(call, &part, NULL, NULL, false);
    for (size_t i = 0; i < terms && !layer_run_cancelled(call->run); i++) {
        const layer_plane_term term = layer_plane_term_at(&sum, i);
        add_plane(call, &part, call->input + term.input, call->weight + term.weight, i > 0);
    }
}

/* ---- Kernels of rank one --------------------------------------------------------------------- */

/* Few lines of rank one are done sooner in two passes, by filtering in space. */
enum { MOST_LINES_OF_PASSES = 64 };

static bool may_be_passes(const layer_conv *conv)
{
    const layer_window *const window = conv->window;
    return conv->weight.extent[1] == 1 && window[LAYER_DEPTH].kernel == 1 &&
           window[LAYER_HEIGHT].kernel + window[LAYER_WIDTH].kernel <= MOST_LINES_OF_PASSES;
}

static bool are_passes(const layer_conv *conv, const float *weight)
{
    float column[MOST_LINES_OF_PASSES], row[MOST_LINES_OF_PASSES];
    const int rows = conv->window[LAYER_HEIGHT].kernel, columns = conv->window[LAYER_WIDTH].kernel;
    for (int k = 0; k < conv->weight.extent[0]; k++)
        if (!layer_rank_one(weight + (ptrdiff_t)k * rows * columns, rows, columns, column, 1, row))
            return false;
    return true;
}

/* ---- The convolution ------------------------------------------------------------------------- */

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const fft_conv call = plan(conv);
    const size_t size =
        (2 * (size_t)call.root_count + (size_t)threads * layout_of(&call).end) * sizeof(float);
    return may_be_passes(conv)
               ? layer_larger(size,
                              layer_conv_implementation_DEPTHWISE.workspace_size(conv, threads))
               : size;
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    assert(run->workspace != NULL);
    if (may_be_passes(conv) && are_passes(conv, weight))
        return layer_conv_implementation_DEPTHWISE.forward(conv, input, weight, bias, output, run);
    fft_conv call = plan(conv);
    call.input = input;
    call.weight = weight;
    call.bias = bias;
    call.output = output;
    call.run = run;
    call.kernels = layer_fft_kernels_at(run->isa);
    list_roots(run->workspace, call.root_count);
    const size_t planes = (size_t)conv->output.extent[0] * (size_t)conv->output.extent[1] *
                          (size_t)conv->window[LAYER_DEPTH].output;
    return layer_run_tasks(run, planes * call.tasks_per_plane, compute_share, &call);
}

/* ---- Choice ---------------------------------------------------------------------------------- */

/* Half a tile may be a kernel's. */
enum { MOST_SPAN = LAYER_FFT_MOST_SIDE / 2 };

static bool computes(const layer_conv *conv)
{
    return layer_fft_span(&conv->window[LAYER_HEIGHT]) <= MOST_SPAN &&
           layer_fft_span(&conv->window[LAYER_WIDTH]) <= MOST_SPAN;
}

/* A step of a transform costs as much as so many multiplications do in space. Measured. */
static const double STEP_COST = 9;

static double cost(const layer_conv *conv)
{
    const fft_conv call = plan(conv);
    const double tile = (double)call.height.side * call.width.side;
    const double planes =
        (double)conv->output.extent[0] * conv->output.extent[1] * conv->window[LAYER_DEPTH].output;
    const double terms = (double)conv->weight.extent[1] * conv->window[LAYER_DEPTH].kernel;
    /* A kernel is transformed one way only, for each task. */
    const double pairs = (double)call.pairs + (double)call.tasks_per_plane / 2;
    return STEP_COST * planes * terms * pairs * tile * log2(tile);
}

const layer_conv_implementation layer_conv_implementation_FFT = {
    .computes = computes,
    .domain = "kernels that span at most 256 along height and width",
    .cost = cost,
    .workspace_size = workspace_size,
    .forward = forward,
};
