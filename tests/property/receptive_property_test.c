/* Receptive fields of random chains and graphs against marking cells one by one.
 * SPDX-License-Identifier: MIT */
#include "layer/receptive_field.h"
#include "oracle/receptive_oracle.h"
#include "oracle/window_oracle.h"
#include "support/sampling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NETWORKS = 1500, AXES = 2, LAYERS = 6, CELLS = 40 };

/* A network, and what it is along each of its axes. */
typedef struct {
    layer_receptive_layer layers[LAYERS];
    int inputs[LAYERS][2];
    int input_size[LAYER_MAX_SPATIAL];
    layer_receptive_network network;
    layer_receptive_field fields[LAYERS];
    receptive_oracle along[AXES];
    bool is_chain, is_dense, overlaps; /* no dilations; strides up to the kernel */
} sample;

static bool chance(sampling *from, int in)
{
    return sampling_between(from, 1, in) == 1;
}

/* Half of the layers keep the size, so that branches meet. */
static void draw_axis(sampling *from, layer_receptive_layer *layer, int axis, bool keeps)
{
    layer->kernel[axis] = sampling_between(from, 0, 4);
    layer->geometry.strides[axis] = keeps ? 1 : sampling_between(from, 0, 3);
    layer->geometry.dilations[axis] = chance(from, 3) ? sampling_between(from, 1, 3) : 0;
    if (layer->geometry.auto_pad == LAYER_AUTO_PAD_NOTSET && !keeps) {
        layer->geometry.pads_begin[axis] = sampling_between(from, 0, 3);
        layer->geometry.pads_end[axis] = sampling_between(from, 0, 3);
    }
    if (keeps && layer->geometry.auto_pad == LAYER_AUTO_PAD_NOTSET)
        layer->kernel[axis] = 1;
}

static void draw_layer(sampling *from, sample *drawn, int place, bool is_chain)
{
    layer_receptive_layer *const layer = &drawn->layers[place];
    const bool keeps = chance(from, 2);
    *layer = (layer_receptive_layer){0};
    layer->geometry.auto_pad = (layer_auto_pad)sampling_between(from, 0, LAYER_AUTO_PAD_FULL);
    if (keeps && chance(from, 2))
        layer->geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER;
    for (int axis = 0; axis < drawn->network.axes; axis++)
        draw_axis(from, layer, axis, keeps);
    if (is_chain)
        return;
    layer->input_count = sampling_between(from, 0, 2);
    layer->inputs = drawn->inputs[place];
    for (int i = 0; i < layer->input_count; i++)
        drawn->inputs[place][i] = sampling_between(from, LAYER_NETWORK_INPUT, place - 1);
}

static layer_window window_of(const layer_receptive_layer *layer, int axis, int input)
{
    const layer_geometry *const geometry = &layer->geometry;
    return (layer_window){
        .input = input,
        .kernel = layer->kernel[axis] == 0 ? 1 : layer->kernel[axis],
        .stride = geometry->strides[axis] == 0 ? 1 : geometry->strides[axis],
        .dilation = geometry->dilations[axis] == 0 ? 1 : geometry->dilations[axis],
        .pad_begin = geometry->pads_begin[axis],
        .pad_end = geometry->pads_end[axis],
    };
}

/* False if some layer does not fit what it reads. */
static bool count_windows(sample *drawn, int axis)
{
    receptive_oracle *const along = &drawn->along[axis];
    *along = (receptive_oracle){.count = (int)drawn->network.count,
                                .input_size = drawn->input_size[axis]};
    for (int place = 0; place < along->count; place++) {
        const layer_receptive_layer *const layer = &drawn->layers[place];
        along->input_count[place] = layer->input_count == 0 ? 1 : layer->input_count;
        int size = 0;
        for (int i = 0; i < along->input_count[place]; i++) {
            const int read = layer->input_count == 0 ? place - 1 : layer->inputs[i];
            const int cells = read < 0 ? along->input_size : along->window[read].output;
            along->inputs[place][i] = read;
            if (i > 0 && cells != size)
                return false;
            size = cells;
        }
        along->window[place] = window_of(layer, axis, size);
        if (!window_oracle(&along->window[place], layer->geometry.auto_pad, false))
            return false;
        drawn->is_dense = drawn->is_dense && along->window[place].dilation == 1;
        drawn->overlaps =
            drawn->overlaps && along->window[place].stride <= along->window[place].kernel;
    }
    return true;
}

/* Draws until the layers fit together; each time the library has to agree that they do not. */
static void draw(sampling *from, sample *drawn)
{
    bool fits, described;
    do {
        const bool is_chain = chance(from, 2);
        *drawn = (sample){.is_chain = is_chain, .is_dense = true, .overlaps = true};
        drawn->network =
            (layer_receptive_network){.count = (size_t)sampling_between(from, 1, LAYERS),
                                      .layers = drawn->layers,
                                      .axes = sampling_between(from, 1, AXES),
                                      .input_size = drawn->input_size};
        for (int axis = 0; axis < drawn->network.axes; axis++)
            drawn->input_size[axis] = sampling_between(from, 1, CELLS);
        for (size_t i = 0; i < drawn->network.count; i++)
            draw_layer(from, drawn, (int)i, is_chain);
        fits = true;
        for (int axis = 0; axis < drawn->network.axes; axis++)
            fits = count_windows(drawn, axis) && fits;
        layer_error error;
        size_t place;
        described = layer_receptive_field_describe(drawn->fields, &drawn->network, &place,
                                                   &error) == LAYER_OK;
        assert_int_equal(described, fits);
    } while (!fits);
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static void check_axis(const sample *drawn, int place, int axis)
{
    const receptive_oracle *const along = &drawn->along[axis];
    const layer_receptive_axis *const found = &drawn->fields[place].axis[axis];
    assert_int_equal(found->output, along->window[place].output);
    if (!drawn->fields[place].uniform)
        return;
    for (int output = 0; output < 3; output++) {
        int first, last;
        assert_true(receptive_oracle_seen(along, place, output, false, &first, &last));
        assert_int_equal(found->first + output * found->stride, first);
        assert_int_equal(found->last + output * found->stride, last);
    }
}

static void fields_are_as_marked(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < NETWORKS; i++) {
        sample drawn;
        draw(from, &drawn);
        for (int place = 0; place < (int)drawn.network.count; place++) {
            bool uniform = true, aligned = true;
            for (int axis = 0; axis < drawn.network.axes; axis++) {
                bool same_stride, same_centre;
                receptive_oracle_paths(&drawn.along[axis], place, &same_stride, &same_centre);
                uniform = uniform && same_stride;
                aligned = aligned && same_centre;
                check_axis(&drawn, place, axis);
            }
            assert_int_equal(drawn.fields[place].uniform, uniform);
            assert_int_equal(drawn.fields[place].aligned, aligned);
        }
    }
}

