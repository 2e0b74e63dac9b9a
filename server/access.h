/* Who may ask for what: with tokens, all but health and the description of the service is for
 * clients that show one.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_ACCESS_H
#define SERVER_ACCESS_H

#include "request.h"

/* False: the request's response is a 401. */
bool server_access_granted(server_request *request);

#endif
