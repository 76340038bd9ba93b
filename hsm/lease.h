/*
 * Serials on lease to one channel: made here, 20 octets, positive, the first four from the clock, the
 * others random (more than RFC 5280 4.1.2.2 and anyone's rules ask for); each may be sealed once, for its
 * issuer, by the channel it was given to. The table dies with the channel. Bounded: the oldest lease
 * gives way to the newest. One thread.
 */
#ifndef CHANCERY_HSM_LEASE_H
#define CHANCERY_HSM_LEASE_H

#include "base/err.h"
#include "base/limits.h"
#include "base/view.h"

enum { LEASE_MAX_AT_ONCE = 256, LEASE_MAX = 4096, LEASE_ISSUERS_MAX = 64 };

struct lease;
struct lease *lease_new(void);
void lease_free(struct lease *l); /* accepts NULL */

/* n new serials for this issuer. ERR_TOO_MANY where it would be one issuer more than LEASE_ISSUERS_MAX. */
MUST_USE struct err *lease_grant(struct lease *l, struct view issuer, size_t n, uint8_t (*ret)[SERIAL_BYTES]);
/* ERR_SERIAL: not on lease for this issuer here. A look; nothing is used up. */
MUST_USE struct err *lease_check(const struct lease *l, struct view issuer, struct view serial);
/* Uses it up, once lease_check() has passed it. */
void lease_use(struct lease *l, struct view issuer, struct view serial);
size_t lease_count(const struct lease *l, struct view issuer);

#endif
