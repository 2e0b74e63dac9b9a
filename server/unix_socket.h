/* A listening socket in the file system.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_UNIX_SOCKET_H
#define SERVER_UNIX_SOCKET_H

#include <sys/stat.h>

typedef struct {
    const char *path; /* NULL: there is none */
    dev_t device;
    ino_t node;
} server_unix_socket;

/* Opens it with the permissions of `mode`, in place of one that nobody listens on any more. The
 * descriptor, or -1 and errno. */
int server_unix_socket_open(server_unix_socket *file, const char *path, mode_t mode, int backlog);

/* Removes the file, if it is still this one. */
void server_unix_socket_remove(const server_unix_socket *file);

#endif
