/*
 * The jail of a child process: what it gives up before it reads anything from outside. Entered once, by a
 * process with one thread; there is no way out. What the kernel cannot do is left out and reported, and
 * whoever starts the process judges whether that is enough (jail_level).
 */
#ifndef CHANCERY_DAEMON_JAIL_H
#define CHANCERY_DAEMON_JAIL_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* What may be done with a file or with all beneath a folder; nothing else in the file system can be opened.
 */
enum jail_access {
    JAIL_READ = 1,   /* open and list */
    JAIL_UPDATE = 2, /* write what is there, make and remove nothing */
    JAIL_WRITE = 4,  /* read, write, make, remove, rename */
};
struct jail_path {
    const char *path; /* NULL ends nothing and allows nothing: it is skipped */
    unsigned access;
    bool optional; /* where it is missing it is left out; else that is an error */
};

/* What may be connected to. Never more than a PKCS#11 module's own service. */
enum jail_connects { JAIL_CONNECTS_NONE, JAIL_CONNECTS_LOCAL, JAIL_CONNECTS_NETWORK };

struct jail {
    pid_t parent;  /* dies with it */
    bool drop;     /* take uid and gid; only root can */
    bool own_user; /* no other process of the house has this uid */
    uid_t uid;
    gid_t gid;
    const struct jail_path *paths;
    size_t n;
    enum jail_connects connects;
};

struct jail_state {
    bool own_user;
    int landlock; /* ABI in force, 0: none */
    bool net;     /* Landlock keeps TCP shut */
    bool scope;   /* Landlock keeps signals and abstract sockets in */
    bool seccomp;
    enum jail_connects connects;
};

MUST_USE struct err *jail_enter(const struct jail *j, struct jail_state *ret);

/* "own user, landlock 7 with net and scope, seccomp", for log and /readyz. */
const char *jail_text(const struct jail_state *s, struct arena *arena);

/* Two words for what keeps the token from the rest: in the order of config's `isolation`. */
enum jail_level { JAIL_NONE, JAIL_LANDLOCK, JAIL_USERS, JAIL_FULL };
enum jail_level jail_level(const struct jail_state *s);
const char *jail_level_text(enum jail_level level); /* "none", "landlock", "users", "full" */

/* NULL, or why this level is not enough. least: enum config_isolation, which numbers its words as the levels.
 */
const char *jail_refusal(enum jail_level level, int least, bool demo);

#endif
