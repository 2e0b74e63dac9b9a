/* HTTP for tests: one exchange, many at once, or bytes by hand, over libcurl and plain sockets.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_HTTP_CLIENT_H
#define SUPPORT_HTTP_CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/* All zero: GET /. */
typedef struct {
    const char *method;         /* NULL: POST with a body, GET without one */
    const char *path;           /* "/v1/conv" */
    const char *const *headers; /* "Name: value" each, NULL at the end; or NULL */
    const void *body;
    size_t body_size; /* 0: the body is a string */
    bool chunked;     /* no Content-Length, Transfer-Encoding: chunked */
} http_request;

/* What came back. Freed by http_free(). */
typedef struct {
    CURLcode result;  /* CURLE_OK if there is a whole reply */
    long status;      /* 0 without a reply */
    long connects;    /* connections that this exchange opened */
    int continues;    /* "100 Continue" lines that came before the reply */
    char *head;       /* the reply's head: its lines, a NUL after each */
    size_t head_size; /* bytes of head */
    char *body;       /* a NUL follows it */
    size_t body_size; /* bytes of body without that NUL */
} http_reply;

/* The literal list of headers that http_request.headers takes. */
#define HTTP_HEADERS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A client that keeps its connection between exchanges. */
typedef struct http_client http_client;

/* "http://HOST:PORT", "https://HOST:PORT" or "unix:PATH". */
http_client *http_open(const char *url);
http_reply http_exchange(http_client *client, const http_request *request);
void http_close(http_client *client);

/* One exchange on a connection of its own. */
http_reply http_send(const char *url, const http_request *request);
http_reply http_get(const char *url, const char *path);
http_reply http_post(const char *url, const char *path, const char *json);

/* The value of the reply's header, any case; NULL if there is none. Lives as long as the reply. */
const char *http_header(const http_reply *reply, const char *name);

void http_free(http_reply *reply);

/* Clients that send all at once, each again and again on its kept connection. */
typedef struct {
    const char *url;
    size_t clients;
    /* Fills in the next request of a client, or returns false: it has sent its last. What the
     * request points to stays until the reply was seen. */
    bool (*next)(void *context, size_t client, http_request *request);
    void (*seen)(void *context, size_t client, const http_reply *reply);
    void *context;
} http_crowd;

void http_crowd_run(const http_crowd *crowd);

/* Appends to a string that grows; `*text` starts as NULL, a NUL always follows. */
void text_append(char **text, size_t *size, const void *data, size_t data_size);

#endif
