/* Gathering a strip of the patch matrix by vectors. What a vector holds beyond a line's end is
 * written too, and then written over by what follows.
 * SPDX-License-Identifier: MIT */
#include "conv/strips.h"
#include "core/kernels/vectors.h"

/* The part of a line of outputs that lies in the strip. */
typedef struct {
    int depth, height; /* of the line of input that the kernel's first line meets */
    int begin, count;  /* outputs of the line */
    size_t column;     /* where the strip has them */
    size_t room;       /* where the padded line is in the scratch */
} line;

/* What is read along lines, for one cell of strips->reads. */
typedef struct {
    ptrdiff_t first;    /* the cell of input that output 0 meets */
    layer_steps inside; /* the outputs that meet input at all */
} reading;

/* A gathering under way. */
typedef struct {
    const layer_strips *strips;
    const layer_strip *strip;
    int beyond; /* cells that padded lines have more than outputs */
    int lines, readings;
    line line[LAYER_STRIP_COLUMNS];
    reading reading[LAYER_STRIP_READS];
} gathering;

/* A line of the kernel in one channel, and a cell in it. */
typedef struct {
    const float *plane;
    int depth, height, width;
} cell;

static void zero(float *to, int count)
{
    for (int i = 0; i < count; i += LANES)
        lanes_store(to + i, (lanes){0});
}

static void copy(float *to, const float *x, int count)
{
    int i = 0;
    for (; i + LANES <= count; i += LANES)
        lanes_store(to + i, lanes_load(x + i));
    if (i < count)
        lanes_store(to + i, lanes_load_some(x + i, count - i));
}

/* Every other cell. */
static void copy_alternate(float *to, const float *x, int count)
{
    int i = 0;
    for (; i + LANES < count; i += LANES)
        lanes_store(to + i, lanes_even(lanes_load(x + 2 * i), lanes_load(x + 2 * i + LANES)));
    const int left = 2 * (count - i) - 1, most = LANES;
    const lanes low = lanes_load_some(x + 2 * i, left < most ? left : most);
    const lanes high = left > most ? lanes_load_some(x + 2 * i + LANES, left - most) : (lanes){0};
    lanes_store(to + i, lanes_even(low, high));
}

static void copy_strided(float *to, const float *x, int count, ptrdiff_t stride)
{
    if (stride == 1)
        copy(to, x, count);
    else if (stride == 2)
        copy_alternate(to, x, count);
    else
        for (int i = 0; i < count; i++)
            to[i] = x[i * stride];
}

/* What `count` outputs from `begin` on meet of a line of input, NULL for one of padding. */
static void read_line(const gathering *at, const float *input, const reading *what, int begin,
                      int count, float *to)
{
    const ptrdiff_t stride = at->strips->reads.stride;
    const int end = begin + count;
    const int first = what->inside.begin > begin ? what->inside.begin : begin;
    const int last = what->inside.end < end ? what->inside.end : end;
    if (input == NULL || first >= last) {
        zero(to, count);
        return;
    }
    zero(to, first - begin);
    copy_strided(to + (first - begin), input + what->first + first * stride, last - first, stride);
    zero(to + (last - begin), end - last);
}

/* The line of input that a line of the kernel meets, or NULL. */
static const float *input_of(const gathering *at, const line *met, const cell *tap)
{
    const layer_window *const window = at->strips->window;
    const layer_window *const depth = &window[LAYER_DEPTH], *const height = &window[LAYER_HEIGHT];
    const ptrdiff_t d = met->depth + (ptrdiff_t)tap->depth * depth->dilation;
    const ptrdiff_t h = met->height + (ptrdiff_t)tap->height * height->dilation;
    return d < 0 || d >= depth->input || h < 0 || h >= height->input
               ? NULL
               : tap->plane + (d * height->input + h) * window[LAYER_WIDTH].input;
}

static void read_row(const gathering *at, const cell *tap, float *row)
{
    for (int i = 0; i < at->lines; i++) {
        const line *const met = &at->line[i];
        read_line(at, input_of(at, met, tap), &at->reading[tap->width], met->begin, met->count,
                  row + met->column);
    }
}

static void read_lines(const gathering *at, const cell *tap, size_t room)
{
    for (int i = 0; i < at->lines; i++) {
        const line *const met = &at->line[i];
        const float *const input = input_of(at, met, tap);
        for (int k = 0; k < at->readings; k++)
            read_line(at, input, &at->reading[k], met->begin, met->count + at->beyond,
                      at->strip->lines + (size_t)k * room + met->room);
    }
}

/* A row of the strip out of the padded lines. */
static void cut_row(const gathering *at, int width, size_t room, float *row)
{
    const layer_window *const along = &at->strips->window[LAYER_WIDTH];
    const int cell_of_line = width * along->dilation;
    const float *const lines = at->strip->lines + (size_t)(cell_of_line % along->stride) * room +
                               cell_of_line / along->stride;
    for (int i = 0; i < at->lines; i++) {
        const line *const met = &at->line[i];
        for (int j = 0; j < met->count; j += LANES)
            lanes_store(row + met->column + j, lanes_load(lines + met->room + j));
    }
}

