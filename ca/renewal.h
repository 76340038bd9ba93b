/*
 * Renewal: a certificate asks for the one that takes its place. Who holds it has shown its key; all else is
 * judged here, from what is on record. On the loop's thread.
 */
#ifndef CHANCERY_CA_RENEWAL_H
#define CHANCERY_CA_RENEWAL_H

#include "house.h"

/* Of an issuance that renews: it is the asker's own, the newest of its line, neither revoked nor over for
 * longer than limits.renew_grace, and what is made keeps its subject and its names. A row of quota_rows. */
MUST_USE struct err *renewal_check(struct issuance *is, const char *const *names, size_t n);

#endif
