/* HTTP for tests, over libcurl.
 * SPDX-License-Identifier: MIT */
#include "support/http_client.h"

#include "support/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CEILING_SECONDS = 300 };

struct http_client {
    CURL *handle;
    char *url;
    struct curl_slist *headers;
    http_request request;
    size_t sent;
    http_reply reply;
};

/* Room for `size` bytes and a NUL: a power of two, so that appending bytes one by one costs little
 * and the room need not be remembered. */
static size_t room_for(size_t size)
{
    size_t room = 64;
    while (room <= size)
        room *= 2;
    return room;
}

void text_append(char **text, size_t *size, const void *data, size_t data_size)
{
    if (*text == NULL || room_for(*size + data_size) > room_for(*size)) {
        *text = realloc(*text, room_for(*size + data_size));
        if (*text == NULL)
            abort();
    }
    if (data_size > 0)
        memcpy(*text + *size, data, data_size);
    *size += data_size;
    (*text)[*size] = '\0';
}

static size_t keep_body(char *data, size_t size, size_t count, void *context)
{
    http_client *const client = context;
    text_append(&client->reply.body, &client->reply.body_size, data, size * count);
    return size * count;
}

static size_t keep_head(char *data, size_t size, size_t count, void *context)
{
    http_client *const client = context;
    http_reply *const reply = &client->reply;
    size_t length = size * count;
    if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        reply->continues += length >= 12 && memcmp(data + 9, "100", 3) == 0;
        reply->head_size = 0;
    }
    while (length > 0 && (data[length - 1] == '\r' || data[length - 1] == '\n'))
        length--;
    if (length > 0) {
        text_append(&reply->head, &reply->head_size, data, length);
        text_append(&reply->head, &reply->head_size, "", 1);
    }
    return size * count;
}

static size_t give_body(char *data, size_t size, size_t count, void *context)
{
    http_client *const client = context;
    const size_t left = client->request.body_size - client->sent;
    const size_t given = left < size * count ? left : size * count;
    memcpy(data, (const char *)client->request.body + client->sent, given);
    client->sent += given;
    return given;
}

static int rewind_body(void *context, curl_off_t offset, int origin)
{
    http_client *const client = context;
    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    client->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

http_client *http_open(const char *url)
{
    http_client *const client = calloc(1, sizeof *client);
    if (client == NULL || (client->handle = curl_easy_init()) == NULL)
        abort();
    client->url = strdup(url);
    return client;
}

void http_close(http_client *client)
{
    curl_easy_cleanup(client->handle);
    curl_slist_free_all(client->headers);
    free(client->url);
    free(client);
}

static void add_header(http_client *client, const char *line)
{
    client->headers = curl_slist_append(client->headers, line);
}

static void set_headers(http_client *client)
{
    const http_request *const request = &client->request;
    curl_slist_free_all(client->headers);
    client->headers = NULL;
    bool typed = false, expecting = false;
    for (const char *const *line = request->headers; line != NULL && *line != NULL; line++) {
        typed = typed || strncasecmp(*line, "Content-Type:", 13) == 0;
        expecting = expecting || strncasecmp(*line, "Expect:", 7) == 0;
        add_header(client, *line);
    }
    if (!typed && request->body != NULL)
        add_header(client, "Content-Type: application/json");
    if (!expecting)
        add_header(client, "Expect:");
    if (request->chunked)
        add_header(client, "Transfer-Encoding: chunked");
    curl_easy_setopt(client->handle, CURLOPT_HTTPHEADER, client->headers);
}

static void set_body(http_client *client)
{
    CURL *const handle = client->handle;
    const curl_off_t size =
        client->request.chunked ? (curl_off_t)-1 : (curl_off_t)client->request.body_size;
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, size);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(handle, CURLOPT_READDATA, client);
    curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, rewind_body);
    curl_easy_setopt(handle, CURLOPT_SEEKDATA, client);
}

