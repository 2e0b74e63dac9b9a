/* Free ports.
 * SPDX-License-Identifier: MIT */
#include "support/free_port.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* Linux hands out those from 32768 on. */
enum { LOWEST = 20000, COUNT = 12000 };

static bool is_free(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                        .sin_port = htons((uint16_t)port)};
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool bound = bind(descriptor, (const struct sockaddr *)&address, sizeof address) == 0;
    close(descriptor);
    return bound;
}

int free_port(void)
{
    unsigned number = 0;
    do
        if (getrandom(&number, sizeof number, 0) != sizeof number)
            abort();
    while (!is_free(LOWEST + (int)(number % COUNT)));
    return LOWEST + (int)(number % COUNT);
}