/* The kernel's cells in order, each plane's after the last's. */
static void step(const gathering *at, cell *tap, int cells)
{
    const layer_window *const window = at->strips->window;
    tap->width += cells;
    if (tap->width < window[LAYER_WIDTH].kernel)
        return;
    tap->width = 0;
    if (++tap->height < window[LAYER_HEIGHT].kernel)
        return;
    tap->height = 0;
    if (++tap->depth < window[LAYER_DEPTH].kernel)
        return;
    tap->depth = 0;
    tap->plane += at->strips->patches.input_plane;
}

static cell cell_of(const gathering *at, size_t row)
{
    const layer_window *const window = at->strips->window;
    const size_t kernel = at->strips->patches.kernel_plane, in_kernel = row % kernel;
    const size_t along = in_kernel / (size_t)window[LAYER_WIDTH].kernel;
    return (cell){
        at->strip->channels + row / kernel * at->strips->patches.input_plane,
        (int)(along / (size_t)window[LAYER_HEIGHT].kernel),
        (int)(along % (size_t)window[LAYER_HEIGHT].kernel),
        (int)(in_kernel % (size_t)window[LAYER_WIDTH].kernel),
    };
}

/* The cell that the weights have at this place: of a flipped kernel the opposite one. */
static cell meant(const gathering *at, const cell *tap)
{
    const layer_window *const window = at->strips->window;
    if (at->strips->patches.conv->mode != LAYER_CONV_CONVOLUTION)
        return *tap;
    return (cell){
        tap->plane,
        window[LAYER_DEPTH].kernel - 1 - tap->depth,
        window[LAYER_HEIGHT].kernel - 1 - tap->height,
        window[LAYER_WIDTH].kernel - 1 - tap->width,
    };
}

static void find_lines(gathering *at)
{
    const layer_window *const depth = &at->strips->window[LAYER_DEPTH];
    const layer_window *const height = &at->strips->window[LAYER_HEIGHT];
    const size_t width = (size_t)at->strips->window[LAYER_WIDTH].output;
    const size_t first = at->strip->column, end = first + at->strip->columns;
    for (size_t column = first, next; column < end; column = next, at->lines++) {
        const size_t index = column / width;
        next = (index + 1) * width < end ? (index + 1) * width : end;
        const int p = (int)(index % (size_t)height->output),
                  d = (int)(index / (size_t)height->output);
        at->line[at->lines] = (line){
            .depth = d * depth->stride - depth->pad_begin,
            .height = p * height->stride - height->pad_begin,
            .begin = (int)(column % width),
            .count = (int)(next - column),
            .column = column - first,
            .room = column - first + (size_t)at->lines * (size_t)(at->beyond + LAYER_STRIP_SLACK),
        };
    }
}

static void find_readings(gathering *at)
{
    const layer_window *const reads = &at->strips->reads;
    at->readings = reads->kernel;
    for (int i = 0; i < reads->kernel; i++)
        at->reading[i] = (reading){(ptrdiff_t)i * reads->dilation - reads->pad_begin,
                                   layer_inside_outputs(reads, i)};
}

static void gather_rows(const layer_strips *strips, const layer_strip *strip)
{
    const layer_position first = layer_patches_position(&strips->patches, strip->column);
    for (size_t i = 0; i < strip->rows; i++)
        layer_patches_gather(&strips->patches, strip->channels, strip->first + i, first,
                             (int)strip->columns, strip->gathered + i * strip->leading);
}

static void gather(const layer_strips *strips, const layer_strip *strip)
{
    if (!strips->is_vectorized) {
        gather_rows(strips, strip);
        return;
    }
    const int kernel = strips->window[LAYER_WIDTH].kernel;
    gathering at = {.strips = strips,
                    .strip = strip,
                    .beyond = strips->reads.output - strips->window[LAYER_WIDTH].output};
    find_lines(&at);
    find_readings(&at);
    const line *const last = &at.line[at.lines - 1];
    const size_t room = last->room + (size_t)(last->count + at.beyond + LAYER_STRIP_SLACK);
    cell tap = cell_of(&at, strip->first);
    for (size_t i = 0; i < strip->rows; step(&at, &tap, strips->is_shared ? kernel : 1)) {
        const cell one = meant(&at, &tap);
        if (!strips->is_shared) {
            read_row(&at, &one, strip->gathered + i++ * strip->leading);
            continue;
        }
        read_lines(&at, &one, room);
        const bool flipped = one.width > 0;
        for (int s = 0; s < kernel; s++, i++)
            cut_row(&at, flipped ? kernel - 1 - s : s, room, strip->gathered + i * strip->leading);
    }
}

const layer_strip_kernels LAYER_KERNELS(layer_strip_kernels) = {gather};
