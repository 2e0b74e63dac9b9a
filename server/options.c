/* Reads options from the environment and the command line.
 * SPDX-License-Identifier: MIT */
#include "options.h"

#include "cpus.h"

#include <api/api.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { TEXT, SIZE, COUNT, MODE, SECONDS } option_kind;

typedef struct {
    option_kind kind;
    const char *name; /* max_body */
    size_t offset;    /* in server_options */
    const char *preset;
    double minimum, maximum;
    const char *choices; /* "info|error|off" or NULL: any text */
    const char *help;
} option_row;

#define ROW(option_kind_, option, option_preset, allowed, option_help)                             \
    {.kind = option_kind_,                                                                         \
     .name = #option,                                                                              \
     .offset = offsetof(server_options, option),                                                   \
     .preset = option_preset,                                                                      \
     allowed,                                                                                      \
     .help = option_help},
static const option_row rows[] = {SERVER_OPTIONS(ROW)};
#undef ROW

enum { ROW_COUNT = sizeof rows / sizeof rows[0], NAME_SIZE = 64 };

static const char *const kind_words[] = {"TEXT", "SIZE", "COUNT", "MODE", "SECONDS"};

/* "max_body" as "max-body", or as "LAYERD_MAX_BODY". */
static const char *flag_name(const option_row *row, char text[NAME_SIZE])
{
    size_t length = 0;
    for (; row->name[length] != '\0' && length < NAME_SIZE - 1; length++)
        text[length] = row->name[length] == '_' ? '-' : row->name[length];
    text[length] = '\0';
    return text;
}

static const char *variable_name(const option_row *row, char text[NAME_SIZE])
{
    const size_t prefix = strlen(strcpy(text, "LAYERD_"));
    size_t length = 0;
    for (; row->name[length] != '\0' && prefix + length < NAME_SIZE - 1; length++)
        text[prefix + length] = (char)toupper((unsigned char)row->name[length]);
    text[prefix + length] = '\0';
    return text;
}

static void *field(server_options *options, const option_row *row)
{
    return (char *)options + row->offset;
}

static double suffix_factor(const char *suffix)
{
    static const char *const names[] = {"", "KiB", "MiB", "GiB"};
    double factor = 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++, factor *= 1024)
        if (strcmp(suffix, names[i]) == 0)
            return factor;
    return 0;
}

/* Reads a number of the row's kind; false unless it is one and within the row's bounds. */
static bool read_number(const option_row *row, const char *text, double *value)
{
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return false;
    char *end = NULL;
    *value = row->kind == MODE ? (double)strtoul(text, &end, 8) : strtod(text, &end);
    if (row->kind == SIZE)
        *value *= suffix_factor(end);
    else if (*end != '\0')
        return false;
    if (row->kind != SECONDS && *value != floor(*value))
        return false;
    return *value >= row->minimum && *value <= row->maximum;
}

static bool is_choice(const char *choices, const char *text)
{
    const size_t length = strlen(text);
    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (length > 0 && strncmp(at, text, length) == 0 && (at[length] == '|' || !at[length]))
            return true;
    }
    return false;
}

static bool store(server_options *options, const option_row *row, const char *text)
{
    if (row->kind == TEXT) {
        *(const char **)field(options, row) = text;
        return row->choices != NULL ? is_choice(row->choices, text)
                                    : text[0] != '\0' || row->preset[0] == '\0';
    }
    double value = 0;
    if (strcmp(row->preset, "auto") == 0 && strcmp(text, "auto") == 0)
        value = 0;
    else if (!read_number(row, text, &value))
        return false;
    if (row->kind == SECONDS)
        *(double *)field(options, row) = value;
    else
        *(size_t *)field(options, row) = (size_t)value;
    return true;
}

static void print_expected(const option_row *row)
{
    static const char *const what[] = {"a text", "bytes (a suffix KiB, MiB or GiB is allowed)",
                                       "a whole number", "octal permissions", "seconds"};
    if (row->choices != NULL)
        fprintf(stderr, "expected one of %s\n", row->choices);
    else if (row->kind == TEXT)
        fprintf(stderr, "expected %s\n", what[row->kind]);
    else if (row->kind == MODE)
        fprintf(stderr, "expected %s from %04o to %04o\n", what[row->kind], (unsigned)row->minimum,
                (unsigned)row->maximum);
    else
        fprintf(stderr, "expected %s from %.15g to %.15g%s\n", what[row->kind], row->minimum,
                row->maximum, strcmp(row->preset, "auto") == 0 ? ", or auto" : "");
}

static bool set(server_options *options, const option_row *row, const char *where, const char *text)
{
    if (store(options, row, text))
        return true;
    fprintf(stderr, "layerd: %s: '%s' is not allowed: ", where, text);
    print_expected(row);
    return false;
}

