/* Keeps the certificate, and those that handshakes may still be using.
 * SPDX-License-Identifier: MIT */
#include "tls.h"

#include "clock.h"
#include "log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_IN_CHAIN = 16 };

typedef struct certificate {
    struct certificate *older;
    gnutls_pcert_st chain[MOST_IN_CHAIN];
    unsigned chain_count;
    gnutls_privkey_t key;
    time_t expiry;
    int64_t retired; /* when a newer one took its place */
} certificate;

static struct {
    const server_options *options;
    bool enabled;
    pthread_rwlock_t lock;
    certificate *current;
} tls = {.lock = PTHREAD_RWLOCK_INITIALIZER};

static void destroy(certificate *old)
{
    for (unsigned i = 0; i < old->chain_count; i++)
        gnutls_pcert_deinit(&old->chain[i]);
    gnutls_privkey_deinit(old->key);
    free(old);
}

static int read_chain(certificate *read, const char *path)
{
    unsigned count = MOST_IN_CHAIN;
    const int status = gnutls_pcert_list_import_x509_file(read->chain, &count, path,
                                                          GNUTLS_X509_FMT_PEM, NULL, NULL, 0);
    read->chain_count = status == 0 ? count : 0;
    return status;
}

static int read_key(certificate *read, const char *path)
{
    gnutls_datum_t text = {0};
    int status = gnutls_load_file(path, &text);
    if (status != 0)
        return status;
    status = gnutls_privkey_import_x509_raw(read->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_memset(text.data, 0, text.size);
    gnutls_free(text.data);
    return status;
}

/* The key's public half has the certificate's name. */
static int check_pair(const certificate *read)
{
    unsigned char ours[64], theirs[64];
    size_t size = sizeof ours, their_size = sizeof theirs;
    gnutls_pubkey_t half;
    int status = gnutls_pubkey_init(&half);
    if (status != 0)
        return status;
    if ((status = gnutls_pubkey_import_privkey(half, read->key, 0, 0)) == 0 &&
        (status = gnutls_pubkey_get_key_id(half, 0, ours, &size)) == 0)
        status = gnutls_pubkey_get_key_id(read->chain[0].pubkey, 0, theirs, &their_size);
    gnutls_pubkey_deinit(half);
    if (status == 0 && (size != their_size || gnutls_memcmp(ours, theirs, size) != 0))
        status = GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
    return status;
}

static int read_expiry(certificate *read)
{
    gnutls_x509_crt_t first = NULL;
    const int status = gnutls_pcert_export_x509(&read->chain[0], &first);
    if (status == 0)
        read->expiry = gnutls_x509_crt_get_expiration_time(first);
    gnutls_x509_crt_deinit(first);
    return status;
}

static const char *reason_of(int status)
{
    if (status == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return "there is no key in it";
    return gnutls_strerror(status);
}

/* NULL: *status says why, and *path where. */
static certificate *read_files(const server_options *options, int *status, const char **path)
{
    certificate *const read = calloc(1, sizeof *read);
    *path = options->tls_certificate;
    *status = GNUTLS_E_MEMORY_ERROR;
    if (read == NULL || (*status = gnutls_privkey_init(&read->key)) != 0) {
        free(read);
        return NULL;
    }
    if ((*status = read_chain(read, *path)) == 0 && (*status = read_expiry(read)) == 0) {
        *path = options->tls_key;
        if ((*status = read_key(read, *path)) == 0)
            *status = check_pair(read);
    }
    if (*status == 0)
        return read;
    destroy(read);
    return NULL;
}

bool server_tls_start(const server_options *options)
{
    int status;
    const char *path;
    tls.options = options;
    if (options->tls_certificate[0] == '\0')
        return true;
    tls.current = read_files(options, &status, &path);
    if (tls.current == NULL)
        fprintf(stderr, "layerd: cannot use '%s': %s\n", path, reason_of(status));
    tls.enabled = tls.current != NULL;
    return tls.enabled;
}

void server_tls_stop(void)
{
    for (certificate *older; tls.current != NULL; tls.current = older) {
        older = tls.current->older;
        destroy(tls.current);
    }
}

/* A handshake lasts no longer than a head may. */
static void drop_unused(int64_t now)
{
    const int64_t longest = 2 * server_nanoseconds(tls.options->head_timeout);
    certificate **link = &tls.current->older;
    while (*link != NULL && now - (*link)->retired < longest)
        link = &(*link)->older;
    while (*link != NULL) {
        certificate *const old = *link;
        *link = old->older;
        destroy(old);
    }
}

void server_tls_reload(void)
{
    int status;
    const char *path;
    if (!server_tls_enabled())
        return;
    certificate *const read = read_files(tls.options, &status, &path);
    if (read == NULL) {
        server_log_event(SERVER_LOG_ERROR, "the certificate stays as it was: %s: %s", path,
                         reason_of(status));
        return;
    }
    pthread_rwlock_wrlock(&tls.lock);
    tls.current->retired = server_now();
    read->older = tls.current;
    tls.current = read;
    pthread_rwlock_unlock(&tls.lock);
    drop_unused(server_now());
    server_log_event(SERVER_LOG_INFO, "the certificate is read again");
}

bool server_tls_enabled(void)
{
    return tls.enabled;
}

time_t server_tls_expiry(void)
{
    pthread_rwlock_rdlock(&tls.lock);
    const time_t expiry = tls.current->expiry;
    pthread_rwlock_unlock(&tls.lock);
    return expiry;
}

int server_tls_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                           int authority_count, const gnutls_pk_algorithm_t *algorithms,
                           int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_count,
                           gnutls_privkey_t *key)
{
    (void)session;
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    pthread_rwlock_rdlock(&tls.lock);
    certificate *const current = tls.current;
    pthread_rwlock_unlock(&tls.lock);
    *chain = current->chain;
    *chain_count = current->chain_count;
    *key = current->key;
    return 0;
}
