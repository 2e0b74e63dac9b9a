/* The documents that GET answers.
 * SPDX-License-Identifier: MIT */
#ifndef API_PAGES_H
#define API_PAGES_H

#include "writer.h"

typedef struct {
    const char *path;
    const char *name;   /* the operationId in OpenAPI */
    const char *schema; /* of what it answers: a component's name */
    const char *summary;
    bool open; /* asks for no token, even where the daemon has some */
    void (*write)(api_writer *writer);
} api_page;

extern const api_page api_pages[];
extern const size_t api_page_count;

/* Answers with the page: 200, or a problem if it does not fit into the arena. */
void api_answer_page(const api_page *page, api_arena *arena, api_response *response);

#endif
