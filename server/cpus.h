/* What this process may use of the machine: processors and memory.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_CPUS_H
#define SERVER_CPUS_H

#include <stddef.h>

/* Processors by the affinity mask and the control group's quota, at least 1. */
size_t server_cpu_count(void);

/* Half of the control group's memory limit; 1 GiB where there is none or more than that. */
size_t server_default_memory(void);

#endif
