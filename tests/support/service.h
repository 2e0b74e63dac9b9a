/* The service without a network, as a test calls it.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SERVICE_H
#define SUPPORT_SERVICE_H

#include <api/api.h>

#include <cjson/cJSON.h>

/* An arena and limits that a test may change before it asks. */
typedef struct {
    api_arena *arena;
    api_limits limits;
    api_run run;
} test_service;

test_service service_open(void);
void service_close(test_service *service);

/* A request as it is; the reply lives until the next one. */
api_response service_send(test_service *service, const api_request *request);

/* POST with JSON. */
api_response service_post(test_service *service, const char *path, const char *json);

/* POST of JSON followed by bytes. */
api_response service_post_binary(test_service *service, const char *path, const char *json,
                                 const void *bytes, size_t size);

/* The reply's JSON part, read back strictly; NULL if it is not JSON. The caller deletes it. */
cJSON *service_read(const api_response *reply);

#endif
