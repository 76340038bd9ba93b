/*
 * The roster inside the vault: its canonical form, kept beside the roll as roster.der, and the rule that it
 * changes only by its old quorum. What others may read of a roster is in hsm.h. Any thread.
 *
 *     Roster ::= SEQUENCE { version INTEGER (1), quorum INTEGER, SEQUENCE OF Entry }     -- ascending by hash
 *     Entry  ::= SEQUENCE { name UTF8String, role ENUMERATED, spkiHash OCTET STRING (32) }
 *
 * and, where there is more to say than that holds, version 2:
 *
 *     Roster ::= SEQUENCE { version INTEGER (2), quorum INTEGER, SEQUENCE OF Entry, SEQUENCE OF Needed }
 *     Entry  ::= SEQUENCE { name UTF8String, role ENUMERATED, spkiHash OCTET STRING (32), revoked BOOLEAN,
 *                           issuers, templates SEQUENCE OF UTF8String }
 *     Needed ::= SEQUENCE { act ENUMERATED, people INTEGER }                             -- ascending by act
 *
 *     roster.c         who is on it, what must hold over all of it
 *     roster_yaml.c    roster.yaml
 *     roster_form.c    the canonical form
 *     roster_change.c  how it changes
 */
#ifndef CHANCERY_HSM_ROSTER_H
#define CHANCERY_HSM_ROSTER_H

#include "hsm_act.h"

#define ROSTER_PIN_FILE "roster.der"
enum { ROSTER_MAX = 256, ROSTER_SIGS_MAX_BYTES = 256 * 1024, ROSTER_NAME_MAX = 64, ROSTER_SCOPE_MAX = 64 };

struct hsm_roster {
    struct arena *arena;
    unsigned quorum;
    unsigned needed[HSM_ACT_KIND_MAX + 1]; /* people beside the asker, plus one; 0: the quorum */
    struct hsm_roster_entry *entries;      /* ascending by hash */
    size_t n;
    struct view canonical;
    uint8_t hash[SHA256_BYTES];
};

/* Room for ROSTER_MAX entries; hsm_roster_free. */
struct hsm_roster *roster_new(void);
/* Sorts, checks what must hold over all entries, makes the canonical form. */
MUST_USE struct err *roster_complete(struct hsm_roster *r);
/* The canonical form into r->canonical, its hash. */
void roster_write(struct hsm_roster *r);
void roster_uid_hash(uint32_t uid, uint8_t ret[SHA256_BYTES]);
/* One name is one person. */
bool roster_same_person(const struct hsm_roster_entry *a, const struct hsm_roster_entry *b);

/* Holds `r` to the one pinned in dir: the same passes; another needs hsm_roster_approved. *ret_new: it must
 * be pinned (roster_pin) before it counts. Where nothing is pinned yet: passes, and *ret_new. */
MUST_USE struct err *roster_admit(const char *dir, const struct hsm_roster *r, struct view sigs,
                                  bool *ret_new);
MUST_USE struct err *roster_pin(const char *dir, const struct hsm_roster *r);

#endif
