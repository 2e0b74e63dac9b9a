/* Reads addresses.
 * SPDX-License-Identifier: MIT */
#include "address.h"

#include <stdlib.h>
#include <string.h>

static bool is_port(const char *text)
{
    const size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits < 6 && text[digits] == '\0' && strtoul(text, NULL, 10) <= 65535;
}

static bool read_host_and_port(server_address *address, char *text)
{
    char *const colon = strrchr(text, ':');
    if (colon == NULL || !is_port(colon + 1))
        return false;
    *colon = '\0';
    address->port = colon + 1;
    address->host = text;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        address->host = text + 1;
    } else if (strchr(text, ':') != NULL) {
        return false;
    }
    if (address->host[0] == '\0')
        address->host = NULL;
    return true;
}

bool server_address_read(server_address *address, char *text)
{
    *address = (server_address){0};
    if (strncmp(text, "unix:", 5) != 0)
        return read_host_and_port(address, text);
    address->path = text + 5;
    return address->path[0] != '\0';
}

bool server_address_unix(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    const size_t length = strlen(path);
    if (length >= sizeof address->sun_path)
        return false;
    memcpy(address->sun_path, path, length);
    return true;
}
