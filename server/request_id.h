/* The name of a request in the log.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_REQUEST_ID_H
#define SERVER_REQUEST_ID_H

enum { SERVER_ID_SIZE = 129 };

/* The client's own, if it is printable and not too long; else one that does not come again. */
void server_request_id(char id[SERVER_ID_SIZE], const char *wanted);

#endif
