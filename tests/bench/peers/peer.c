/* The lines that a contender written in C reads and writes.
 * SPDX-License-Identifier: MIT */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_OPEN = 32, MOST_TIMES = 500, PATH_SIZE = 512 };

static const char *const mode_names[] = {"call", "prepared", "own"};

typedef struct {
    char variant[32];
    peer_mode mode;
    void *work;
} entry;

static struct {
    const peer *self;
    peer_row row;
    char directory[PATH_SIZE];
    entry entries[MOST_OPEN];
    size_t count;
} state;

static void fail(const char *what)
{
    fprintf(stderr, "peer: %s\n", what);
    exit(EXIT_FAILURE);
}

float *peer_floats(size_t count)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 4096, count * sizeof(float)) != 0)
        fail("no memory");
    return memory;
}

int peer_threads(int count, char *arguments[])
{
    const int threads = count == 2 ? atoi(arguments[1]) : 0;
    if (threads < 1)
        fail("one argument: the number of threads");
    return threads;
}

static FILE *open_file(const char *name, const char *how)
{
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/%s", state.directory, name);
    FILE *const file = fopen(path, how);
    if (file == NULL)
        fail(path);
    return file;
}

static float *read_floats(const char *name, int count)
{
    float *const elements = peer_floats((size_t)count);
    FILE *const file = open_file(name, "rb");
    if (fread(elements, sizeof *elements, (size_t)count, file) != (size_t)count)
        fail("a tensor is too short");
    fclose(file);
    return elements;
}

static void write_output(void *work)
{
    float *const output = peer_floats(state.row.output_count);
    state.self->read(work, output);
    FILE *const file = open_file("output", "wb");
    fwrite(output, sizeof *output, state.row.output_count, file);
    if (fclose(file) != 0)
        fail("an output cannot be written");
    free(output);
}

static void forget_row(void)
{
    for (size_t i = 0; i < state.count; i++)
        state.self->close(state.entries[i].work);
    state.count = 0;
    free(state.row.input);
    free(state.row.weight);
    free(state.row.gradient);
    state.row = (peer_row){0};
}

bool peer_is(const peer_row *row, const char *kind)
{
    return strcmp(row->kind, kind) == 0;
}

bool peer_begins(const peer_row *row, const char *beginning)
{
    return strncmp(row->kind, beginning, strlen(beginning)) == 0;
}

bool peer_ends(const peer_row *row, const char *end)
{
    const size_t length = strlen(row->kind), least = strlen(end);
    return length >= least && strcmp(row->kind + length - least, end) == 0;
}

static void read_tensors(peer_row *row)
{
    const int inputs = row->n * row->c * row->h * row->w;
    const int outputs = row->n * row->k * row->p * row->q;
    const int weights = row->k * row->c / row->group * row->r * row->s;
    const bool is_grad_input = peer_ends(row, "_grad_input") || peer_ends(row, "_backward");
    const bool is_grad_weight = peer_ends(row, "_grad_weight");
    row->output_count = (size_t)(is_grad_input ? inputs : is_grad_weight ? weights : outputs);
    row->input = read_floats("input", inputs);
    if (peer_begins(row, "conv") || peer_begins(row, "linear"))
        row->weight = read_floats("weight", weights);
    if (is_grad_input || is_grad_weight)
        row->gradient = read_floats("gradient", outputs);
}

static void take_row(const char *line)
{
    peer_row *const row = &state.row;
    forget_row();
    if (sscanf(line, "%31s %d %d %d %d %d %d %d %d %d %d %d %511s", row->kind, &row->n, &row->c,
               &row->k, &row->h, &row->w, &row->r, &row->s, &row->stride, &row->pad_h, &row->pad_w,
               &row->group, state.directory) != 13)
        fail("a row is not one");
    row->p = (row->h + 2 * row->pad_h - row->r) / row->stride + 1;
    row->q = (row->w + 2 * row->pad_w - row->s) / row->stride + 1;
    read_tensors(row);
    puts("ok");
}

static entry read_entry(const char *line)
{
    entry wanted = {0};
    char mode[16] = "";
    if (sscanf(line, "%31s %15s", wanted.variant, mode) != 2)
        fail("a command lacks its arguments");
    while (strcmp(mode, mode_names[wanted.mode]) != 0)
        if (++wanted.mode > PEER_OWN)
            fail("no such mode");
    return wanted;
}

static void open_entry(const char *line)
{
    entry *const opened = &state.entries[state.count];
    if (state.count == MOST_OPEN)
        fail("too many are open");
    *opened = read_entry(line);
    const char *detail = "";
    opened->work = state.self->open(&state.row, opened->variant, opened->mode, &detail);
    if (opened->work == NULL) {
        puts("no");
        return;
    }
    state.count++;
    state.self->run(opened->work);
    write_output(opened->work);
    printf("ok %s\n", detail);
}

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void time_runs(void *work, double seconds, clockid_t clock)
{
    state.self->run(work);
    double before = now(clock);
    const double end = before + seconds;
    for (int count = 0; count == 0 || (count < MOST_TIMES && before < end); count++) {
        state.self->run(work);
        const double after = now(clock);
        printf("%.3f ", 1e6 * (after - before));
        before = now(clock);
    }
    puts("");
}

static void time_entry(const char *line)
{
    double seconds = 0;
    char clock[8] = "";
    const entry wanted = read_entry(line);
    if (sscanf(line, "%*s %*s %lf %7s", &seconds, clock) != 2)
        fail("time lacks its arguments");
    const entry *found = state.entries;
    while (found < state.entries + state.count &&
           (found->mode != wanted.mode || strcmp(found->variant, wanted.variant) != 0))
        found++;
    if (found == state.entries + state.count)
        fail("time what is not open");
    time_runs(found->work, seconds,
              strcmp(clock, "cpu") == 0 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC);
}

int peer_serve(const peer *self)
{
    char line[PATH_SIZE + 256];
    state.self = self;
    printf("%s\n", self->version);
    for (size_t i = 0; self->variants[i] != NULL; i++)
        printf("%s ", self->variants[i]);
    puts("");
    while (fflush(stdout), fgets(line, sizeof line, stdin) != NULL) {
        if (strncmp(line, "row ", 4) == 0)
            take_row(line + 4);
        else if (strncmp(line, "open ", 5) == 0)
            open_entry(line + 5);
        else if (strncmp(line, "time ", 5) == 0)
            time_entry(line + 5);
        else
            fail("no such command");
    }
    forget_row();
    return EXIT_SUCCESS;
}
