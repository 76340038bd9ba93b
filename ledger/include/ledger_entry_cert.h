/* Bodies of entries about one certificate, from its decision to its end: for ledger_entry.h. */
#ifndef CHANCERY_LEDGER_ENTRY_CERT_H
#define CHANCERY_LEDGER_ENTRY_CERT_H

#include <stddef.h>
#include <stdint.h>

#include "base/view.h"

struct ledger_texts {
    size_t n;
    const char *const *items;
};

/* The whole decision of one issuance but the signature. */
struct ledger_intent {
    const char *template;
    uint64_t generation;       /* of the configuration it was decided under */
    struct ledger_texts names; /* "dns:a.example", "ip:10.0.0.1", ...: indexed; dns in lower case */
    const char *subject;       /* RFC 4514 text */
    int64_t not_before, not_after;
    struct view spki_sha256;  /* 32 octets */
    uint64_t roll_floor;      /* hsm_roll_n() before it: its seal has a higher number */
    struct view idempotency;  /* SHA-256 over asker and Idempotency-Key, or empty */
    struct view request_hash; /* SHA-256 of the request's body: with a key, else empty */
    struct view token;        /* SHA-256 of the bearer token whose use is counted, or empty */
    struct view tbs;          /* TBSCertificate */
    uint64_t version;         /* of the template (LEDGER_TEMPLATE); 0: an older program wrote it */
    uint64_t partition;       /* of the issuer's lists, named in the tbs; 0: none */
    uint64_t replaces;        /* intent of the certificate that this one takes the place of; 0: none */
    struct ledger_texts tags; /* "team=pay"; LEDGER_TAGS takes their place */
};

struct ledger_record {
    uint64_t n;      /* number in the seal roll */
    const char *alg; /* "ecdsa-sha256" */
    struct view signature;
};

enum ledger_close_reason {
    LEDGER_NEVER_SEALED = 1, /* the roll knows no seal over it */
    LEDGER_SEALED_LOST = 2,  /* sealed (n), the signature is lost: the serial counts as revoked */
    LEDGER_REFUSED = 3,      /* the vault refused; nothing was sealed */
};
struct ledger_close {
    uint64_t reason; /* enum ledger_close_reason */
    uint64_t n;      /* SEALED_LOST: number in the roll; else 0 */
    const char *detail;
};

/* What became of an intent. */
enum ledger_state {
    LEDGER_STATE_OPEN = 1, /* intent without record or closing */
    LEDGER_STATE_RECORDED = 2,
    LEDGER_STATE_REVOKED = 3,
    LEDGER_STATE_NEVER_SEALED = 4, /* closed; also where the vault refused */
    LEDGER_STATE_SEALED_LOST = 5,  /* closed; counts as revoked */
    LEDGER_STATE_UNRECORDED = 6,   /* the seal roll alone knows it: neither good nor revoked */
};

struct ledger_revoke {
    uint64_t reason;    /* RFC 5280 5.3.1: 0..6, 9, 10 */
    int64_t at;         /* 0: the time of the commit */
    int64_t invalidity; /* invalidityDate, 0: none */
};

/* All the tags a certificate has from now on. */
struct ledger_tags {
    struct ledger_texts tags;
};

/* A seal that the roll knows and the log did not: of a front that was not ours, or before a backup's moment.
 */
struct ledger_stray {
    uint64_t n;        /* number in the seal roll */
    int64_t sealed_at; /* by the vault's clock */
    const char *template;
    struct view tbs_sha256;
};

#endif
