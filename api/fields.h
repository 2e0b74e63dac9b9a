/* Field tables: one row decodes, validates, writes and documents a member of a JSON object.
 * SPDX-License-Identifier: MIT */
#ifndef API_FIELDS_H
#define API_FIELDS_H

#include "problem.h"
#include "reader.h"
#include "writer.h"

#include <layer/tensor.h>

/* What holds for every field, whatever the operation. */
enum {
    API_MAX_AXIS = 1 << 24,   /* extent along one axis: up to it binary32 has every integer */
    API_MAX_WINDOW = 1024,    /* kernel extent, stride, dilation, padding */
    API_MAX_INTEGERS = 6,     /* pads of three axes */
    API_MAX_RESULTS = 5,      /* tensors of a reply */
    API_SHAPE_TEXT_SIZE = 64, /* of "16777216x16777216x..." */
};
#define API_MAX_SEED 9007199254740991.0 /* 2^53 - 1: every JSON reader keeps it exactly */

/* How a tensor is written: the form, its name and what it looks like. */
#define API_FORM_LIST(X)                                                                           \
    X(NESTED, "nested", "[[1,2],[3,4]]")                                                           \
    X(FLAT, "flat", "{\"shape\":[2,2],\"data\":[1,2,3,4]}")                                        \
    X(BINARY, "binary", "the shape in the JSON, little-endian bytes behind it")

typedef enum {
#define API_FORM_ENUM(id, name, looks) API_FORM_##id,
    API_FORM_LIST(API_FORM_ENUM)
#undef API_FORM_ENUM
} api_form;

/* ---- Values: what a field becomes in C. Each begins with `bool given`. ----------------------- */

typedef struct {
    bool given;
    bool value;
} api_boolean;

typedef struct {
    bool given;
    int64_t value;
} api_integer;

typedef struct {
    bool given;
    int count; /* 0: one integer, value[0], for all axes */
    int value[API_MAX_INTEGERS];
} api_integers;

typedef struct {
    bool given;
    double value;
} api_number;

typedef struct {
    bool given;
    int value; /* of the option chosen */
} api_choice;

typedef struct {
    bool given;
    layer_shape value;
} api_shape;

/* A string; lives in the arena. */
typedef struct {
    bool given;
    const char *value;
} api_text;

/* An array of integers, `fewest` to `most` of them; lives in the arena. */
typedef struct {
    bool given;
    size_t count;
    int *values;
} api_sequence;

/* An array of objects: `count` structs that lie side by side in the arena. */
typedef struct {
    bool given;
    size_t count;
    void *items;
} api_objects;

/* An array of strings; all live in the arena. */
typedef struct {
    bool given;
    size_t count;
    const char **values;
} api_texts;

/* Numbers of a reply, one per axis or two; whole ones are exact up to 2^53. */
typedef struct {
    bool given;
    int count;
    double value[API_MAX_INTEGERS];
} api_reals;

/* An array of words that a choice accepts: the set of their values, as bits. */
typedef struct {
    bool given;
    uint32_t value;
} api_choices;

static inline uint32_t api_choice_bit(unsigned value)
{
    return UINT32_C(1) << value;
}

/* Whether a value is among the choices, or none were made. */
static inline bool api_is_wanted(const api_choices *choices, unsigned value)
{
    return !choices->given || (choices->value & api_choice_bit(value)) != 0;
}

/* A lifted array of numbers, of any rank. */
typedef struct {
    bool given;
    const api_array *array;
} api_numbers;

/* A tensor of a request. */
typedef struct {
    bool given;
    layer_shape shape;
    size_t count;
    const float *data;
} api_tensor;

/* A tensor of a reply: first its shape, then room for the data, then the data. Where computing
 * decides between two shapes there is room for either; then the shape and the count are what they
 * turned out to be, or less. */
typedef struct {
    bool given;
    layer_shape shape;
    size_t count;
    float *data;
    layer_shape alternative; /* rank 0: none */
} api_result;

/* ---- Fields ---------------------------------------------------------------------------------- */

typedef struct api_kind api_kind;

/* A word that a choice accepts. A list of them ends with a row without a name. */
typedef struct {
    const char *name;
    int value;
    const char *summary; /* or NULL where the name says all */
} api_option;

/* One member of an object. A table ends with a row without a name. */
typedef struct api_field {
    const char *name;
    const api_kind *kind;
    size_t offset; /* of the value in the target struct */
    bool required;
    double minimum, maximum;        /* of a number or of each integer, both 0: any; of a result
                                       its longest axis, 0: the limit */
    int fewest, most;               /* numbers in an array */
    const api_option *options;      /* of a choice */
    const struct api_field *fields; /* of an object, of each in an array, of what is included */
    size_t item_size;               /* of each object in an array, as a struct */
    const char *fallback;           /* what leaving it out means, as JSON; NULL: the summary says */
    const char *summary;
} api_field;

