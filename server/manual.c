/* Prints help, the manual page, completion and a file of defaults.
 * SPDX-License-Identifier: MIT */
#include "manual.h"

#include "option_rows.h"

#include <string.h>

static const char *preset_of(const server_option_row *row)
{
    return row->preset[0] != '\0' ? row->preset : "none";
}

void server_manual_help(void)
{
    printf("layerd %s: building blocks of convolutional networks over HTTP\n\n"
           "  layerd [FLAGS]              serve\n"
           "  layerd healthcheck [URL]    exit 0 if the daemon there is ready\n"
           "  layerd --help | --version | --print-config\n"
           "  layerd --print-man | --print-completion | --print-environment\n\n"
           "A flag --max-body is also the environment variable LAYERD_MAX_BODY.\n\n",
           LAYERD_VERSION);
    for (size_t i = 0; i < server_option_count; i++) {
        char name[SERVER_NAME_SIZE];
        const server_option_row *const row = &server_option_rows[i];
        printf("  --%s %s\n        %s [%s]\n", server_option_flag(row, name),
               server_option_word(row), row->help, preset_of(row));
    }
}

/* ---- The manual page ------------------------------------------------------------------------- */

static const char page_begin[] =
    ".TH LAYERD 8 \"\" \"layerd " LAYERD_VERSION "\" \"System Administration\"\n"
    ".SH NAME\n"
    "layerd \\- building blocks of convolutional networks over HTTP\n"
    ".SH SYNOPSIS\n"
    ".B layerd\n"
    ".RI [ FLAGS ]\n"
    ".br\n"
    ".B layerd healthcheck\n"
    ".RI [ URL ]\n"
    ".br\n"
    ".B layerd\n"
    ".BR \\-\\-help \" | \" \\-\\-version \" | \" \\-\\-print\\-config\n"
    ".br\n"
    ".B layerd\n"
    ".BR \\-\\-print\\-man \" | \" \\-\\-print\\-completion \" | \" \\-\\-print\\-environment\n"
    ".SH DESCRIPTION\n"
    ".B layerd\n"
    "answers JSON with JSON: convolutions, pooling, linear layers, their gradients, initial\n"
    "weights, variances and receptive fields.\n"
    ".I /v1\n"
    "lists its operations,\n"
    ".I /openapi.json\n"
    "describes them,\n"
    ".I /metrics\n"
    "tells what it does.\n"
    "It prints where it listens and logs one JSON line for each request to standard error.\n"
    ".PP\n"
    ".B layerd healthcheck\n"
    "asks the daemon at\n"
    ".IR http:// \", \" https:// \" or \" unix:PATH ,\n"
    "or at the address that the options give, whether it is ready.\n"
    ".SH OPTIONS\n"
    "Each is a flag and an environment variable; the flag goes first.\n";

