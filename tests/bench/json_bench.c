/* How fast JSON is read and written, against cJSON alone, and what memory it takes.
 * SPDX-License-Identifier: MIT */
#include "reader.h"
#include "writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CHANNELS = 3,
    SIDE = 224,
    ELEMENTS = CHANNELS * SIDE * SIDE,
    ROUNDS = 15,
    ZEROS_SIZE = 16 * 1024 * 1024 - 1, /* of "[0,0 ... 0]" */
};

/* One subject: a text to read, and what must come of it. */
typedef struct {
    const char *name;
    char *text;
    size_t size;
    const float *expected;
} sample;

typedef struct {
    double times[ROUNDS];
    int count;
} timings;

typedef bool codec(const sample *subject, api_arena *arena, float *output);

static float elements[ELEMENTS];
static const int flat_shape[] = {ELEMENTS}, nested_shape[] = {CHANNELS, SIDE, SIDE};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static int compare(const void *left, const void *right)
{
    const double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

/* Normal numbers, the same in every run. */
static void draw(void)
{
    uint64_t state = 1;
    for (size_t index = 0; index < ELEMENTS; ++index) {
        double sum = -6;
        for (int term = 0; term < 12; ++term) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            sum += (double)(state >> 11) * 0x1p-53;
        }
        elements[index] = (float)sum;
    }
}

/* The flat array, each number by printf. */
static sample print_flat(const char *name, const char *format)
{
    sample made = {.name = name, .text = malloc(ELEMENTS * 32), .expected = elements};
    char *at = made.text;
    for (size_t index = 0; index < ELEMENTS; ++index) {
        *at++ = index == 0 ? '[' : ',';
        at += snprintf(at, 30, format, (double)elements[index]);
    }
    *at++ = ']';
    made.size = (size_t)(at - made.text);
    return made;
}

static sample print_shortest(const char *name, int rank, const int shape[], api_arena *arena)
{
    api_writer writer;
    api_writer_open(&writer, arena, api_floats_text_size(rank, shape), API_NONFINITE_ERROR);
    api_write_floats(&writer, elements, rank, shape);
    const size_t size = api_writer_close(&writer);
    char *const text = malloc(size);
    memcpy(text, writer.begin, size);
    return (sample){name, text, size, elements};
}

static bool read_ours(const sample *subject, api_arena *arena, float *output)
{
    (void)output;
    api_problem problem = {0};
    api_document document;
    if (!api_read(subject->text, subject->size, ELEMENTS, arena, &document, &problem))
        return false;
    const api_array *const array = api_document_array(&document, document.root);
    return array != NULL && array->count == ELEMENTS &&
           memcmp(array->data, subject->expected, sizeof elements) == 0;
}

static float *copy_tree(const cJSON *array, float *output)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, array)
    {
        if (cJSON_IsArray(item))
            output = copy_tree(item, output);
        else
            *output++ = (float)item->valuedouble;
    }
    return output;
}

static bool read_by_cjson(const sample *subject, api_arena *arena, float *output)
{
    (void)arena;
    cJSON *const root = cJSON_ParseWithLength(subject->text, subject->size);
    if (root == NULL)
        return false;
    const float *const end = copy_tree(root, output);
    cJSON_Delete(root);
    return end == output + ELEMENTS && memcmp(output, subject->expected, sizeof elements) == 0;
}

static bool write_ours(const sample *subject, api_arena *arena, float *output)
{
    (void)output;
    api_writer writer;
    api_writer_open(&writer, arena, api_floats_text_size(1, flat_shape), API_NONFINITE_ERROR);
    api_write_floats(&writer, elements, 1, flat_shape);
    const size_t size = api_writer_close(&writer);
    return size == subject->size && memcmp(writer.begin, subject->text, size) == 0;
}

