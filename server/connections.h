/* Every open connection: who it is, what it is doing, until when it may.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_CONNECTIONS_H
#define SERVER_CONNECTIONS_H

#include "options.h"
#include "request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What a connection is doing. */
typedef enum {
    SERVER_ABSENT,  /* no connection */
    SERVER_PENDING, /* accepted, not yet taken over by an I/O thread */
    SERVER_FRESH,   /* before the first line of its first request */
    SERVER_IDLE,    /* the same, of its next request */
    SERVER_HEAD,
    SERVER_BODY,
    SERVER_BUSY, /* the I/O thread computes the request */
    SERVER_WORK, /* suspended while the request is queued or computed */
    SERVER_SEND,
    SERVER_CUT,  /* shut down by the reaper: it was too slow */
    SERVER_LEFT, /* the same: its client had left */
} server_activity;

typedef struct server_connection {
    struct server_connection *next, *previous; /* of the same address's hash */
    size_t position;                           /* among the open ones */
    int descriptor;
    uint64_t address;       /* IPv4 address, or the IPv6 address's first 64 bits */
    char client[56];        /* "127.0.0.1:54321" */
    _Atomic uint64_t state; /* deadline << 4 | activity: both change at once */
    _Atomic int64_t idle_since;
    uint64_t hung_up_state; /* the reaper's: in which it saw that the client had left, */
    int64_t hung_up_at;     /* and when */
    server_request request; /* the one that is under way, if any */
} server_connection;

typedef enum { SERVER_WELCOME, SERVER_TOO_MANY, SERVER_TOO_MANY_OF_ADDRESS } server_welcome;

bool server_connections_start(const server_options *options);
void server_connections_stop(void);

/* Registers an accepted socket. */
server_welcome server_connections_add(int descriptor, const struct sockaddr_storage *address);

/* The connection of a registered socket. */
server_connection *server_connections_find(int descriptor);

/* Forgets a connection whose socket is about to be closed. */
void server_connections_remove(server_connection *connection);

size_t server_connection_count(void);

/* Gives back the memory of many connections that are no more, if so; called now and then. */
bool server_connections_shrink(void);

/* Changes what the connection does and until when it may. False: the reaper has cut it. */
bool server_connection_enter(server_connection *connection, server_activity activity,
                             int64_t deadline);

/* Locks the registry and returns the open connections. Until it is unlocked their sockets stay
 * open, and those that are SERVER_WORK stay so. */
server_connection *const *server_connections_lock(size_t *count);
void server_connections_unlock(void);

static inline server_activity server_state_activity(uint64_t state)
{
    return (server_activity)(state & 15);
}

static inline int64_t server_state_deadline(uint64_t state)
{
    return (int64_t)(state >> 4);
}

/* The thread that ends what has passed its deadline and notices clients that left. */
bool server_reaper_start(const server_options *options);
void server_reaper_stop(void);

#endif
