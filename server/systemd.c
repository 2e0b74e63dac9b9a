/* Speaks systemd's two protocols, which take fewer lines than linking its library.
 * SPDX-License-Identifier: MIT */
#include "systemd.h"

#include "address.h"
#include "clock.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The number that a variable holds, or 0. */
static long variable(const char *name)
{
    const char *const text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

static bool is_listening(int descriptor)
{
    int type = 0, listens = 0;
    socklen_t size = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
           getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

int server_systemd_sockets(int limit, const char **reason)
{
    const long count = variable("LISTEN_PID") == getpid() ? variable("LISTEN_FDS") : 0;
    *reason = count > limit ? "there are too many" : NULL;
    for (int i = 0; i < count && *reason == NULL; i++) {
        const int descriptor = SERVER_SYSTEMD_FIRST + i;
        if (!is_listening(descriptor))
            *reason = "expected listening stream sockets";
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    }
    return *reason == NULL ? (int)count : -1;
}

/* A name that begins with '@' stands for one that begins with a NUL: outside of the file system. */
void server_systemd_tell(const char *state)
{
    const char *const name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    if (name == NULL || !server_address_unix(&address, name))
        return;
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const size_t size = offsetof(struct sockaddr_un, sun_path) + strlen(name);
    sendto(descriptor, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
           (socklen_t)size);
    close(descriptor);
}

void server_systemd_tell_reloading(void)
{
    char state[64];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%ju",
             (uintmax_t)server_now() / 1000);
    server_systemd_tell(state);
}
