/* Convolution as it is written: every output is a sum over channels and kernel cells. A row of
 * outputs at a time.
 * SPDX-License-Identifier: MIT */
#include "conv/direct_row.h"
#include "conv/implementation.h"
#include "core/tasks.h"

/* Multiplications a task should hold, so that handing it to a thread costs little beside it. */
enum { TASK_MULTIPLICATIONS = 1 << 17 };

/* Columns computed at once: a long row, of a signal say, is cut into several. */
enum { MOST_COLUMNS = 4096 };

typedef struct {
    const layer_conv *conv;
    const float *input, *weight, *bias;
    float *output;
    size_t rows_per_plane, pieces_per_row;
    size_t pieces, pieces_per_task;              /* [N][K][depth][P][piece] */
    layer_strides input_strides, weight_strides; /* the latter backwards for a flipped kernel */
    layer_steps whole; /* the columns whose windows lie on real input entirely */
    const layer_direct_kernels *kernels;
} direct;

/* One plane of outputs. */
typedef struct {
    const float *input;  /* the group's channels */
    const float *weight; /* of the first channel, the cell that meets a window's first */
    float *output;
    float bias;
} output_plane;

/* Plane `index` of [N][K]. */
static output_plane locate_plane(const direct *call, size_t index)
{
    const layer_conv *const conv = call->conv;
    const size_t outputs = (size_t)conv->weight.extent[0], k = index % outputs, n = index / outputs;
    const size_t channels = (size_t)conv->weight.extent[1];
    const size_t group = k / (outputs / (size_t)conv->group);
    const size_t first_channel = n * (size_t)conv->input.extent[1] + group * channels;
    const size_t kernel_plane = layer_conv_kernel_plane(conv);
    const bool flipped = conv->mode == LAYER_CONV_CONVOLUTION;
    return (output_plane){
        .input = call->input + first_channel * layer_conv_input_plane(conv),
        .weight = call->weight + k * channels * kernel_plane + (flipped ? kernel_plane - 1 : 0),
        .output = call->output + index * layer_conv_output_plane(conv),
        .bias = call->bias == NULL ? 0 : call->bias[k],
    };
}

static int clamp(int value, layer_steps range)
{
    return value < range.begin ? range.begin : value > range.end ? range.end : value;
}

/* Row `index` of a plane's [depth][P], `columns` of it. */
static layer_direct_row locate_row(const direct *call, const output_plane *plane, int index,
                                   layer_steps columns)
{
    const layer_window *const window = call->conv->window;
    const layer_window *const depth = &window[LAYER_DEPTH], *const height = &window[LAYER_HEIGHT];
    const int d = index / height->output, p = index % height->output;
    const layer_steps depth_taps = layer_inside_taps(depth, d);
    const layer_steps height_taps = layer_inside_taps(height, p);
    layer_direct_row row = {
        .input = plane->input,
        .weight = plane->weight,
        .output = plane->output + (ptrdiff_t)index * window[LAYER_WIDTH].output,
        .bias = plane->bias,
        .depth_taps = depth_taps.end - depth_taps.begin,
        .height_taps = height_taps.end - height_taps.begin,
        .channels = call->conv->weight.extent[1],
        .width = &window[LAYER_WIDTH],
        .input_strides = call->input_strides,
        .weight_strides = call->weight_strides,
        .columns = columns,
        .whole = {clamp(call->whole.begin, columns), clamp(call->whole.end, columns)},
    };
    if (row.depth_taps > 0 && row.height_taps > 0) {
        const ptrdiff_t line_depth =
            d * depth->stride - depth->pad_begin + depth_taps.begin * depth->dilation;
        const ptrdiff_t line_height =
            p * height->stride - height->pad_begin + height_taps.begin * height->dilation;
        row.input += (line_depth * height->input + line_height) * window[LAYER_WIDTH].input;
        row.weight += depth_taps.begin * call->weight_strides.depth +
                      height_taps.begin * call->weight_strides.height;
    }
    return row;
}

static layer_steps columns_of(const direct *call, size_t piece)
{
    const int output = call->conv->window[LAYER_WIDTH].output;
    const int begin = (int)piece * MOST_COLUMNS;
    return (layer_steps){begin, output - begin < MOST_COLUMNS ? output : begin + MOST_COLUMNS};
}

