/* What serving costs at least: libmicrohttpd answers every request to /SIZE by SIZE bytes of
 * nothing. `empty_server PORT` serves on 127.0.0.1 until its standard input ends.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char nothing[1 << 24];

/* Not in the first call, before the request's end: libmicrohttpd would close the connection. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    (void)method, (void)version, (void)upload;
    if (*state == NULL || *upload_size > 0) {
        *state = context;
        *upload_size = 0;
        return MHD_YES;
    }
    const size_t size = strtoul(url + 1, NULL, 10);
    if (size > sizeof nothing)
        return MHD_NO;
    struct MHD_Response *const response =
        MHD_create_response_from_buffer(size, nothing, MHD_RESPMEM_PERSISTENT);
    const enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

int main(int count, char *arguments[])
{
    const unsigned processors = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)(count == 2 ? atoi(arguments[1]) : 0));
    struct MHD_Daemon *const daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, nothing, MHD_OPTION_THREAD_POOL_SIZE,
        processors < 4 ? processors : 4, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "empty_server: it does not start\n");
        return EXIT_FAILURE;
    }
    while (getchar() != EOF)
        continue;
    MHD_stop_daemon(daemon);
    return EXIT_SUCCESS;
}
