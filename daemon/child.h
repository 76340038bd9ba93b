/*
 * A child's side: from its descriptors to a running role. The stages that all roles share (START, metrics,
 * generation, jail) are in child.c; what a role does is its record of functions. One loop, one thread of
 * ours; a role's libraries may have more.
 */
#ifndef CHANCERY_DAEMON_CHILD_H
#define CHANCERY_DAEMON_CHILD_H

#include "base/loop.h"
#include "message.h"
#include "setup.h"

struct child;

/* What a role is. `self` is what open gave. All are called on the loop's thread; those that may be NULL say
 * so. */
struct child_role {
    /* Everything it needs, on child_loop(); it must not block for clients. */
    struct err *(*open)(struct child *c, void **ret_self);
    /* A fresh channel to the process of that kind and index; takes fd. */
    void (*attach)(void *self, enum message_process peer, unsigned index, int fd);
    /* The next generation: check and keep aside (borrowed until abort, or until the commit after the next).
     */
    struct err *(*prepare)(void *self, struct setup *next);
    void (*commit)(void *self, struct setup *now);
    void (*abort)(void *self);
    /* The house as the warden sees it; borrowed for the call. May be NULL. */
    void (*status)(void *self, const struct message_status *status);
    void (*retry_pin)(void *self, size_t token, int fd);  /* takes fd; may be NULL */
    void (*change_pin)(void *self, size_t token, int fd); /* the same; child_pin_changed() when done */
    /* Finish what is under way, then child_stop(). */
    void (*stop)(void *self);
    void (*close)(void *self);
};

/* The body of `chanceryd --role NAME`; ends the process. */
_Noreturn void child_main(const char *name);

/* --- for roles --- */

void child_pin_changed(struct child *c, size_t token, unsigned outcome, const char *why);
struct loop *child_loop(struct child *c);
struct setup *child_setup(struct child *c); /* the generation it started with */
unsigned child_index(const struct child *c);
const struct jail_state *child_jail(const struct child *c);
size_t child_listeners(const struct child *c);
int child_listener(const struct child *c, size_t i);
int child_pin(const struct child *c);     /* of its first token, the others follow; -1: none */
uid_t child_owner(const struct child *c); /* of the installation */

/* It answers clients from now on. */
void child_serving(struct child *c);
/* The loop ends, the role is closed, the process ends: why NULL with status 0. Takes why. */
void child_stop(struct child *c, struct err *why);

#endif
