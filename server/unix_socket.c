/* Makes and removes the files of unix sockets.
 * SPDX-License-Identifier: MIT */
#include "unix_socket.h"

#include "address.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int close_with(int descriptor, int error)
{
    close(descriptor);
    errno = error;
    return -1;
}

/* A socket whose daemon ended without removing it refuses connections. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat facts;
    if (lstat(address->sun_path, &facts) != 0 || !S_ISSOCK(facts.st_mode))
        return false;
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool refused =
        connect(descriptor, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED;
    close(descriptor);
    return refused;
}

/* No moment passes in which the file has more permissions than these. */
static int bind_with(int descriptor, const struct sockaddr_un *address, mode_t mode)
{
    const mode_t before = umask(~mode & 0777);
    const int status = bind(descriptor, (const struct sockaddr *)address, sizeof *address);
    umask(before);
    return status;
}

int server_unix_socket_open(server_unix_socket *file, const char *path, mode_t mode, int backlog)
{
    struct sockaddr_un address;
    if (!server_address_unix(&address, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    if (is_stale(&address))
        unlink(path);
    if (bind_with(descriptor, &address, mode) != 0 || listen(descriptor, backlog) != 0)
        return close_with(descriptor, errno);
    struct stat facts;
    if (lstat(path, &facts) != 0)
        return close_with(descriptor, errno);
    *file = (server_unix_socket){path, facts.st_dev, facts.st_ino};
    return descriptor;
}

void server_unix_socket_remove(const server_unix_socket *file)
{
    struct stat facts;
    if (lstat(file->path, &facts) == 0 && facts.st_dev == file->device &&
        facts.st_ino == file->node)
        unlink(file->path);
}
