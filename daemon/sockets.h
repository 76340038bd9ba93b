/* The listening sockets: opened once by the warden and handed to every child that serves on them. */
#ifndef CHANCERY_DAEMON_SOCKETS_H
#define CHANCERY_DAEMON_SOCKETS_H

#include "config.h"

struct sockets {
    int https[CONFIG_LISTEN_MAX], http[CONFIG_LISTEN_MAX];
    size_t https_n, http_n;
    int control; /* -1: none */
};

/* In the demo an address this machine does not have ([::1] without IPv6) is left out with a warning, as long
 * as one of its list is left. */
MUST_USE struct err *sockets_open(const struct config *c, struct sockets *ret);
void sockets_close(struct sockets *s);

/* Whether they could be opened, for --check: the first that cannot be, as an error. What is in use by a
 * daemon of this installation (its control.sock answers) is as it should be. Leaves nothing open. */
MUST_USE struct err *sockets_try(const struct config *c);

#endif