static void compute_pieces(void *argument, size_t task, int thread)
{
    (void)thread;
    const direct *const call = argument;
    const size_t first = task * call->pieces_per_task, last = first + call->pieces_per_task;
    const size_t end = last < call->pieces ? last : call->pieces;
    output_plane plane = {0};
    for (size_t i = first; i < end; i++) {
        const size_t index = i / call->pieces_per_row, piece = i % call->pieces_per_row;
        const size_t in_plane = index % call->rows_per_plane;
        if (i == first || in_plane == 0)
            plane = locate_plane(call, index / call->rows_per_plane);
        const layer_direct_row row =
            locate_row(call, &plane, (int)in_plane, columns_of(call, piece));
        call->kernels->compute(&row);
    }
}

static layer_strides input_strides_of(const layer_conv *conv)
{
    const layer_window *const window = conv->window;
    const ptrdiff_t line = window[LAYER_WIDTH].input, plane = window[LAYER_HEIGHT].input * line;
    return (layer_strides){
        .channel = (ptrdiff_t)layer_conv_input_plane(conv),
        .depth = window[LAYER_DEPTH].dilation * plane,
        .height = window[LAYER_HEIGHT].dilation * line,
        .width = window[LAYER_WIDTH].dilation,
    };
}

static layer_strides weight_strides_of(const layer_conv *conv)
{
    const ptrdiff_t cell = conv->mode == LAYER_CONV_CONVOLUTION ? -1 : 1;
    const ptrdiff_t line = cell * conv->window[LAYER_WIDTH].kernel;
    return (layer_strides){
        .channel = (ptrdiff_t)layer_conv_kernel_plane(conv),
        .depth = line * conv->window[LAYER_HEIGHT].kernel,
        .height = line,
        .width = cell,
    };
}

static layer_steps whole_windows(const layer_window *width)
{
    const layer_steps first = layer_inside_outputs(width, 0);
    const layer_steps last = layer_inside_outputs(width, width->kernel - 1);
    /* Where the kernel is wider than the input, none is: the range may even be reversed. */
    return (layer_steps){first.begin, last.end > first.begin ? last.end : first.begin};
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    const size_t rows_per_plane =
        (size_t)conv->window[LAYER_DEPTH].output * (size_t)conv->window[LAYER_HEIGHT].output;
    const size_t planes = (size_t)conv->output.extent[0] * (size_t)conv->output.extent[1];
    const int columns = conv->window[LAYER_WIDTH].output;
    const size_t pieces_per_row = (size_t)((columns - 1) / MOST_COLUMNS) + 1;
    const size_t pieces = planes * rows_per_plane * pieces_per_row;
    direct call = {
        .conv = conv,
        .input = input,
        .weight = weight,
        .bias = bias,
        .output = output,
        .rows_per_plane = rows_per_plane,
        .pieces_per_row = pieces_per_row,
        .pieces = pieces,
        .pieces_per_task = (size_t)(TASK_MULTIPLICATIONS / (conv->multiplications / pieces)) + 1,
        .input_strides = input_strides_of(conv),
        .weight_strides = weight_strides_of(conv),
        .whole = whole_windows(&conv->window[LAYER_WIDTH]),
        .kernels = layer_direct_kernels_at(run->isa),
    };
    const size_t tasks = (pieces + call.pieces_per_task - 1) / call.pieces_per_task;
    return layer_run_tasks(run, tasks, compute_pieces, &call);
}

/* Columns whose windows reach beyond the input. */
static int edge_columns(const layer_window *width)
{
    const int begin = layer_inside_outputs(width, 0).begin;
    const int end = layer_inside_outputs(width, width->kernel - 1).end;
    return begin < end ? width->output - (end - begin) : width->output;
}

/* Each vector of inputs is loaded for one multiplication, lane by lane where strides part them, and
 * the last of a row may be nearly empty. Columns at the edges are computed one by one. */
static double cost(const layer_conv *conv)
{
    enum { LINE = 100, EDGE = 100 };
    const layer_window *const width = &conv->window[LAYER_WIDTH];
    const double rate = width->stride == 1 ? 2 : 12;
    const double lines = (double)conv->multiplications / width->output / width->kernel;
    return (double)conv->multiplications * rate * layer_conv_vector_waste((size_t)width->output) +
           lines * (LINE + (double)EDGE * edge_columns(width) * width->kernel);
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    (void)conv;
    (void)threads;
    return 0;
}

const layer_conv_implementation layer_conv_implementation_DIRECT = {
    .cost = cost,
    .workspace_size = workspace_size,
    .forward = forward,
};
