/* The service without a network, as a test calls it.
 * SPDX-License-Identifier: MIT */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, MOST_JSON = 1 << 16 };

test_service service_open(void)
{
    return (test_service){
        .arena = api_arena_create(64 * MIB),
        .limits = {.json_size = MIB,
                   .tensor_elements = MIB,
                   .tensor_axis = MIB / 16,
                   .memory_size = 64 * MIB,
                   .multiplications = 1000000000},
    };
}

void service_close(test_service *service)
{
    api_arena_destroy(service->arena);
}

api_response service_send(test_service *service, const api_request *request)
{
    api_response reply = {0};
    api_arena_reset(service->arena, service->limits.memory_size);
    api_respond(request, &service->limits, &service->run, service->arena, &reply);
    return reply;
}

api_response service_post(test_service *service, const char *path, const char *json)
{
    return service_send(service, &(api_request){.method = "POST",
                                                .path = path,
                                                .content_type = "application/json",
                                                .body = json,
                                                .body_size = strlen(json)});
}

api_response service_post_binary(test_service *service, const char *path, const char *json,
                                 const void *bytes, size_t size)
{
    static _Thread_local char body[MOST_JSON]; /* alive as long as the reply */
    char length[32];
    snprintf(length, sizeof length, "%zu", strlen(json));
    snprintf(body, sizeof body, "%s", json);
    if (size > 0)
        memcpy(body + strlen(json), bytes, size);
    return service_send(service, &(api_request){.method = "POST",
                                                .path = path,
                                                .content_type = "application/octet-stream",
                                                .json_length = length,
                                                .body = body,
                                                .body_size = strlen(json) + size});
}

cJSON *service_read(const api_response *reply)
{
    const char *end;
    const size_t size = reply->body_size;
    char *const text = malloc(size + 1);
    if (text == NULL)
        return NULL;
    memcpy(text, reply->body, size);
    text[size] = '\0';
    cJSON *const json = cJSON_ParseWithOpts(text, &end, true);
    free(text);
    return json;
}
