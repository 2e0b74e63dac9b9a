/* Sends replies: the request's response, or a fixed text.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_REPLY_H
#define SERVER_REPLY_H

#include "request.h"

#include <microhttpd.h>

/* Makes an error the request's response; what it had is forgotten. */
void server_refuse(server_request *request, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a limit of ours, counted. */
void server_refuse_past(server_request *request, server_limit limit, int status, const char *format,
                        ...) __attribute__((format(printf, 4, 5)));

/* The same for a lack that passes: 503 with Retry-After, counted. */
void server_refuse_for_now(server_request *request, server_refusal reason, const char *detail);

/* Queues the request's response; its lease goes when the reply is sent. */
enum MHD_Result server_reply(server_request *request);

/* Queues a text that lives for ever, or one that is to be freed. */
enum MHD_Result server_reply_text(server_request *request, int status, const char *content_type,
                                  const char *text);
enum MHD_Result server_reply_page(server_request *request, const char *content_type, char *page,
                                  size_t size);

#endif
