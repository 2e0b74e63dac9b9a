/* Filling the field of a band.
 * SPDX-License-Identifier: MIT */
#include "conv/field.h"
#include "core/kernels/vectors.h"

/* What one phase of the width reads of every line. */
typedef struct {
    ptrdiff_t stride, first; /* the band's first output meets cell `first` */
    int count;               /* outputs */
    layer_steps inside;      /* those of them that meet a cell at all */
} reading;

static void zero(float *to, int count)
{
    int i = 0;
    for (; i + LANES <= count; i += LANES)
        lanes_store(to + i, (lanes){0});
    if (i < count)
        lanes_store_some(to + i, (lanes){0}, count - i);
}

static void copy_every(float *to, const float *x, int count)
{
    int i = 0;
    for (; i + LANES <= count; i += LANES)
        lanes_store(to + i, lanes_load(x + i));
    if (i < count)
        lanes_store_some(to + i, lanes_load_some(x + i, count - i), count - i);
}

/* The last has no neighbour that were ours to read. */
static void copy_alternate(float *to, const float *x, int count)
{
    int i = 0;
    for (; i + LANES < count; i += LANES)
        lanes_store(to + i, lanes_even(lanes_load(x + 2 * i), lanes_load(x + 2 * i + LANES)));
    const int left = 2 * (count - i) - 1, low = left < LANES ? left : LANES;
    lanes_store_some(
        to + i,
        lanes_even(lanes_load_some(x + 2 * i, low), lanes_load_some(x + 2 * i + low, left - low)),
        count - i);
}

static void copy(float *to, const float *x, int count, ptrdiff_t stride)
{
    if (stride == 1)
        copy_every(to, x, count);
    else if (stride == 2)
        copy_alternate(to, x, count);
    else
        for (int i = 0; i < count; i++)
            to[i] = x[i * stride];
}

static void read_line(const reading *what, const float *line, float *to)
{
    const int begin = what->inside.begin, end = what->inside.end;
    if (line == NULL || begin >= end) {
        zero(to, what->count);
        return;
    }
    zero(to, begin);
    copy(to + begin, line + (what->first + begin * what->stride), end - begin, what->stride);
    zero(to + end, what->count - end);
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

static reading reading_of(const layer_field *field, const layer_band *band, int phase)
{
    const layer_window *const reads = &field->width.reads;
    const layer_steps inside = layer_inside_outputs(reads, phase);
    const int beyond = reads->output - field->window[LAYER_WIDTH].output;
    const int count = band->columns + beyond;
    return (reading){
        .stride = reads->stride,
        .first = (ptrdiff_t)band->column * reads->stride + (ptrdiff_t)phase * reads->dilation -
                 reads->pad_begin,
        .count = count,
        .inside = {clamp(inside.begin - band->column, count),
                   clamp(inside.end - band->column, count)},
    };
}

/* The cell of input that an output meets, in a phase; or -1. */
static ptrdiff_t met_by(const layer_window *reads, int output, int phase)
{
    const ptrdiff_t cell =
        (ptrdiff_t)output * reads->stride + (ptrdiff_t)phase * reads->dilation - reads->pad_begin;
    return cell < reads->input ? cell : -1;
}

static void fill_line(const layer_field *field, const layer_band *band, const reading *what,
                      const float *plane, int cell, int phase, int line, float *cells)
{
    const layer_window *const depth = &field->window[LAYER_DEPTH];
    const layer_window *const height = &field->height.reads;
    const ptrdiff_t d = met_by(depth, band->depth, cell);
    const ptrdiff_t h = met_by(height, band->line + line, phase);
    const size_t place = (size_t)phase * field->height.phase_count + (size_t)line;
    const ptrdiff_t width = field->width.reads.input;
    read_line(what, d < 0 || h < 0 ? NULL : plane + (d * height->input + h) * width,
              cells + (size_t)cell * field->depth_step + place * field->line_step);
}

static size_t input_plane(const layer_field *field)
{
    const layer_window *const window = field->window;
    return (size_t)window[LAYER_DEPTH].input * (size_t)window[LAYER_HEIGHT].input *
           (size_t)window[LAYER_WIDTH].input;
}

/* One phase of the width, in all lines of some channels. */
static void fill_phase(const layer_field *field, const layer_band *band, const float *channels,
                       int phase, int count, float *cells)
{
    const layer_window *const height = &field->height.reads;
    const reading what = reading_of(field, band, phase);
    const int lines = band->lines + height->output - field->window[LAYER_HEIGHT].output;
    const size_t plane = input_plane(field);
    cells += (size_t)phase * field->width.phase_count;
    for (int c = 0; c < count; c++, channels += plane, cells += field->channel_step)
        for (int k = 0; k < field->window[LAYER_DEPTH].kernel; k++)
            for (int i = 0; i < height->kernel; i++)
                for (int line = 0; line < lines; line++)
                    fill_line(field, band, &what, channels, k, i, line, cells);
}

static void fill(const layer_field *field, const layer_band *band, const float *channels, int count,
                 float *cells)
{
    for (int phase = 0; phase < field->width.reads.kernel; phase++)
        fill_phase(field, band, channels, phase, count, cells);
}

const layer_field_kernels LAYER_KERNELS(layer_field_kernels) = {fill};
