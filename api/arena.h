/* The arena's inner interface: memory whose size is known only after it was filled.
 * SPDX-License-Identifier: MIT */
#ifndef API_ARENA_H
#define API_ARENA_H

#include "api/api.h"

/* Opens room for up to `capacity` bytes at the arena's end: address space, not memory, until it is
 * written. Nothing else may be allocated before api_arena_close(). NULL without memory.
 * A capacity beyond the arena's limit is cut to it; *granted says what there is. */
void *api_arena_open(api_arena *arena, size_t capacity, size_t *granted);

/* Keeps the first `used` bytes of what was opened last and gives the rest back. */
void api_arena_close(api_arena *arena, size_t used);

/* Bytes that may still be handed out. */
size_t api_arena_left(const api_arena *arena);

/* True if the system has refused memory since the last reset: what was not had is no matter of the
 * limit. */
bool api_arena_is_starved(const api_arena *arena);

#endif
