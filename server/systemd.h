/* What the daemon and systemd have to do with each other, where it runs under it: sockets that are
 * handed over (sd_listen_fds(3)) and states that are told (sd_notify(3)).
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_SYSTEMD_H
#define SERVER_SYSTEMD_H

/* The first descriptor that is handed over. */
enum { SERVER_SYSTEMD_FIRST = 3 };

/* How many listening sockets were handed over, made ready for use; 0 without systemd. -1: *reason
 * says what is wrong with them. */
int server_systemd_sockets(int limit, const char **reason);

/* Tells a state, such as "READY=1"; does nothing without systemd. */
void server_systemd_tell(const char *state);

/* That it is reading its files again, until READY=1. */
void server_systemd_tell_reloading(void);

#endif
