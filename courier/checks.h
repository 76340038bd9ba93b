/*
 * Checks under way: each asked for by an id, tried from every vantage, decided as soon as it can be, within
 * its deadline. The loop's thread.
 */
#ifndef CHANCERY_COURIER_CHECKS_H
#define CHANCERY_COURIER_CHECKS_H

#include "courier_check.h"

struct transfers;
struct checks;

typedef void checks_found(void *arg, uint64_t id, const struct courier_finding *f);
struct checks *checks_new(struct loop *loop, struct transfers *transfers, checks_found *found, void *arg);
void checks_free(struct checks *c); /* nothing is found any more; accepts NULL */
void checks_drop(struct checks *c); /* the same, and it goes on to serve; accepts NULL */

/* Borrowed until set anew; what is under way keeps to what it began with. */
void checks_set(struct checks *c, const struct courier_checking *how);

/* The check is borrowed until return. `found` is called once, later, unless it is dropped. */
void checks_begin(struct checks *c, uint64_t id, const struct courier_check *check);

#endif
