/* Opens and closes the listening sockets.
 * SPDX-License-Identifier: MIT */
#include "sockets.h"

#include "address.h"
#include "systemd.h"
#include "tls.h"
#include "unix_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, URL_SIZE = 128 };

static struct {
    int descriptors[SERVER_SOCKET_LIMIT];
    server_unix_socket files[SERVER_SOCKET_LIMIT];
    size_t count;
    bool inherited;  /* all are systemd's */
    bool exposed;    /* other machines can reach one of them */
    char *addresses; /* the option's text, cut up */
    char url[URL_SIZE];
} sockets;

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    if (address->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 ==
               IN_LOOPBACKNET;
    return true;
}

static void write_url(const struct sockaddr_storage *address, socklen_t size)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    const char *const scheme = server_tls_enabled() ? "https" : "http";
    if (address->ss_family == AF_UNIX)
        snprintf(sockets.url, URL_SIZE, "unix:%s", ((const struct sockaddr_un *)address)->sun_path);
    else if (getnameinfo((const struct sockaddr *)address, size, host, sizeof host, port,
                         sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(sockets.url, URL_SIZE,
                 address->ss_family == AF_INET6 ? "%s://[%.60s]:%s" : "%s://%.60s:%s", scheme, host,
                 port);
}

static void keep(int descriptor)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    getsockname(descriptor, (struct sockaddr *)&address, &size);
    if (sockets.count == 0)
        write_url(&address, size);
    sockets.exposed = sockets.exposed || !is_loopback(&address);
    sockets.descriptors[sockets.count++] = descriptor;
}

/* A listening socket, or -1 and errno. */
static int listen_on(const struct addrinfo *address)
{
    const int yes = 1;
    const int descriptor =
        socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->ai_family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(descriptor, BACKLOG) == 0)
        return descriptor;
    const int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

/* Listens on every address of a name. One that this machine does not have, such as IPv6's where it
 * is switched off, is no error as long as there is another. */
static const char *listen_on_all(const struct addrinfo *addresses)
{
    const char *reason = "no address";
    bool any = false;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        if (sockets.count == SERVER_SOCKET_LIMIT)
            return "too many addresses";
        const int descriptor = listen_on(at);
        if (descriptor < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
            return strerror(errno);
        if (descriptor < 0) {
            reason = strerror(errno);
            continue;
        }
        any = true;
        keep(descriptor);
    }
    return any ? NULL : reason;
}

static const char *listen_on_name(const char *host, const char *port)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    const int status = getaddrinfo(host, port, &wanted, &addresses);
    const char *const reason = status != 0 ? gai_strerror(status) : listen_on_all(addresses);
    if (addresses != NULL)
        freeaddrinfo(addresses);
    return reason;
}

static const char *listen_on_path(const char *path, size_t mode)
{
    if (sockets.count == SERVER_SOCKET_LIMIT)
        return "too many addresses";
    const int descriptor =
        server_unix_socket_open(&sockets.files[sockets.count], path, (mode_t)mode, BACKLOG);
    if (descriptor < 0)
        return strerror(errno);
    keep(descriptor);
    return NULL;
}

static bool open_address(char *text, size_t mode)
{
    char whole[URL_SIZE];
    server_address address;
    snprintf(whole, sizeof whole, "%s", text);
    if (!server_address_read(&address, text)) {
        fprintf(stderr,
                "layerd: --listen '%s': expected HOST:PORT, [IPV6]:PORT or unix:PATH, PORT at most "
                "65535\n",
                whole);
        return false;
    }
    const char *const reason = address.path != NULL ? listen_on_path(address.path, mode)
                                                    : listen_on_name(address.host, address.port);
    if (reason != NULL)
        fprintf(stderr, "layerd: cannot listen on '%s': %s\n", whole, reason);
    return reason == NULL;
}

static bool inherit(void)
{
    const char *reason;
    const int count = server_systemd_sockets(SERVER_SOCKET_LIMIT, &reason);
    if (count < 0)
        fprintf(stderr, "layerd: the sockets of systemd: %s\n", reason);
    for (int i = 0; i < count; i++)
        keep(SERVER_SYSTEMD_FIRST + i);
    sockets.inherited = count > 0;
    return count >= 0;
}

bool server_sockets_open(const server_options *options)
{
    if (!inherit())
        return false;
    if (sockets.inherited)
        return true;
    sockets.addresses = strdup(options->listen);
    bool opened = sockets.addresses != NULL;
    char *rest = NULL;
    for (char *at = opened ? strtok_r(sockets.addresses, ",", &rest) : NULL; at != NULL && opened;
         at = strtok_r(NULL, ",", &rest))
        opened = open_address(at, options->socket_mode);
    if (opened && sockets.count == 0)
        fprintf(stderr, "layerd: --listen '%s': expected an address\n", options->listen);
    return opened && sockets.count > 0;
}

size_t server_sockets_count(void)
{
    return sockets.count;
}

int server_sockets_descriptor(size_t index)
{
    return sockets.descriptors[index];
}

const char *server_sockets_url(void)
{
    return sockets.url;
}

bool server_sockets_are_local(void)
{
    return !sockets.exposed;
}

/* New connections are dropped unseen, so that none can come between the last accept and the
 * closing, which would reset it. */
bool server_sockets_end(size_t index)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &drop};
    const int descriptor = sockets.descriptors[index];
    if (sockets.inherited)
        return false;
    if (sockets.files[index].path != NULL)
        server_unix_socket_remove(&sockets.files[index]);
    else
        setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    return true;
}