static const char page_end[] =
    ".TP\n"
    ".B \\-\\-print\\-config\n"
    "Print the options as they would be, as a file of environment variables.\n"
    ".TP\n"
    ".BR \\-\\-print\\-man \", \" \\-\\-print\\-completion \", \" \\-\\-print\\-environment\n"
    "Print this page, what\n"
    ".BR bash (1)\n"
    "completes, or a file of environment variables with all defaults.\n"
    ".SH SIGNALS\n"
    ".TP\n"
    ".B SIGHUP\n"
    "Read tokens and certificate again; what is bad leaves them as they were.\n"
    ".TP\n"
    ".B SIGTERM\n"
    "Be not ready, serve on for\n"
    ".BR \\-\\-drain\\-delay ,\n"
    "then stop accepting and finish what is in flight. A second one stops at once.\n"
    ".TP\n"
    ".B SIGINT\n"
    "The same without the delay.\n"
    ".SH ENVIRONMENT\n"
    "Besides the options' variables,\n"
    ".BR LISTEN_FDS \" and \" LISTEN_PID ,\n"
    "by which\n"
    ".BR systemd (1)\n"
    "hands sockets over that take the place of\n"
    ".BR \\-\\-listen ,\n"
    "and\n"
    ".BR NOTIFY_SOCKET ,\n"
    "to which the daemon tells that it is ready, reloading or stopping.\n"
    ".SH FILES\n"
    ".TP\n"
    ".I /etc/default/layerd\n"
    "Environment variables of the daemon that systemd starts.\n"
    ".SH EXIT STATUS\n"
    "0 after a signal, or from a daemon that is ready; 1 if it cannot serve or is not ready; 2 if "
    "an\n"
    "option is wrong.\n"
    ".SH EXAMPLES\n"
    ".EX\n"
    "layerd \\-\\-listen 127.0.0.1:8080,unix:/run/layerd/layerd.sock\n"
    "curl \\-\\-json \\(aq{\"input\":[1,2,3],\"weight\":[1,1]}\\(aq http://127.0.0.1:8080/v1/conv\n"
    ".EE\n"
    ".SH SEE ALSO\n"
    ".BR curl (1),\n"
    ".BR systemd.socket (5)\n";

/* Hyphens are to be typed, so they must not become typographic ones. */
static void print_typed(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '-')
            printf("\\-");
        else
            putchar(*text);
}

static void print_row(const server_option_row *row)
{
    char name[SERVER_NAME_SIZE], allowed[160];
    const char first = row->help[0];
    printf(".TP\n.BI \\-\\-");
    print_typed(server_option_flag(row, name));
    printf(" \" %s\"\n%c", server_option_word(row), first >= 'a' ? first - 32 : first);
    print_typed(row->help + 1);
    printf(".\n.br\n.BR %s :\n", server_option_variable(row, name));
    print_typed(server_option_allowed(row, allowed, sizeof allowed));
    printf(";\n");
    print_typed(preset_of(row));
    printf("\nby default.\n");
}

void server_manual_page(void)
{
    fputs(page_begin, stdout);
    for (size_t i = 0; i < server_option_count; i++)
        print_row(&server_option_rows[i]);
    fputs(page_end, stdout);
}

/* ---- Completion ------------------------------------------------------------------------------ */

static void print_words(const char *choices)
{
    printf("-W '");
    for (; *choices != '\0'; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
    printf("'");
}

/* After which flags words or files are to be offered. */
static void print_cases(void)
{
    for (size_t i = 0; i < server_option_count; i++) {
        char name[SERVER_NAME_SIZE];
        const server_option_row *const row = &server_option_rows[i];
        if (row->choices == NULL && row->kind != SERVER_FILE)
            continue;
        printf("    --%s) COMPREPLY=($(compgen ", server_option_flag(row, name));
        if (row->kind == SERVER_FILE)
            printf("-f");
        else
            print_words(row->choices);
        printf(" -- \"$word\")); return ;;\n");
    }
}

void server_manual_completion(void)
{
    printf("# Completes layerd's command line: bash.\n"
           "_layerd() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    case $before in\n");
    print_cases();
    printf("    esac\n    COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < server_option_count; i++) {
        char name[SERVER_NAME_SIZE];
        printf("--%s ", server_option_flag(&server_option_rows[i], name));
    }
    printf("--help --version --print-config --print-man --print-completion --print-environment "
           "healthcheck' -- \"$word\"))\n"
           "}\n"
           "complete -F _layerd layerd\n");
}

/* ---- Defaults -------------------------------------------------------------------------------- */

void server_manual_environment(void)
{
    printf("# Options of layerd, see layerd(8). What is commented out is the default.\n");
    for (size_t i = 0; i < server_option_count; i++) {
        char name[SERVER_NAME_SIZE];
        const server_option_row *const row = &server_option_rows[i];
        printf("\n# %s\n#%s=%s\n", row->help, server_option_variable(row, name), row->preset);
    }
}