/* ---- Regions --------------------------------------------------------------------------------- */

static void check_unclipped(const sample *drawn, const int position[])
{
    layer_region regions[LAYERS], seen;
    layer_error error;
    assert_int_equal(layer_receptive_field_seen(&drawn->network, drawn->fields, position, false,
                                                regions, &seen, &error),
                     LAYER_OK);
    for (int axis = 0; axis < drawn->network.axes; axis++) {
        int first, last;
        assert_true(receptive_oracle_seen(&drawn->along[axis], (int)drawn->network.count - 1,
                                          position[axis], false, &first, &last));
        assert_int_equal(seen.first[axis], first);
        assert_int_equal(seen.last[axis], last);
    }
}

/* The range found holds the true one and, where it has to be exact, nothing else. */
static void check_range(const layer_region *found, bool any, int first, int last, bool exact)
{
    if (any)
        assert_true(found->first[0] <= first && last <= found->last[0]);
    if (exact && any)
        assert_true(found->first[0] == first && found->last[0] == last);
    if (exact && !any)
        assert_true(found->first[0] > found->last[0]);
}

static void check_clipped(const sample *drawn, const int position[])
{
    layer_region regions[LAYERS], seen;
    layer_error error;
    int first, last;
    assert_int_equal(layer_receptive_field_seen(&drawn->network, drawn->fields, position, true,
                                                regions, &seen, &error),
                     LAYER_OK);
    const bool any = receptive_oracle_seen(&drawn->along[0], (int)drawn->network.count - 1,
                                           position[0], true, &first, &last);
    check_range(&seen, any, first, last, drawn->is_chain && drawn->is_dense && drawn->overlaps);
    if (seen.first[0] <= seen.last[0])
        assert_true(seen.first[0] >= 0 && seen.last[0] < drawn->input_size[0]);
}

static void check_reached(const sample *drawn, const int position[])
{
    layer_region regions[LAYERS], reached;
    int first, last;
    layer_receptive_field_reached(&drawn->network, drawn->fields, position, regions, &reached);
    const bool any = receptive_oracle_reached(&drawn->along[0], position[0], &first, &last);
    check_range(&reached, any, first, last, drawn->is_chain && drawn->is_dense);
}

static void regions_are_as_marked(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < NETWORKS; i++) {
        sample drawn;
        int output[AXES], input[AXES];
        draw(from, &drawn);
        for (int axis = 0; axis < drawn.network.axes; axis++) {
            const layer_receptive_field *const last = &drawn.fields[drawn.network.count - 1];
            output[axis] = sampling_between(from, 0, last->axis[axis].output - 1);
            input[axis] = sampling_between(from, 0, drawn.input_size[axis] - 1);
        }
        check_unclipped(&drawn, output);
        if (drawn.network.axes == 1) {
            check_clipped(&drawn, output);
            check_reached(&drawn, input);
        }
    }
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static bool takes_a_size(const sample *drawn)
{
    for (size_t i = 0; i < drawn->network.count; i++) {
        const layer_geometry *const geometry = &drawn->layers[i].geometry;
        const bool same = geometry->auto_pad == LAYER_AUTO_PAD_SAME_UPPER ||
                          geometry->auto_pad == LAYER_AUTO_PAD_SAME_LOWER;
        for (int axis = 0; axis < drawn->network.axes; axis++)
            if (same && geometry->strides[axis] > 1)
                return true;
    }
    return false;
}

static void only_same_padding_takes_a_size(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < NETWORKS; i++) {
        sample drawn;
        layer_receptive_field fields[LAYERS];
        layer_error error;
        size_t place;
        draw(from, &drawn);
        drawn.network.input_size = NULL;
        const layer_status status =
            layer_receptive_field_describe(fields, &drawn.network, &place, &error);
        assert_int_equal(status, takes_a_size(&drawn) ? LAYER_INVALID : LAYER_OK);
        for (size_t layer = 0; status == LAYER_OK && layer < drawn.network.count; layer++)
            for (int axis = 0; axis < drawn.network.axes && fields[layer].uniform; axis++) {
                const layer_receptive_axis *const free = &fields[layer].axis[axis];
                const layer_receptive_axis *const sized = &drawn.fields[layer].axis[axis];
                assert_true(free->first == sized->first && free->last == sized->last &&
                            free->stride == sized->stride && free->pad_end == sized->pad_end);
                assert_int_equal(free->output, 0);
            }
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(fields_are_as_marked, &from),
        cmocka_unit_test_prestate(regions_are_as_marked, &from),
        cmocka_unit_test_prestate(only_same_padding_takes_a_size, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