static bool write_by_cjson(const sample *subject, api_arena *arena, float *output)
{
    (void)subject, (void)arena, (void)output;
    cJSON *const array = cJSON_CreateFloatArray(elements, ELEMENTS);
    char *const text = cJSON_PrintUnformatted(array);
    const bool written = text != NULL && *text == '[';
    cJSON_Delete(array);
    cJSON_free(text);
    return written;
}

static bool take_time(codec *action, const sample *subject, api_arena *arena, timings *taken)
{
    static float output[ELEMENTS];
    api_arena_reset(arena, SIZE_MAX);
    const double begin = now();
    const bool right = action(subject, arena, output);
    taken->times[taken->count++] = now() - begin;
    return right;
}

/* Ours and cJSON's in turns, so that whatever else happens on the machine meets both. */
static bool compete(const char *what, codec *ours, codec *theirs, const sample *subject,
                    api_arena *arena)
{
    timings our_times = {0}, their_times = {0};
    bool right = true;
    for (int round = 0; round < ROUNDS; ++round)
        right = take_time(ours, subject, arena, &our_times) &&
                take_time(theirs, subject, arena, &their_times) && right;
    qsort(our_times.times, ROUNDS, sizeof(double), compare);
    qsort(their_times.times, ROUNDS, sizeof(double), compare);
    printf("| %s %s | %.2f / %.2f | %.2f / %.2f | %.1f |%s\n", what, subject->name,
           our_times.times[0], our_times.times[ROUNDS / 2], their_times.times[0],
           their_times.times[ROUNDS / 2],
           their_times.times[ROUNDS / 2] / our_times.times[ROUNDS / 2], right ? "" : " WRONG");
    return right;
}

static long peak_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* In a process of its own, whose peak is nobody else's. */
static bool weigh_zeros(void)
{
    char *const text = malloc(ZEROS_SIZE);
    for (size_t index = 1; index < ZEROS_SIZE; ++index)
        text[index] = index % 2 == 1 ? '0' : ',';
    text[0] = '[';
    text[ZEROS_SIZE - 1] = ']';
    const long before = peak_kilobytes();
    api_arena *const arena = api_arena_create(SIZE_MAX);
    api_problem problem = {0};
    api_document document;
    const bool read = api_read(text, ZEROS_SIZE, ZEROS_SIZE, arena, &document, &problem);
    const api_array *const array = read ? api_document_array(&document, document.root) : NULL;
    if (array == NULL)
        return false;
    const double tensor = (double)(array->count * sizeof(float)), mebibyte = 1024 * 1024;
    const double used = (double)api_arena_used(arena);
    printf("\n16 MiB of `0,`: a tensor of %.1f MiB, arena %.1f MiB (%.2f of it), "
           "peak RSS grew by %.1f MiB\n",
           tensor / mebibyte, used / mebibyte, used / tensor,
           (double)(peak_kilobytes() - before) / 1024);
    return used <= 2 * tensor;
}

static bool weigh_apart(void)
{
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        const bool right = weigh_zeros();
        fflush(stdout);
        _exit(right ? 0 : 1);
    }
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    api_arena *const arena = api_arena_create(SIZE_MAX);
    bool right = weigh_apart();
    draw();
    const sample subjects[] = {print_flat("flat, %.9g", "%.9g"), print_flat("flat, %.17g", "%.17g"),
                               print_shortest("3x224x224, shortest", 3, nested_shape, arena),
                               print_shortest("flat, shortest", 1, flat_shape, arena)};
    printf("\n| 150,528 floats | layerd best / median, ms | cJSON best / median, ms | ratio |\n"
           "|---|---|---|---|\n");
    for (size_t index = 0; index < sizeof subjects / sizeof *subjects; ++index)
        right = compete("read", read_ours, read_by_cjson, &subjects[index], arena) && right;
    right = compete("write", write_ours, write_by_cjson, &subjects[3], arena) && right;
    for (size_t index = 0; index < sizeof subjects / sizeof *subjects; ++index)
        free(subjects[index].text);
    api_arena_destroy(arena);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
