/* Arrays of floats, written: nearly all of a large reply's text.
 * SPDX-License-Identifier: MIT */
#include "numbers.h"
#include "writer_bytes.h"

#include <assert.h>
#include <math.h>

/* The most bytes of an element with the comma before it. */
enum { ELEMENT_SIZE = API_FLOAT_TEXT_SIZE + sizeof "," - 1 };
_Static_assert((int)API_NONFINITE_SIZE <= (int)API_FLOAT_TEXT_SIZE, "no element is longer");

/* Several threads write pieces of so many elements or more. */
enum { PIECE_COUNT = 1 << 14, MOST_PIECES = 256 };

typedef struct {
    const float *data;
    size_t count, row; /* elements, and those of an innermost array */
    int rank;
    const int *extent;
} float_array;

/* The innermost loop of every large reply: straight into the room where that is wide enough. */
static void put_row(api_writer *writer, const float *data, size_t count)
{
    for (size_t index = 0; index < count; ++index) {
        if (index > 0)
            put_byte(writer, ',');
        char text[API_FLOAT_ROOM];
        if (!isfinite(data[index]))
            api_put_nonfinite(writer, (double)data[index]);
        else if (writer->end - writer->at >= API_FLOAT_ROOM)
            writer->at = api_write_float(writer->at, data[index]);
        else
            put(writer, text, (size_t)(api_write_float(text, data[index]) - text));
    }
}

static void put_bytes(api_writer *writer, char byte, int count)
{
    for (int i = 0; i < count; i++)
        put_byte(writer, byte);
}

/* What stands before an element: a comma, between the brackets of the arrays that end and begin. */
static void put_before(api_writer *writer, const float_array *array, size_t index)
{
    int ends = 0;
    size_t size = 1;
    for (int axis = array->rank - 1; axis > 0; axis--) {
        size *= (size_t)array->extent[axis];
        if (index % size != 0)
            break;
        ends++;
    }
    put_bytes(writer, ']', ends);
    put_byte(writer, ',');
    put_bytes(writer, '[', ends);
}

static void put_elements(api_writer *writer, const float_array *array, size_t begin, size_t end)
{
    while (begin < end && !writer->full) {
        const size_t row_end = (begin / array->row + 1) * array->row;
        const size_t until = row_end < end ? row_end : end;
        if (begin > 0)
            put_before(writer, array, begin);
        put_row(writer, array->data + begin, until - begin);
        begin = until;
    }
}

/* Pieces of an array, each with room of its own, which are moved together at last. */
typedef struct {
    const float_array *array;
    size_t pieces, piece_count; /* how many, of how many elements */
    api_writer writer[MOST_PIECES];
} parts;

static void put_piece(void *argument, size_t piece, int thread)
{
    (void)thread;
    parts *const all = argument;
    const size_t begin = piece * all->piece_count, end = begin + all->piece_count;
    const size_t count = all->array->count;
    put_elements(&all->writer[piece], all->array, begin, end < count ? end : count);
}

/* The most bytes of a piece: its elements, and a pair of brackets for each array that begins in it.
 */
static size_t piece_size(const float_array *array, size_t elements)
{
    size_t size = elements * ELEMENT_SIZE, inner = 1;
    for (int axis = array->rank - 1; axis > 0; axis--) {
        inner *= (size_t)array->extent[axis];
        size += (elements / inner + 1) * (sizeof "[]" - 1);
    }
    return size;
}

static void put_together(api_writer *writer, const parts *all, size_t room)
{
    const char *from = writer->at;
    for (size_t piece = 0; piece < all->pieces; piece++, from += room) {
        const size_t size = (size_t)(all->writer[piece].at - from);
        memmove(writer->at, from, size);
        writer->at += size;
        writer->nonfinite_met |= all->writer[piece].nonfinite_met;
    }
}

/* False if there is nobody to help, too little to write, or too little room. */
static bool put_in_parallel(api_writer *writer, const float_array *array)
{
    const api_run *const run = writer->run;
    if (run == NULL || run->parallel_for == NULL || run->threads < 2 ||
        array->count < 2 * PIECE_COUNT)
        return false;
    const size_t most = array->count / PIECE_COUNT;
    parts all = {.array = array, .pieces = most < MOST_PIECES ? most : MOST_PIECES};
    all.piece_count = (array->count + all.pieces - 1) / all.pieces;
    const size_t room = piece_size(array, all.piece_count);
    if (writer->full || (size_t)(writer->end - writer->at) / all.pieces < room)
        return false;
    for (size_t piece = 0; piece < all.pieces; piece++) {
        all.writer[piece] = *writer;
        all.writer[piece].at = writer->at + piece * room;
        all.writer[piece].end = all.writer[piece].at + room;
    }
    run->parallel_for(run->context, all.pieces, put_piece, &all);
    put_together(writer, &all, room);
    return true;
}

void api_write_floats(api_writer *writer, const float *data, int rank, const int extent[])
{
    float_array array = {data, 1, (size_t)extent[rank - 1], rank, extent};
    for (int axis = 0; axis < rank; axis++)
        array.count *= (size_t)extent[axis];
    assert(array.count > 0 || rank == 1);
    begin_value(writer);
    put_bytes(writer, '[', rank);
    if (!put_in_parallel(writer, &array))
        put_elements(writer, &array, 0, array.count);
    put_bytes(writer, ']', rank);
}

void api_write_single(api_writer *writer, float value)
{
    begin_value(writer);
    put_row(writer, &value, 1);
}

size_t api_floats_text_size(int rank, const int extent[])
{
    enum { BRACKETS_SIZE = sizeof "[]," - 1 };
    size_t size = 0, count = 1; /* of the arrays so deep; at last, of the elements */
    for (int axis = 0; axis < rank; ++axis) {
        size += count * BRACKETS_SIZE;
        count *= (size_t)extent[axis];
    }
    return size + count * ELEMENT_SIZE;
}
