/* Memory of one request: bump allocation in mapped regions that are all given back at once. Some
 * are kept for the next request: that the system clears pages anew costs more than filling them.
 * SPDX-License-Identifier: MIT */
#include "arena.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONING 1
#endif
#endif

#ifdef POISONING
#include <sanitizer/asan_interface.h>
#define poison(at, size)   ASAN_POISON_MEMORY_REGION(at, size)
#define unpoison(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#else
#define poison(at, size)   ((void)(at), (void)(size))
#define unpoison(at, size) ((void)(at), (void)(size))
#endif

enum {
    ALIGNMENT = 64,
    COMMON_SIZE = 256 * 1024,       /* of the first region and of each that small pieces share */
    LARGE_SIZE = COMMON_SIZE / 4,   /* a piece from here on that does not fit gets its own region */
    HEADER_SIZE = 2 * ALIGNMENT,    /* of the first region: it holds the arena itself */
    REGION_HEADER_SIZE = ALIGNMENT, /* of the others */
};

/* Of the regions that are kept. */
static const size_t warm_limit = (size_t)16 << 20;

/* At the head of its memory. */
typedef struct region {
    struct region *next;
    size_t size;
} region;

struct api_arena {
    size_t limit, used;
    bool starved;    /* the system has refused memory */
    region *regions; /* all but the first, which this struct is the head of */
    region *warm;    /* those kept for the next request */
    size_t warm_size;
    unsigned char *at, *end; /* what is free of the common region */
    unsigned char *open;     /* what api_arena_open() gave, or NULL */
    size_t open_size;        /* and how much of it */
    region *open_region;     /* the region that was mapped for it, or NULL */
};

