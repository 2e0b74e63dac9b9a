/* Preloaded into the daemon: cJSON runs out of memory on any string that holds FAIL_IN_CJSON.
 * SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <dlfcn.h>
#include <string.h>

static const char marker[] = "FAIL_IN_CJSON";

typedef cJSON *creator(const char *text);

CJSON_PUBLIC(cJSON *) cJSON_CreateString(const char *text)
{
    if (strstr(text, marker) != NULL)
        return NULL;
    creator *create = NULL;
    *(void **)&create = dlsym(RTLD_NEXT, "cJSON_CreateString");
    return create(text);
}