static void prepare(http_client *client, const http_request *request)
{
    CURL *const handle = client->handle;
    client->request = *request;
    client->reply = (http_reply){.result = CURLE_FAILED_INIT};
    client->sent = 0;
    if (request->body != NULL && request->body_size == 0)
        client->request.body_size = strlen(request->body);
    char *address = NULL;
    size_t address_size = 0;
    const bool is_unix = strncmp(client->url, "unix:", 5) == 0;
    const char *const base = is_unix ? "http://localhost" : client->url;
    text_append(&address, &address_size, base, strlen(base));
    text_append(&address, &address_size, request->path, strlen(request->path));
    curl_easy_reset(handle);
    curl_easy_setopt(handle, CURLOPT_URL, address);
    if (is_unix)
        curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, client->url + 5);
    if (strncmp(client->url, "https:", 6) == 0)
        curl_easy_setopt(handle, CURLOPT_CAINFO, transport_authority());
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, (long)CEILING_SECONDS);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, keep_head);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, client);
    set_headers(client);
    if (request->body != NULL)
        set_body(client);
    if (request->method != NULL && strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    else if (request->method != NULL)
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
    free(address);
}

static void conclude(http_client *client, CURLcode result)
{
    http_reply *const reply = &client->reply;
    reply->result = result;
    curl_easy_getinfo(client->handle, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(client->handle, CURLINFO_NUM_CONNECTS, &reply->connects);
    text_append(&reply->head, &reply->head_size, "", 0);
    text_append(&reply->body, &reply->body_size, "", 0);
}

http_reply http_exchange(http_client *client, const http_request *request)
{
    prepare(client, request);
    conclude(client, curl_easy_perform(client->handle));
    return client->reply;
}

http_reply http_send(const char *url, const http_request *request)
{
    http_client *const client = http_open(url);
    const http_reply reply = http_exchange(client, request);
    http_close(client);
    return reply;
}

http_reply http_get(const char *url, const char *path)
{
    return http_send(url, &(http_request){.path = path});
}

http_reply http_post(const char *url, const char *path, const char *json)
{
    return http_send(url, &(http_request){.path = path, .body = json});
}

const char *http_header(const http_reply *reply, const char *name)
{
    const size_t length = strlen(name);
    const char *const end = reply->head + reply->head_size;
    for (const char *line = reply->head; line < end; line += strlen(line) + 1)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    return NULL;
}

void http_free(http_reply *reply)
{
    free(reply->head);
    free(reply->body);
    *reply = (http_reply){0};
}

/* Starts the client's next exchange unless it has had its last. */
static size_t send_next(const http_crowd *crowd, CURLM *multi, http_client *clients[], size_t index)
{
    http_request request = {0};
    if (!crowd->next(crowd->context, index, &request))
        return 0;
    prepare(clients[index], &request);
    curl_easy_setopt(clients[index]->handle, CURLOPT_PRIVATE, (void *)(clients + index));
    curl_multi_add_handle(multi, clients[index]->handle);
    return 1;
}

static size_t take_reply(const http_crowd *crowd, CURLM *multi, http_client *clients[],
                         const CURLMsg *message)
{
    const CURLcode result = message->data.result;
    char *place = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &place);
    http_client **const at = (http_client **)(void *)place;
    const size_t index = (size_t)(at - clients);
    conclude(*at, result);
    curl_multi_remove_handle(multi, (*at)->handle);
    crowd->seen(crowd->context, index, &(*at)->reply);
    http_free(&(*at)->reply);
    return send_next(crowd, multi, clients, index);
}

void http_crowd_run(const http_crowd *crowd)
{
    CURLM *const multi = curl_multi_init();
    http_client **const clients = calloc(crowd->clients, sizeof(http_client *));
    if (multi == NULL || clients == NULL)
        abort();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)crowd->clients);
    size_t busy = 0;
    for (size_t index = 0; index < crowd->clients; index++) {
        clients[index] = http_open(crowd->url);
        busy += send_next(crowd, multi, clients, index);
    }
    while (busy > 0) {
        int running = 0, left = 0;
        curl_multi_perform(multi, &running);
        const CURLMsg *message;
        while ((message = curl_multi_info_read(multi, &left)) != NULL)
            if (message->msg == CURLMSG_DONE)
                busy += take_reply(crowd, multi, clients, message) - 1;
        if (running > 0)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    for (size_t index = 0; index < crowd->clients; index++)
        http_close(clients[index]);
    curl_multi_cleanup(multi);
    free((void *)clients);
}
