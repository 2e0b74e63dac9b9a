/* Takes over or makes the names of requests.
 * SPDX-License-Identifier: MIT */
#include "request_id.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

/* 128 bits that do not come again: a counter, spread by a key drawn at start. */
static void make_id(char id[SERVER_ID_SIZE])
{
    static _Atomic uint64_t counter, keys[2];
    if (atomic_load_explicit(&keys[0], memory_order_acquire) == 0) {
        uint64_t drawn[2] = {1, 1};
        (void)!getrandom(drawn, sizeof drawn, GRND_NONBLOCK);
        atomic_store(&keys[1], drawn[1]);
        atomic_store_explicit(&keys[0], drawn[0] | 1, memory_order_release);
    }
    const uint64_t count = atomic_fetch_add(&counter, 1) * UINT64_C(0x9E3779B97F4A7C15);
    const uint64_t words[2] = {mix(count + atomic_load(&keys[0])),
                               mix(count ^ atomic_load(&keys[1]))};
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++)
        id[i] = digits[words[i / 16] >> (60 - i % 16 * 4) & 15];
    id[32] = '\0';
}

void server_request_id(char id[SERVER_ID_SIZE], const char *wanted)
{
    const size_t size = wanted != NULL ? strlen(wanted) : 0;
    bool printable = size > 0 && size < SERVER_ID_SIZE;
    for (size_t i = 0; printable && i < size; i++)
        printable = wanted[i] >= 0x20 && wanted[i] < 0x7f;
    if (printable)
        memcpy(id, wanted, size + 1);
    else
        make_id(id);
}
