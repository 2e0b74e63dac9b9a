/* cJSON's nodes, made in the arena.
 * SPDX-License-Identifier: MIT */
#include "scan.h"

#include <pthread.h>
#include <stdlib.h>

/* cJSON's hooks are the process's and have no context: the arena is this thread's, for as long as
 * a text is read. Without one they are malloc and free. */
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

void api_nodes_begin(api_arena *arena)
{
    static pthread_once_t hooks_set = PTHREAD_ONCE_INIT;
    pthread_once(&hooks_set, set_hooks);
    current = arena;
    refused = false;
}

void api_nodes_end(void)
{
    current = NULL;
}

/* Tells why there is no node. */
static cJSON *checked(api_scan *scan, cJSON *made)
{
    if (made == NULL && refused)
        api_refuse_memory(scan);
    else if (made == NULL && !api_is_silent(scan))
        api_refuse(scan->problem, 500, "", "cJSON makes no node of what the strict pass accepted");
    return made;
}

cJSON *api_new_literal(api_scan *scan, char first)
{
    if (api_is_silent(scan))
        return NULL;
    return checked(scan, first == 'n' ? cJSON_CreateNull() : cJSON_CreateBool(first == 't'));
}

cJSON *api_new_number(api_scan *scan, double value)
{
    return api_is_silent(scan) ? NULL : checked(scan, cJSON_CreateNumber(value));
}

cJSON *api_new_string(api_scan *scan)
{
    return api_is_silent(scan) ? NULL : checked(scan, cJSON_CreateString(scan->string));
}

cJSON *api_new_array(api_scan *scan)
{
    return api_is_silent(scan) ? NULL : checked(scan, cJSON_CreateArray());
}

cJSON *api_new_object(api_scan *scan)
{
    return api_is_silent(scan) ? NULL : checked(scan, cJSON_CreateObject());
}

cJSON *api_new_lifted(api_scan *scan, size_t index)
{
    cJSON *const item = api_new_number(scan, (double)index);
    if (item != NULL)
        item->type = cJSON_Raw;
    return item;
}

const api_array *api_document_array(const api_document *document, const cJSON *item)
{
    return cJSON_IsRaw(item) ? &document->arrays[(size_t)item->valuedouble] : NULL;
}
