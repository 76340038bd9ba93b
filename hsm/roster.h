/*
 * The roster inside the vault: its canonical form, kept beside the roll as roster.der, and the rule that it
 * changes only by its old quorum. What others may read of a roster is in hsm.h. Any thread.
 *
 *     Roster ::= SEQUENCE { version INTEGER (1), quorum INTEGER, SEQUENCE OF     -- ascending by hash
 *                           SEQUENCE { name UTF8String, role ENUMERATED, spkiHash OCTET STRING (32) } }
 */
#ifndef CHANCERY_HSM_ROSTER_H
#define CHANCERY_HSM_ROSTER_H

#include "hsm_books.h"

#define ROSTER_PIN_FILE "roster.der"
enum { ROSTER_MAX = 256, ROSTER_SIGS_MAX_BYTES = 256 * 1024, ROSTER_NAME_MAX = 64 };

/* The canonical form; borrowed. */
struct view roster_canonical(const struct hsm_roster *r);
MUST_USE struct err *roster_of_canonical(struct view der, struct hsm_roster **ret);

/* NULL where `sigs` (roster.sigs) holds signatures of `quorum` different administrators of the old roster
 * over the change to the new one; else ERR_FORBIDDEN with what is missing. A line that is malformed or does
 * not verify is an error too. */
MUST_USE struct err *roster_approved(const struct hsm_roster *old, const struct hsm_roster *new,
                                     struct view sigs);

/* Holds `r` to the one pinned in dir: the same passes; another needs roster_approved. *ret_new: it must be
 * pinned (roster_pin) before it counts. Where nothing is pinned yet: passes, and *ret_new. */
MUST_USE struct err *roster_admit(const char *dir, const struct hsm_roster *r, struct view sigs,
                                  bool *ret_new);
MUST_USE struct err *roster_pin(const char *dir, const struct hsm_roster *r);

#endif
