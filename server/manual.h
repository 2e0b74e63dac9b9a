/* Texts made of the options' rows, so that they cannot say otherwise.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_MANUAL_H
#define SERVER_MANUAL_H

void server_manual_help(void);

/* The page layerd(8), for man. */
void server_manual_page(void);

/* What bash completes. */
void server_manual_completion(void);

/* A file of environment variables with every option's default, all commented out. */
void server_manual_environment(void);

#endif
