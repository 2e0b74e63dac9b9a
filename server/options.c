/* Reads options from the environment and the command line.
 * SPDX-License-Identifier: MIT */
#include "options.h"

#include "cpus.h"
#include "manual.h"
#include "option_rows.h"

#include <api/api.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *field(server_options *options, const server_option_row *row)
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
static bool read_number(const server_option_row *row, const char *text, double *value)
{
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return false;
    char *end = NULL;
    *value = row->kind == SERVER_MODE ? (double)strtoul(text, &end, 8) : strtod(text, &end);
    if (row->kind == SERVER_SIZE)
        *value *= suffix_factor(end);
    else if (*end != '\0')
        return false;
    if (row->kind != SERVER_SECONDS && *value != floor(*value))
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

static bool store(server_options *options, const server_option_row *row, const char *text)
{
    if (row->kind <= SERVER_FILE) {
        *(const char **)field(options, row) = text;
        return row->choices != NULL ? is_choice(row->choices, text)
                                    : text[0] != '\0' || row->preset[0] == '\0';
    }
    double value = 0;
    if (strcmp(row->preset, "auto") == 0 && strcmp(text, "auto") == 0)
        value = 0;
    else if (!read_number(row, text, &value))
        return false;
    if (row->kind == SERVER_SECONDS)
        *(double *)field(options, row) = value;
    else
        *(size_t *)field(options, row) = (size_t)value;
    return true;
}

static void print_expected(const server_option_row *row)
{
    char allowed[160];
    fprintf(stderr, "expected %s\n", server_option_allowed(row, allowed, sizeof allowed));
}

static bool set(server_options *options, const server_option_row *row, const char *where,
                const char *text)
{
    if (store(options, row, text))
        return true;
    fprintf(stderr, "layerd: %s: '%s' is not allowed: ", where, text);
    print_expected(row);
    return false;
}

static bool read_environment(server_options *options)
{
    for (size_t i = 0; i < server_option_count; i++) {
        char name[SERVER_NAME_SIZE];
        const char *const text = getenv(server_option_variable(&server_option_rows[i], name));
        if (text != NULL && !set(options, &server_option_rows[i], name, text))
            return false;
    }
    return true;
}

/* The row of "--max-body" or "--max-body=1MiB"; *value is what follows '=', or NULL. */
static const server_option_row *find_flag(const char *argument, const char **value)
{
    if (strncmp(argument, "--", 2) != 0)
        return NULL;
    const size_t length = strcspn(argument + 2, "=");
    *value = argument[2 + length] == '=' ? argument + 2 + length + 1 : NULL;
    for (size_t i = 0; i < server_option_count; i++) {
        char name[SERVER_NAME_SIZE];
        if (strlen(server_option_flag(&server_option_rows[i], name)) == length &&
            !strncmp(argument + 2, name, length))
            return &server_option_rows[i];
    }
    return NULL;
}

/* As an environment file, so that it can be fed back. */
static void print_configuration(server_options *options)
{
    for (size_t i = 0; i < server_option_count; i++) {
        char name[SERVER_NAME_SIZE];
        const server_option_row *const row = &server_option_rows[i];
        printf("%s=", server_option_variable(row, name));
        if (row->kind <= SERVER_FILE)
            printf("%s\n", *(const char **)field(options, row));
        else if (row->kind == SERVER_SECONDS)
            printf("%.15g\n", *(double *)field(options, row));
        else if (row->kind == SERVER_MODE)
            printf("%04zo\n", *(size_t *)field(options, row));
        else
            printf("%zu\n", *(size_t *)field(options, row));
    }
}

static bool read_flags(server_options *options, int argc, char **argv, bool *print)
{
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        const server_option_row *const row = find_flag(argv[i], &value);
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
        char name[SERVER_NAME_SIZE + 2] = "--";
        server_option_flag(row, name + 2);
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

static void print_version(void)
{
    printf("layerd %s (%s)\n", LAYERD_VERSION, api_isa_name(0));
}

/* What is printed whatever the options say. */
static const struct {
    const char *flag;
    void (*print)(void);
} texts[] = {
    {"--help", server_manual_help},
    {"--version", print_version},
    {"--print-man", server_manual_page},
    {"--print-completion", server_manual_completion},
    {"--print-environment", server_manual_environment},
};

server_verdict server_options_read(server_options *options, int argc, char **argv)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (asks_for(argc, argv, texts[i].flag)) {
            texts[i].print();
            return SERVER_EXIT;
        }
    for (size_t i = 0; i < server_option_count; i++)
        store(options, &server_option_rows[i], server_option_rows[i].preset);
    bool print = false;
    if (!read_environment(options) || !read_flags(options, argc, argv, &print) || !resolve(options))
        return SERVER_USAGE_ERROR;
    if (print)
        print_configuration(options);
    return print ? SERVER_EXIT : SERVER_RUN;
}