/* What decoding a request takes along. */
typedef struct {
    const api_document *document;
    const api_limits *limits;
    api_arena *arena;
    api_problem *problem;
    bool framed;        /* bytes follow the JSON */
    const char *binary; /* those that no tensor has taken yet */
    size_t binary_size;
    bool tensor_met;
    api_form form;                  /* of the first tensor */
    char pointer[API_POINTER_SIZE]; /* to the value being decoded */
} api_decoder;

/* What writing a reply takes along. */
typedef struct {
    api_writer *writer;
    api_form form;
    bool dry_run;                              /* of tensors there are shapes alone */
    const api_result *binary[API_MAX_RESULTS]; /* whose bytes follow the JSON */
    int binary_count;
} api_encoder;

/* The ways of a kind of field. A kind that occurs in requests alone has no `write`, one that occurs
 * in replies alone no `decode` and `expect`. */
struct api_kind {
    /* Reads `item` into the value, or refuses it. The decoder's pointer shows where it stands. */
    bool (*decode)(api_decoder *decoder, const api_field *field, const cJSON *item, void *value);
    /* Completes the sentence "... is wrong; expected". */
    void (*expect)(const api_field *field, char *text, size_t size);
    void (*write)(api_encoder *encoder, const api_field *field, const void *value);
    /* The members of its JSON schema. */
    void (*schema)(api_writer *writer, const api_field *field);
};

extern const api_kind api_boolean_kind; /* api_boolean */
extern const api_kind api_integer_kind; /* api_integer */
extern const api_kind
    api_integers_kind;               /* api_integers of a request: one for all axes, or an array */
extern const api_kind api_list_kind; /* api_integers of a reply: always an array */
extern const api_kind api_sequence_kind; /* api_sequence of a request */
extern const api_kind api_number_kind;   /* api_number of a request */
extern const api_kind api_figure_kind;   /* api_number of a reply: may be what JSON cannot write */
extern const api_kind api_choice_kind;   /* api_choice */
extern const api_kind api_shape_kind;    /* api_shape */
extern const api_kind api_object_kind;   /* a struct that begins with `bool given` */
extern const api_kind api_objects_kind;  /* api_objects, of `fewest` to `most` */
extern const api_kind api_text_kind;     /* api_text, of `fewest` to `most` bytes */
extern const api_kind api_texts_kind;    /* api_texts, of `fewest` to `most` strings */
extern const api_kind api_reals_kind;    /* api_reals */
extern const api_kind api_choices_kind;  /* api_choices */

/* At most so many bytes of text does an array of objects take in a reply. */
size_t api_objects_text_size(const api_field *field, const api_objects *objects);

/* A row of this kind is no member itself: it stands for the rows of its `fields`, whose offsets
 * count from its own. So operations share what they have in common. Its name is a label. */
extern const api_kind api_included_kind;

/* A walk over the rows of a table, those that it includes in their places:
 *
 *     for (api_rows rows = api_rows_of(table); api_next_row(&rows);) ... rows.field, rows.offset
 */
typedef struct {
    const api_field *field; /* the row, and the offset of its value in the table's struct */
    size_t offset;
    const api_field *outer, *inner; /* what comes next; inner is NULL outside an included table */
} api_rows;

api_rows api_rows_of(const api_field *table);
bool api_next_row(api_rows *rows);
extern const api_kind api_tensor_kind; /* api_tensor */
extern const api_kind api_result_kind; /* api_result */

/* Decodes the members of `object`, in the order in which they stand, into `target` by the rows of
 * `tables` (ended by NULL). `target` is zeroed: what is absent stays not given.
 * False with a problem: an unknown field, a wrong value, a missing one. */
bool api_decode_object(api_decoder *decoder, const cJSON *object, const api_field *const tables[],
                       void *target);

/* Writes what is given of `target` as members of the object that is open. In a dry run a tensor
 * becomes its shape, named output_shape. */
void api_encode_fields(api_encoder *encoder, const api_field *table, const void *target);

/* Appends "/name" to the pointer and returns its former length for api_pointer_pop(). */
size_t api_pointer_push(char pointer[API_POINTER_SIZE], const char *name);
void api_pointer_pop(char pointer[API_POINTER_SIZE], size_t length);

/* 422: "strides is 0; expected an integer from 1 to 1024". Returns false. */
bool api_refuse_value(api_decoder *decoder, const api_field *field, const cJSON *item);

/* The same for a member of what the decoder points at: "/input/data". Returns false. */
bool api_refuse_member(api_decoder *decoder, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
