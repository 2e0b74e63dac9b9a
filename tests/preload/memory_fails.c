/* Preloaded into the daemon: memory that runs out when a test says so (memory_fails.h).
 * SPDX-License-Identifier: MIT */
#include "memory_fails.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library's own, under the names that it keeps for those who replace them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static memory_fails nobody = {.left = -1}, *control = &nobody;

__attribute__((constructor)) static void map_control(void)
{
    const char *const path = getenv("MEMORY_FAILS");
    const int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    const long address =
        syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0L);
    if (address != -1)
        control = (memory_fails *)address;
    close(file);
}

static int fails(void)
{
    long left = atomic_load(&control->left), next;
    do {
        if (left < 0)
            return 0;
        next = left > 0 ? left - 1 : atomic_load(&control->lasting) - 1;
    } while (!atomic_compare_exchange_weak(&control->left, &left, next));
    if (left > 0)
        return 0;
    atomic_fetch_add(&control->failed, 1);
    errno = ENOMEM;
    return 1;
}

static void *counted(void *memory)
{
    if (memory != NULL)
        atomic_fetch_add(&control->live, (long)malloc_usable_size(memory));
    return memory;
}

void free(void *memory)
{
    if (memory != NULL)
        atomic_fetch_sub(&control->live, (long)malloc_usable_size(memory));
    __libc_free(memory);
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    const long before = memory != NULL ? (long)malloc_usable_size(memory) : 0;
    void *const moved = __libc_realloc(memory, size);
    if (moved == NULL && size > 0)
        return NULL;
    atomic_fetch_sub(&control->live, before);
    return counted(moved);
}

void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *const taken = memalign(alignment, size);
    if (taken != NULL)
        *memory = taken;
    return taken != NULL ? 0 : ENOMEM;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if (fails())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
