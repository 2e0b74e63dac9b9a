/* Ports for programs that are started, ended and started again.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_FREE_PORT_H
#define SUPPORT_FREE_PORT_H

/* A port of 127.0.0.1 that nobody listens on, below those that the system hands out: nobody else
 * is given it by chance meanwhile. */
int free_port(void);

#endif
