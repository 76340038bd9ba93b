/*
 * The vault's books as data, for whoever must read them: the seal roll (`ledger verify`, recovery) and the
 * roster (enroll, init). Pure functions; any thread.
 */
#ifndef CHANCERY_HSM_BOOKS_H
#define CHANCERY_HSM_BOOKS_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/view.h"

/* --- the seal roll --- */

enum hsm_roll_kind {
    HSM_ROLL_CERT = 1,   /* an end-entity certificate */
    HSM_ROLL_CRL = 2,    /* extra: its crlNumber */
    HSM_ROLL_OCSP = 3,   /* an OCSP answer */
    HSM_ROLL_NONCE = 4,  /* a ready answer sealed again with a nonce */
    HSM_ROLL_CA = 5,     /* a CA certificate */
    HSM_ROLL_STATE = 27, /* not signed: an issuer's state (hsm_state.h): template its name, extra until when a
                          * deleted one can be restored, tbs_sha256 of the act */
    HSM_ROLL_CSR = 26,   /* a certificate request of an issuer's key; no serial, no template */
    HSM_ROLL_HEAD = 36,  /* a head of the ledger's tree: key "log/HEX16", serial its root, extra its size,
                          * template  the log's origin */
    /* not signed, but kept: key says of what, template in a few words why, tbs_sha256 of what exactly */
    HSM_ROLL_ACT = 6,    /* an act was done: serial its id, extra its expiry, tbs_sha256 of the act */
    HSM_ROLL_FREEZE = 7, /* key "all", "issuer:NAME", "template:NAME", "asker:ID" */
    HSM_ROLL_THAW = 8,   /* the same key */
};
struct hsm_roll_entry {
    uint64_t n; /* 1, 2, 3, ... */
    int64_t time_ms;
    struct view key; /* issuer's name, or "ISSUER/ocsp/HEX16" for a responder key */
    enum hsm_roll_kind kind;
    struct view
        serial; /* 20 octets for HSM_ROLL_CERT and _CA, 16 (the id) for _ACT, 32 for _HEAD, else empty */
    struct view template; /* likewise */
    uint32_t generation;
    struct view tbs_sha256;
    uint64_t extra;
    struct view prev_sha256; /* SHA-256 of the entry before, whole DER; of the file's header for the first */
};
/* Takes one entry off *in; views point into it. Form only, no chain. */
MUST_USE struct err *hsm_roll_entry_read(struct view *in, struct hsm_roll_entry *ret);

/* Walks a whole roll file's bytes and checks numbers and chain; calls fn (may be NULL) for each entry, stops
 * at fn's error. ERR_CORRUPT names the place. A torn last entry is ERR_CORRUPT here too (only the vault may
 * cut it). ret_n, ret_head (SHA-256 of the last entry): what was found; may be NULL. */
MUST_USE struct err *hsm_roll_verify(struct view file,
                                     struct err *(*fn)(void *arg, const struct hsm_roll_entry *entry),
                                     void *arg, uint64_t *ret_n, uint8_t ret_head[SHA256_BYTES]);
/* The roll's own id, from its header: which vault it is of. */
MUST_USE struct err *hsm_roll_id(struct view file, uint8_t ret[16]);
/* The name of the file in the vault's roll folder. */
#define HSM_ROLL_FILE "roll.der"

/* --- the roster: who may do what, by SHA-256 of the SPKI ---
 *
 *     quorum: 2                    # administrators who must sign a change of this file
 *     approvals: {ca-create: 3}    # people beside the asker who must approve an act; else the quorum
 *     roster:
 *       - name: maria              # one name, one person, however many keys
 *         role: admin              # admin, operator, auditor, enroll-agent, recovery
 *         spki_sha256: "3f...64 hex digits"
 *         revoked: true            # kept for the record; counts for nothing
 *       - name: desk
 *         role: enroll-agent
 *         uid: 1004                # who comes over control.sock, in place of a key
 *         issuers: [issuing]       # operator and enroll-agent: only these; none given: all
 *         templates: [device]
 *
 * At least `quorum` people are admin; no hash or uid stands twice; an auditor is nothing else beside;
 * recovery signs nothing but a change of the roster, and alone is enough for one. */
enum hsm_role {
    HSM_ROLE_NONE,
    HSM_ROLE_AUDITOR,
    HSM_ROLE_OPERATOR,
    HSM_ROLE_ADMIN,
    HSM_ROLE_ENROLL_AGENT,
    HSM_ROLE_RECOVERY,
    HSM_ROLE__COUNT
};
struct hsm_roster;
struct hsm_roster_texts {
    size_t n;
    const char *const *items;
};
struct hsm_roster_entry {
    const char *name;
    enum hsm_role role;
    uint8_t spki_sha256[SHA256_BYTES]; /* of a uid: a hash that no key has */
    bool revoked;
    struct hsm_roster_texts issuers, templates; /* n == 0: all */
};

/* file: for messages ("roster.yaml:3:5: ..."). */
MUST_USE struct err *hsm_roster_parse(const char *file, struct view yaml, struct hsm_roster **ret);
void hsm_roster_free(struct hsm_roster *r); /* accepts NULL */
/* NULL where this key is not on the roster. */
const struct hsm_roster_entry *hsm_roster_find(const struct hsm_roster *r,
                                               const uint8_t spki_sha256[SHA256_BYTES]);
/* Who a process with this uid is; NULL where it is not on the roster. */
const struct hsm_roster_entry *hsm_roster_find_uid(const struct hsm_roster *r, uint32_t uid);
const char *hsm_roster_role_name(enum hsm_role role); /* "admin"; "none" */
/* People beside the asker who must approve an act of this kind (hsm_act.h). */
unsigned hsm_roster_needed(const struct hsm_roster *r, unsigned act_kind);
size_t hsm_roster_count(const struct hsm_roster *r);
const struct hsm_roster_entry *hsm_roster_at(const struct hsm_roster *r, size_t i);
unsigned hsm_roster_quorum(const struct hsm_roster *r);
/* SHA-256 of the canonical form: independent of the file's order, comments and spacing. Pinned by the vault.
 */
void hsm_roster_hash(const struct hsm_roster *r, uint8_t ret[SHA256_BYTES]);

/* What administrators of the old roster sign to let the new one in; sign with `openssl dgst -sha256 -sign
 * KEY` or pkeyutl for Ed25519: "chancery roster change\nold HEX\nnew HEX\n" Signatures travel beside the
 * roster in `roster.sigs`, a line each: ALG BASE64-SPKI BASE64-SIGNATURE (ALG as cert_alg names it,
 * "ecdsa-sha256"). */
const char *hsm_roster_change_text(struct arena *arena, const uint8_t old_sha256[SHA256_BYTES],
                                   const uint8_t new_sha256[SHA256_BYTES]);
/* NULL where `sigs` (roster.sigs) holds signatures of `quorum` different administrators of the old roster, or
 * one of its recovery key, over the change to the new one; else ERR_FORBIDDEN with what is missing. A line
 * that is malformed or does not verify is an error too. */
MUST_USE struct err *hsm_roster_approved(const struct hsm_roster *old, const struct hsm_roster *new,
                                         struct view sigs);
/* The canonical form; borrowed. */
struct view hsm_roster_canonical(const struct hsm_roster *r);
MUST_USE struct err *hsm_roster_of_canonical(struct view der, struct hsm_roster **ret);

#endif
