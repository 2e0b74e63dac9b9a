/* The registry of connections: a table by descriptor, and lists by address.
 * SPDX-License-Identifier: MIT */
#include "connections.h"

#include "clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUCKET_COUNT = 4096, SPARE_DESCRIPTORS = 1024 };

static struct {
    pthread_mutex_t mutex;
    server_connection *table; /* by descriptor; only what is used becomes memory */
    size_t table_size, used;  /* what lies beyond `used` takes no memory */
    server_connection **open; /* the open ones, in no order */
    _Atomic size_t open_count;
    size_t limit, address_limit;
    server_connection *buckets[BUCKET_COUNT];
} registry = {.mutex = PTHREAD_MUTEX_INITIALIZER};

bool server_connections_start(const server_options *options)
{
    registry.limit = options->max_connections;
    registry.address_limit = options->max_connections_per_address;
    registry.table_size = options->max_connections + SPARE_DESCRIPTORS;
    registry.table = calloc(registry.table_size, sizeof *registry.table);
    registry.open = calloc(registry.table_size, sizeof(server_connection *));
    return registry.table != NULL && registry.open != NULL;
}

void server_connections_stop(void)
{
    free(registry.table);
    free(registry.open);
}

static uint64_t address_key(const struct sockaddr_storage *address)
{
    uint64_t key = 0;
    if (address->ss_family == AF_INET)
        key = ((const struct sockaddr_in *)address)->sin_addr.s_addr;
    else if (address->ss_family == AF_INET6)
        memcpy(&key, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof key);
    return key;
}

static server_connection **bucket_of(uint64_t key)
{
    return &registry.buckets[key * UINT64_C(0x9E3779B97F4A7C15) >> 52];
}

static size_t count_address(uint64_t key)
{
    size_t count = 0;
    for (const server_connection *at = *bucket_of(key); at != NULL; at = at->next)
        count += at->address == key;
    return count;
}

/* Who connects to a unix socket is known by its user. */
static void name_user(server_connection *connection)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    getsockopt(connection->descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    snprintf(connection->client, sizeof connection->client, "unix:user %u", peer.uid);
}

static void name_client(server_connection *connection, const struct sockaddr_storage *address)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->ss_family == AF_UNIX) {
        name_user(connection);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *const six = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(connection->client, sizeof connection->client, "[%s]:%u", host,
                 ntohs(six->sin6_port));
    } else {
        const struct sockaddr_in *const four = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(connection->client, sizeof connection->client, "%s:%u", host,
                 ntohs(four->sin_port));
    }
}

/* Called under the lock. */
static void unlink_connection(server_connection *connection)
{
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        *bucket_of(connection->address) = connection->next;
    server_connection *const last = registry.open[registry.open_count - 1];
    registry.open[connection->position] = last;
    last->position = connection->position;
    atomic_fetch_sub(&registry.open_count, 1);
    atomic_store(&connection->state, SERVER_ABSENT);
}

/* Called under the lock. */
static void link_connection(server_connection *connection)
{
    server_connection **const bucket = bucket_of(connection->address);
    connection->previous = NULL;
    connection->next = *bucket;
    if (*bucket != NULL)
        (*bucket)->previous = connection;
    *bucket = connection;
    connection->hung_up_state = SERVER_ABSENT;
    if ((size_t)connection->descriptor >= registry.used)
        registry.used = (size_t)connection->descriptor + 1;
    connection->position = registry.open_count;
    registry.open[connection->position] = connection;
    atomic_fetch_add(&registry.open_count, 1);
    atomic_store(&connection->state, SERVER_PENDING);
}

server_welcome server_connections_add(int descriptor, const struct sockaddr_storage *address)
{
    if ((size_t)descriptor >= registry.table_size)
        return SERVER_TOO_MANY;
    server_connection *const connection = &registry.table[descriptor];
    server_welcome welcome = SERVER_WELCOME;
    pthread_mutex_lock(&registry.mutex);
    /* A descriptor that comes back was closed: libmicrohttpd says nothing of connections that it
     * could not take over. */
    if (atomic_load(&connection->state) != SERVER_ABSENT)
        unlink_connection(connection);
    const uint64_t key = address_key(address);
    if (registry.open_count >= registry.limit) {
        welcome = SERVER_TOO_MANY;
    } else if (address->ss_family != AF_UNIX && count_address(key) >= registry.address_limit) {
        welcome = SERVER_TOO_MANY_OF_ADDRESS;
    } else {
        connection->descriptor = descriptor;
        connection->address = key;
        name_client(connection, address);
        link_connection(connection);
    }
    pthread_mutex_unlock(&registry.mutex);
    return welcome;
}

server_connection *server_connections_find(int descriptor)
{
    return &registry.table[descriptor];
}

void server_connections_remove(server_connection *connection)
{
    pthread_mutex_lock(&registry.mutex);
    unlink_connection(connection);
    pthread_mutex_unlock(&registry.mutex);
}

size_t server_connection_count(void)
{
    return atomic_load(&registry.open_count);
}

static bool change_state(server_connection *connection, uint64_t wanted)
{
    uint64_t state = atomic_load(&connection->state);
    do {
        if (server_state_activity(state) >= SERVER_CUT)
            return false;
    } while (!atomic_compare_exchange_weak(&connection->state, &state, wanted));
    return true;
}

bool server_connection_enter(server_connection *connection, server_activity activity,
                             int64_t deadline)
{
    const uint64_t wanted = (uint64_t)deadline << 4 | activity;
    if (server_state_activity(atomic_load(&connection->state)) != SERVER_WORK)
        return change_state(connection, wanted);
    pthread_mutex_lock(&registry.mutex);
    const bool alive = change_state(connection, wanted);
    pthread_mutex_unlock(&registry.mutex);
    return alive;
}

/* Descriptors are handed out from the lowest on: when a crowd has left, the upper part is free. */
bool server_connections_shrink(void)
{
    pthread_mutex_lock(&registry.mutex);
    size_t needed = 0;
    for (size_t i = 0; i < registry.open_count; i++)
        if ((size_t)registry.open[i]->descriptor >= needed)
            needed = (size_t)registry.open[i]->descriptor + 1;
    const bool shrinks = needed < registry.used / 2;
    if (shrinks) {
        const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        const uintptr_t begin = ((uintptr_t)&registry.table[needed] + page - 1) / page * page;
        const uintptr_t end = (uintptr_t)&registry.table[registry.used] / page * page;
        if (begin < end)
            madvise((void *)begin, end - begin, MADV_DONTNEED);
        registry.used = needed;
    }
    pthread_mutex_unlock(&registry.mutex);
    return shrinks;
}

server_connection *const *server_connections_lock(size_t *count)
{
    pthread_mutex_lock(&registry.mutex);
    *count = registry.open_count;
    return registry.open;
}

void server_connections_unlock(void)
{
    pthread_mutex_unlock(&registry.mutex);
}