_Static_assert(sizeof(struct api_arena) <= HEADER_SIZE, "the arena fits before its first piece");
_Static_assert(sizeof(region) <= REGION_HEADER_SIZE, "a region fits before its first piece");

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void *map(size_t size)
{
    void *const memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void unmap(region *old)
{
    const size_t size = old->size;
    unpoison(old, size);
    munmap(old, size);
}

/* The smallest warm region of at least `size` bytes, taken out; NULL if there is none. */
static region *take_warm(api_arena *arena, size_t size)
{
    region **best = NULL;
    for (region **at = &arena->warm; *at != NULL; at = &(*at)->next)
        if ((*at)->size >= size && (best == NULL || (*at)->size < (*best)->size))
            best = at;
    if (best == NULL)
        return NULL;
    region *const taken = *best;
    *best = taken->next;
    arena->warm_size -= taken->size;
    return taken;
}

static region *new_region(size_t size)
{
    region *const mapped = map(size);
    if (mapped != NULL)
        mapped->size = size;
    return mapped;
}

/* A region with room for `size` bytes, all of it poisoned. */
static region *add_region(api_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    const size_t needed = round_up(size + REGION_HEADER_SIZE, page_size());
    region *added = take_warm(arena, needed);
    if (added == NULL)
        added = new_region(needed);
    arena->starved = arena->starved || added == NULL;
    if (added == NULL)
        return NULL;
    added->next = arena->regions;
    arena->regions = added;
    poison((unsigned char *)added + REGION_HEADER_SIZE, added->size - REGION_HEADER_SIZE);
    return added;
}

/* Where `size` bytes can go. *own is the region that was mapped for them alone, or NULL. */
static unsigned char *find_room(api_arena *arena, size_t size, region **own)
{
    *own = NULL;
    if (size <= (size_t)(arena->end - arena->at))
        return arena->at;
    if (size >= LARGE_SIZE) {
        *own = add_region(arena, size);
        return *own == NULL ? NULL : (unsigned char *)*own + REGION_HEADER_SIZE;
    }
    region *const common = add_region(arena, COMMON_SIZE - REGION_HEADER_SIZE);
    if (common == NULL)
        return NULL;
    arena->at = (unsigned char *)common + REGION_HEADER_SIZE;
    arena->end = (unsigned char *)common + common->size;
    return arena->at;
}

/* Counts what alignment costs too, as far as the limit goes: it is never passed. */
static void count_used(api_arena *arena, size_t size)
{
    const size_t left = arena->limit - arena->used;
    const size_t rounded = size > left ? left : round_up(size, ALIGNMENT);
    arena->used += rounded < left ? rounded : left;
}

api_arena *api_arena_create(size_t limit)
{
    api_arena *const arena = map(COMMON_SIZE);
    if (arena == NULL)
        return NULL;
    *arena = (api_arena){0};
    api_arena_reset(arena, limit);
    return arena;
}

static void keep(api_arena *arena, region *old)
{
    old->next = arena->warm;
    arena->warm = old;
    arena->warm_size += old->size;
}

void api_arena_reset(api_arena *arena, size_t limit)
{
    for (region *at = arena->regions, *next; at != NULL; at = next) {
        next = at->next;
        if (at->size <= warm_limit - arena->warm_size)
            keep(arena, at);
        else
            unmap(at);
    }
    unsigned char *const first = (unsigned char *)arena;
    *arena = (api_arena){.limit = limit,
                         .warm = arena->warm,
                         .warm_size = arena->warm_size,
                         .at = first + HEADER_SIZE,
                         .end = first + COMMON_SIZE};
    poison(arena->at, COMMON_SIZE - HEADER_SIZE);
}

size_t api_arena_kept(const api_arena *arena)
{
    return COMMON_SIZE + arena->warm_size;
}

void api_arena_destroy(api_arena *arena)
{
    if (arena == NULL)
        return;
    api_arena_reset(arena, 0);
    for (region *at = arena->warm, *next; at != NULL; at = next) {
        next = at->next;
        unmap(at);
    }
    unpoison(arena, COMMON_SIZE);
    munmap(arena, COMMON_SIZE);
}

void *api_arena_allocate(api_arena *arena, size_t size)
{
    size_t granted;
    if (size > api_arena_left(arena))
        return NULL;
    void *const memory = api_arena_open(arena, size, &granted);
    if (memory != NULL)
        api_arena_close(arena, size);
    return memory;
}

void *api_arena_open(api_arena *arena, size_t capacity, size_t *granted)
{
    assert(arena->open == NULL);
    const size_t left = api_arena_left(arena);
    *granted = capacity < left ? capacity : left;
    arena->open = find_room(arena, *granted, &arena->open_region);
    arena->open_size = *granted;
    if (arena->open == NULL)
        *granted = 0;
    else
        unpoison(arena->open, *granted);
    return arena->open;
}

/* Gives the pages behind the first `used` bytes of an opened region back to the system, unless it
 * may be kept whole. */
static void trim(region *opened, size_t used)
{
    const size_t kept = round_up(used + REGION_HEADER_SIZE, page_size());
    if (kept >= opened->size || opened->size <= warm_limit)
        return;
    unsigned char *const tail = (unsigned char *)opened + kept;
    unpoison(tail, opened->size - kept);
    munmap(tail, opened->size - kept);
    opened->size = kept;
}

void api_arena_close(api_arena *arena, size_t used)
{
    assert(arena->open != NULL && used <= arena->open_size);
    poison(arena->open + used, arena->open_size - used);
    if (arena->open_region != NULL)
        trim(arena->open_region, used);
    else if (used > (size_t)(arena->end - arena->at) / ALIGNMENT * ALIGNMENT)
        arena->at = arena->end;
    else
        arena->at += round_up(used, ALIGNMENT);
    count_used(arena, used);
    arena->open = NULL;
}

size_t api_arena_used(const api_arena *arena)
{
    return arena->used;
}

size_t api_arena_left(const api_arena *arena)
{
    return arena->limit - arena->used;
}

bool api_arena_is_starved(const api_arena *arena)
{
    return arena->starved;
}
