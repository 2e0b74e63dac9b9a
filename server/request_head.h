/* What can be decided by a request's head alone.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_REQUEST_HEAD_H
#define SERVER_REQUEST_HEAD_H

#include "request.h"

/* Takes over what the head says. False: the request's response is an error, because the framing is
 * ambiguous, the head too long, or a header of ours malformed. */
bool server_head_read(server_request *request, const char *method, const char *path,
                      const char *version);

/* Holds the announced body against the limits and makes room for it. False: as above. */
bool server_head_admit(server_request *request);

#endif
