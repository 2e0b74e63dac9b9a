/* The outline's tree: cJSON's nodes, made in the arena.
 * SPDX-License-Identifier: MIT */
#include "scan.h"

#include <pthread.h>
#include <stdlib.h>

/* cJSON's hooks are the process's and have no context: the arena is this thread's, for as long as
 * the tree is built. Without one they are malloc and free. */
static _Thread_local api_arena *current;
static _Thread_local bool refused; /* the arena gave nothing */

static void *take(size_t size)
{
    if (current == NULL)
        return malloc(size);
    void *const memory = api_arena_allocate(current, size);
    refused = refused || memory == NULL;
    return memory;
}

static void leave(void *memory)
{
    if (current == NULL)
        free(memory);
}

static void set_hooks(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = take, .free_fn = leave});
}

const cJSON *api_build_tree(api_scan *scan)
{
    /* cJSON notes where it failed in a global variable. */
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    static pthread_once_t hooks_set = PTHREAD_ONCE_INIT;
    pthread_once(&hooks_set, set_hooks);
    pthread_mutex_lock(&one_at_a_time);
    current = scan->arena;
    refused = false;
    const cJSON *const root =
        cJSON_ParseWithLengthOpts(scan->outline, scan->outline_size, NULL, false);
    current = NULL;
    pthread_mutex_unlock(&one_at_a_time);
    if (root == NULL && refused)
        api_refuse_memory(scan);
    else if (root == NULL)
        api_refuse(scan->problem, 500, "", "cJSON does not read what the strict pass accepted");
    return root;
}
