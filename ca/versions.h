/*
 * Versions of templates: what is in force goes into the ledger, once for each change, before any certificate
 * that names it. On the loop's thread.
 */
#ifndef CHANCERY_CA_VERSIONS_H
#define CHANCERY_CA_VERSIONS_H

#include "ca.h"

struct versions;

struct versions *versions_new(struct ca *ca, struct loop *loop);
void versions_free(struct versions *v); /* accepts NULL */

/* A set has come into force: all of it is told, a few templates a turn. */
void versions_set(struct versions *v, const struct templates *set, uint64_t generation);

/* The version of a template of the set in force, told now if it was not yet; 0 where the ledger cannot be
 * read. */
uint64_t versions_of(struct versions *v, const struct template *t);

#endif