static bool read_environment(server_options *options)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char name[NAME_SIZE];
        const char *const text = getenv(variable_name(&rows[i], name));
        if (text != NULL && !set(options, &rows[i], name, text))
            return false;
    }
    return true;
}

/* The row of "--max-body" or "--max-body=1MiB"; *value is what follows '=', or NULL. */
static const option_row *find_flag(const char *argument, const char **value)
{
    if (strncmp(argument, "--", 2) != 0)
        return NULL;
    const size_t length = strcspn(argument + 2, "=");
    *value = argument[2 + length] == '=' ? argument + 2 + length + 1 : NULL;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char name[NAME_SIZE];
        if (strlen(flag_name(&rows[i], name)) == length && !strncmp(argument + 2, name, length))
            return &rows[i];
    }
    return NULL;
}

static void print_help(void)
{
    printf("layerd %s: building blocks of convolutional networks over HTTP\n\n"
           "  layerd [FLAGS]              serve\n"
           "  layerd healthcheck [URL]    exit 0 if the daemon there is ready\n"
           "  layerd --help | --version | --print-config\n\n"
           "A flag --max-body is also the environment variable LAYERD_MAX_BODY.\n\n",
           LAYERD_VERSION);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char name[NAME_SIZE];
        const option_row *const row = &rows[i];
        printf("  --%s %s\n        %s [%s]\n", flag_name(row, name), kind_words[row->kind],
               row->help, row->preset[0] != '\0' ? row->preset : "none");
    }
}

/* As an environment file, so that it can be fed back. */
static void print_configuration(server_options *options)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char name[NAME_SIZE];
        const option_row *const row = &rows[i];
        printf("%s=", variable_name(row, name));
        if (row->kind == TEXT)
            printf("%s\n", *(const char **)field(options, row));
        else if (row->kind == SECONDS)
            printf("%.15g\n", *(double *)field(options, row));
        else if (row->kind == MODE)
            printf("%04zo\n", *(size_t *)field(options, row));
        else
            printf("%zu\n", *(size_t *)field(options, row));
    }
}

static bool read_flags(server_options *options, int argc, char **argv, bool *print)
{
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        const option_row *const row = find_flag(argv[i], &value);
        if (strcmp(argv[i], "--print-config") == 0) {
            *print = true;
            continue;
        }
        if (row == NULL) {
            fprintf(stderr, "layerd: unknown argument '%s': see layerd --help\n", argv[i]);
            return false;
        }
        if (value == NULL && i + 1 == argc) {
            fprintf(stderr, "layerd: %s: the value is missing: ", argv[i]);
            print_expected(row);
            return false;
        }
        char name[NAME_SIZE + 2] = "--";
        flag_name(row, name + 2);
        if (!set(options, row, name, value != NULL ? value : argv[++i]))
            return false;
    }
    return true;
}

/* Decides what was left to "auto". */
static bool resolve(server_options *options)
{
    const size_t cpus = server_cpu_count();
    if (options->io_threads == 0)
        options->io_threads = cpus < 4 ? cpus : 4;
    if (options->workers == 0)
        options->workers = cpus < 60 ? cpus : 60;
    if (options->max_memory == 0)
        options->max_memory = server_default_memory();
    int isa;
    const bool runs = api_isa_find(options->isa, &isa),
               fits = options->io_threads + options->workers <= 64,
               paired = (options->tls_certificate[0] == '\0') == (options->tls_key[0] == '\0');
    if (!runs)
        fprintf(stderr, "layerd: --isa %s: this processor has %s at best\n", options->isa,
                api_isa_name(0));
    if (!fits)
        fprintf(stderr,
                "layerd: --io-threads %zu and --workers %zu: expected at most 64 together\n",
                options->io_threads, options->workers);
    if (!paired)
        fprintf(stderr, "layerd: --tls-certificate and --tls-key: expected both or none\n");
    return runs && fits && paired;
}

static bool asks_for(int argc, char **argv, const char *flag)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], flag) == 0)
            return true;
    return false;
}

server_verdict server_options_read(server_options *options, int argc, char **argv)
{
    if (asks_for(argc, argv, "--help")) {
        print_help();
        return SERVER_EXIT;
    }
    if (asks_for(argc, argv, "--version")) {
        printf("layerd %s (%s)\n", LAYERD_VERSION, api_isa_name(0));
        return SERVER_EXIT;
    }
    for (size_t i = 0; i < ROW_COUNT; i++)
        store(options, &rows[i], rows[i].preset);
    bool print = false;
    if (!read_environment(options) || !read_flags(options, argc, argv, &print) || !resolve(options))
        return SERVER_USAGE_ERROR;
    if (print)
        print_configuration(options);
    return print ? SERVER_EXIT : SERVER_RUN;
}
