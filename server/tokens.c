/* Reads and compares bearer tokens.
 * SPDX-License-Identifier: MIT */
#include "tokens.h"

#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The shortest is what nobody guesses; the longest leaves room for a NUL. */
enum { TOKEN_SIZE = 256, SHORTEST_TOKEN = 16, MOST_TOKENS = 1024, REASON_SIZE = 256 };

/* Tokens are padded with zeros, so that all are compared over the same length. */
typedef struct {
    size_t count;
    char tokens[MOST_TOKENS][TOKEN_SIZE];
} token_set;

static struct {
    const char *path;
    pthread_rwlock_t lock;
    token_set *set; /* NULL: no token is asked for */
} state = {.lock = PTHREAD_RWLOCK_INITIALIZER};

/* RFC 6750's b64token. */
static size_t token_length(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-._~+/";
    const size_t length = strspn(text, letters);
    return length > 0 ? length + strspn(text + length, "=") : 0;
}

static void destroy(token_set *set)
{
    if (set != NULL)
        explicit_bzero(set, sizeof *set);
    free(set);
}

/* Takes the token of a line, if it has one. Returns what is wrong with it, or NULL. */
static const char *take_line(token_set *set, const char *line)
{
    const char *const begin = line + strspn(line, " \t");
    const size_t length = token_length(begin);
    const char *const rest = begin + length + strspn(begin + length, " \t\r\n");
    if (*rest != '\0' && *rest != '#')
        return "expected one token of letters, digits and -._~+/";
    if (length == 0)
        return NULL;
    if (length < SHORTEST_TOKEN || length >= TOKEN_SIZE)
        return "expected a token of 16 to 255 characters";
    if (set->count == MOST_TOKENS)
        return "there are more than 1024 tokens";
    memcpy(set->tokens[set->count++], begin, length);
    return NULL;
}

static bool read_lines(FILE *file, token_set *set, char reason[REASON_SIZE])
{
    char *line = NULL;
    const char *wrong = NULL;
    size_t size = 0, number = 0;
    while (wrong == NULL && getline(&line, &size, file) >= 0) {
        number++;
        wrong = take_line(set, line);
    }
    if (line != NULL)
        explicit_bzero(line, size);
    free(line);
    if (wrong != NULL)
        snprintf(reason, REASON_SIZE, "line %zu: %s", number, wrong);
    else if (ferror(file))
        snprintf(reason, REASON_SIZE, "%s", strerror(errno));
    else if (set->count == 0)
        snprintf(reason, REASON_SIZE, "there is no token in it");
    else
        return true;
    return false;
}

/* NULL: the reason is told. */
static token_set *read_file(const char *path, char reason[REASON_SIZE])
{
    FILE *const file = fopen(path, "re");
    token_set *const set = file != NULL ? calloc(1, sizeof *set) : NULL;
    bool good = false;
    if (set == NULL)
        snprintf(reason, REASON_SIZE, "%s", strerror(errno));
    else
        good = read_lines(file, set, reason);
    if (file != NULL)
        fclose(file);
    if (good)
        return set;
    destroy(set);
    return NULL;
}

bool server_tokens_start(const char *path)
{
    char reason[REASON_SIZE];
    state.path = path;
    if (path[0] == '\0')
        return true;
    state.set = read_file(path, reason);
    if (state.set == NULL)
        fprintf(stderr, "layerd: --token-file '%s': %s\n", path, reason);
    return state.set != NULL;
}

void server_tokens_stop(void)
{
    destroy(state.set);
    state.set = NULL;
}

void server_tokens_reload(void)
{
    char reason[REASON_SIZE];
    if (state.path[0] == '\0')
        return;
    token_set *const read = read_file(state.path, reason);
    if (read == NULL) {
        server_log_event(SERVER_LOG_ERROR, "the tokens stay as they were: %s: %s", state.path,
                         reason);
        return;
    }
    pthread_rwlock_wrlock(&state.lock);
    token_set *const old = state.set;
    state.set = read;
    pthread_rwlock_unlock(&state.lock);
    destroy(old);
    server_log_event(SERVER_LOG_INFO, "tokens are read again: there are %zu", read->count);
}

bool server_tokens_required(void)
{
    return state.path[0] != '\0';
}

/* No branch depends on what is compared. */
static unsigned difference(const char *one, const char *other)
{
    unsigned bits = 0;
    for (size_t i = 0; i < TOKEN_SIZE; i++)
        bits |= (unsigned char)(one[i] ^ other[i]);
    return bits;
}

static bool is_known(const char token[TOKEN_SIZE])
{
    unsigned found = 0;
    pthread_rwlock_rdlock(&state.lock);
    for (size_t i = 0; i < state.set->count; i++)
        found |= difference(state.set->tokens[i], token) == 0;
    pthread_rwlock_unlock(&state.lock);
    return found != 0;
}

server_token_verdict server_tokens_check(const char *authorization)
{
    static const char scheme[] = "Bearer ";
    const size_t scheme_size = sizeof scheme - 1;
    if (!server_tokens_required())
        return SERVER_TOKEN_GOOD;
    if (authorization == NULL || strncasecmp(authorization, scheme, scheme_size) != 0)
        return SERVER_TOKEN_MISSING;
    const char *const begin =
        authorization + scheme_size + strspn(authorization + scheme_size, " ");
    const size_t length = token_length(begin);
    char token[TOKEN_SIZE] = {0};
    if (length == 0 || length >= TOKEN_SIZE ||
        begin[length + strspn(begin + length, " \t")] != '\0')
        return SERVER_TOKEN_WRONG;
    memcpy(token, begin, length);
    return is_known(token) ? SERVER_TOKEN_GOOD : SERVER_TOKEN_WRONG;
}
