/* Which user each kind of process runs as. */
#ifndef CHANCERY_DAEMON_USERS_H
#define CHANCERY_DAEMON_USERS_H

#include "config.h"
#include "jail.h"
#include "message.h"

struct users_one {
    uid_t uid;
    gid_t gid;
};
struct users {
    bool drop;   /* started as root: children take these */
    bool own;    /* each kind has one of its own */
    uid_t owner; /* of the configuration's folder */
    struct users_one of[MESSAGE_PROCESSES];
};

/* Started as root: the users of the configuration, or (demo alone) the owner of its folder. Else: as it is.
 */
MUST_USE struct err *users_find(const struct config *c, struct users *ret);

#endif
