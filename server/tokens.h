/* The bearer tokens of clients (RFC 6750), read from a file: one a line; what follows a '#' and
 * blank lines do not count.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_TOKENS_H
#define SERVER_TOKENS_H

#include <stdbool.h>

typedef enum { SERVER_TOKEN_GOOD, SERVER_TOKEN_MISSING, SERVER_TOKEN_WRONG } server_token_verdict;

/* Reads the file; with the path "" no token is asked for. False: the reason is on standard error.
 */
bool server_tokens_start(const char *path);
void server_tokens_stop(void);

/* Reads the file again. The tokens stay as they were unless it is good; the log says which. */
void server_tokens_reload(void);

bool server_tokens_required(void);

/* Judges the header Authorization, or NULL. How long it takes does not depend on the tokens. */
server_token_verdict server_tokens_check(const char *authorization);

#endif
