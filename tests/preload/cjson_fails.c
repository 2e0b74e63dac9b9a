/* Preloaded into the daemon: cJSON runs out of memory on any text that holds FAIL_IN_CJSON.
 * SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <dlfcn.h>
#include <string.h>

static const char marker[] = "FAIL_IN_CJSON";

typedef cJSON *parser(const char *text, size_t size, const char **end, cJSON_bool terminated);

CJSON_PUBLIC(cJSON *)
cJSON_ParseWithLengthOpts(const char *text, size_t size, const char **end, cJSON_bool terminated)
{
    if (memmem(text, size, marker, sizeof marker - 1) != NULL)
        return NULL;
    parser *parse = NULL;
    *(void **)&parse = dlsym(RTLD_NEXT, "cJSON_ParseWithLengthOpts");
    return parse(text, size, end, terminated);
}
