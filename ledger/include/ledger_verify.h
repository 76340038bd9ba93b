/*
 * Verification: recomputes every leaf hash and the tree, holds every index against the log, walks every
 * change of state, and holds the ledger against the seal rolls, of which each vault has one. Reads one moment
 * of the ledger; works beside a running front. Blocking, on any thread; memory about 150 octets a
 * certificate.
 */
#ifndef CHANCERY_LEDGER_VERIFY_H
#define CHANCERY_LEDGER_VERIFY_H

#include "ledger.h"

enum { LEDGER_ROLLS_MAX = 8 };

/* A seal as a roll has it; numbers of the kinds as in the roll. */
enum ledger_seal_kind {
    LEDGER_SEAL_CERT = 1,
    LEDGER_SEAL_CRL = 2,
    LEDGER_SEAL_OCSP = 3,
    LEDGER_SEAL_NONCE = 4,
    LEDGER_SEAL_CA = 5,
    LEDGER_SEAL_HEAD = 36, /* serial: the root; extra: the size */
};
struct ledger_seal {
    size_t roll; /* 0, 1, ... */
    uint64_t n;  /* in its roll */
    unsigned kind;
    struct view issuer; /* name of the key */
    struct view serial;
    struct view tbs_sha256;
    uint64_t extra;
};

struct ledger_verify {
    /* One roll after the other, each from its first entry on: *ret_more false at the end of the last. NULL:
     * not held against a roll. Which roll an issuer's seals stand in is read from the rolls themselves.
     * Beside a running front, read all rolls BEFORE calling ledger_verify(), and set live: records of later
     * seals are then counted, not reported. */
    struct err *(*next_seal)(void *arg, struct ledger_seal *ret, bool *ret_more);
    /* Each thing that is wrong: seq is its place (0: none in the log), what names it in words. */
    void (*on_finding)(void *arg, uint64_t seq, const char *what);
    void *arg;
    size_t rolls; /* how many; 0: one */
    bool live;
};

struct ledger_verify_report {
    uint64_t entries;
    uint64_t unknown; /* entries of kinds this program does not know */
    uint8_t root[SHA256_BYTES];
    /* the ledger's book */
    uint64_t intents, records, closed, closed_sealed, open, revoked, tokens, crls, heads;
    uint64_t unrecorded; /* the roll has them, a restored ledger had not */
    /* the roll's book */
    uint64_t seals, seals_cert, seals_crl, seals_ocsp, seals_head; /* cert: with CA; ocsp: with nonces */
    uint64_t sealed_open;                                          /* sealed, and the intent still open */
    uint64_t newer;                    /* live: records of seals past the end of the roll as given */
    uint64_t newest[LEDGER_ROLLS_MAX]; /* the highest number of these in each roll: one that is read again now
                                        * must have it */
    uint64_t newest_some;              /* the same of issuers that no roll knows yet: some roll must */
    uint64_t findings;
};

/* The error is for what stopped it (I/O, a map that cannot be read); what is wrong in the books are findings.
 */
MUST_USE struct err *ledger_verify(struct ledger *l, const struct ledger_verify *v,
                                   struct ledger_verify_report *ret);

#endif
