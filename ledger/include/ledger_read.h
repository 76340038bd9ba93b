/*
 * Reading the ledger (struct ledger of ledger.h, which includes this). On the loop's thread but where it says
 * so. Short transactions; what is given is copied into the caller's arena, and is what was durable when the
 * call began.
 *
 * ERR_LEDGER or ERR_CORRUPT where the store itself fails; other errors as they stand at each call.
 */
#ifndef CHANCERY_LEDGER_READ_H
#define CHANCERY_LEDGER_READ_H

#include "ledger_entry.h"
#include "ledger_lists.h"

struct ledger;

/* --- the whole --- */

struct ledger_head {
    uint64_t entries;     /* seq of the last one, 0: empty */
    int64_t last_time_ms; /* of the last entry; 0 */
    uint64_t open;        /* intents */
    uint64_t clock;       /* seq of the last entry of kind CLOCK, 0: none */
    uint64_t restored;    /* seq of the restoration whose loss is not accepted yet; 0: none */
    uint8_t root[SHA256_BYTES];
    uint64_t used_bytes, free_bytes; /* of map and disk, the smaller */
};
MUST_USE struct err *ledger_head(struct ledger *l, struct ledger_head *ret);

/* What the parts of it take on disk, in octets: each table of the store, what of its file is free, and the
 * index of files. */
enum { LEDGER_PARTS_MAX = 48 };
struct ledger_part {
    const char *name;
    uint64_t rows, bytes;
};
struct ledger_parts {
    struct ledger_part all[LEDGER_PARTS_MAX];
    size_t n;
};
MUST_USE struct err *ledger_parts(struct ledger *l, struct ledger_parts *ret);

/* --- certificates --- */

struct ledger_cert {
    enum ledger_state state;
    uint64_t intent, record, end; /* seqs; 0: none. end: the revocation or closing */
    const char *issuer;
    struct view serial;
    const char *actor, *door, *request;
    int64_t requested_ms, recorded_ms;
    int64_t revoked_at, invalidity; /* REVOKED, SEALED_LOST; else 0 */
    unsigned reason;
    struct ledger_texts tags;      /* that it has now */
    struct ledger_intent decision; /* with the tbs */
    struct ledger_record seal;     /* n, alg, signature: RECORDED, REVOKED; else zero */
};

/* By intent. ERR_NOT_FOUND. */
MUST_USE struct err *ledger_cert_at(struct ledger *l, uint64_t intent, struct arena *arena,
                                    struct ledger_cert *ret);
/* By issuer and serial, in any state. ERR_NOT_FOUND. issuer NULL: by serial alone; ERR_CONFLICT naming the
 * issuers where several used it. */
MUST_USE struct err *ledger_find(struct ledger *l, const char *issuer, struct view serial,
                                 struct arena *arena, struct ledger_cert *ret);

enum ledger_filter {
    LEDGER_ANY,   /* all that were sealed: recorded, revoked, lost, unrecorded */
    LEDGER_VALID, /* recorded, not after `now` or later */
    LEDGER_EXPIRED,
    LEDGER_IS_REVOKED, /* revoked or lost, expired or not */
    LEDGER_IS_UNRECORDED,
};
/* NULL, 0: no such condition. All of them hold together. */
struct ledger_query {
    const char *issuer;
    const char *name;    /* exact: "dns:www.example.internal" */
    const char *under;   /* "dns:example.internal": that name and all under it; "email:": any of this kind */
    const char *net;     /* "10.1.0.0/16": an address in it */
    const char *subject; /* RFC 4514 text, exact */
    const char *actor;
    const char *template;
    const char *tag;            /* "team=pay" */
    uint64_t version;           /* of the template; 0: any */
    struct view spki_sha256;    /* 32 octets: certificates for this key */
    struct view fingerprint;    /* 32 octets: SHA-256 of the certificate */
    uint64_t replaces;          /* intent: those that take the place of this one */
    int64_t since_ms, until_ms; /* of the intent, both included */
    enum ledger_filter status;
    int64_t now;                            /* for VALID and EXPIRED */
    int64_t not_after_from, not_after_till; /* both included */
    size_t limit;                           /* 0: 100; at most 1000 */
    const char *cursor;                     /* `next` of the page before; NULL: from the start */
};
struct ledger_page {
    const struct ledger_cert *certs;
    size_t n;
    const char *next; /* NULL: the end. A page may be short, even empty, and yet have a next: one call looks
                       * at a bounded number of certificates */
};
/* Newest first. ERR_BAD_FIELD: a cursor that is not ours, a name, network or hash that is none. */
MUST_USE struct err *ledger_search(struct ledger *l, const struct ledger_query *q, struct arena *arena,
                                   struct ledger_page *ret);

/* What it replaces, and the newest that replaces it; intent 0: nothing does. */
struct ledger_kin {
    uint64_t intent;
    const char *issuer;
    struct view serial;
};
struct ledger_lineage {
    struct ledger_kin replaces, renewed_by;
};
MUST_USE struct err *ledger_lineage(struct ledger *l, const struct ledger_cert *cert, struct arena *arena,
                                    struct ledger_lineage *ret);

/* The intent that stands for this idempotency hash since less than 24 hours, in any state but closed; intent
 * 0: there is none. */
MUST_USE struct err *ledger_idempotent(struct ledger *l, struct view hash, struct arena *arena,
                                       struct ledger_cert *ret);

/* Open intents, the oldest first, from seq `from` on. */
MUST_USE struct err *ledger_open_intents(struct ledger *l, uint64_t from, size_t limit, struct arena *arena,
                                         struct ledger_page *ret);

/* What is on record for a key: by the SHA-256 of its SPKI. */
struct ledger_key {
    bool certified;    /* a certificate was sealed or is on its way */
    const char *actor; /* of the first of them; "" */
    bool compromised;  /* one of them was revoked for keyCompromise, whenever */
};
MUST_USE struct err *ledger_key_find(struct ledger *l, struct view spki_sha256, struct arena *arena,
                                     struct ledger_key *ret);

/* Certificates of an issuer that are recorded, not revoked and not over, and the end of the last of them (0).
 * From any thread, in a read transaction of its own; looks at all of the issuer's. */
struct ledger_census {
    uint64_t unexpired;
    int64_t last_not_after;
};
MUST_USE struct err *ledger_census(struct ledger *l, const char *issuer, int64_t now,
                                   struct ledger_census *ret);

/* --- status, for OCSP --- */

enum ledger_answer { LEDGER_GOOD, LEDGER_REVOKED, LEDGER_UNKNOWN };
struct ledger_status {
    enum ledger_answer answer; /* UNKNOWN: no certificate of this serial was ever handed out */
    int64_t at;                /* REVOKED */
    unsigned reason;
    int64_t not_after;
    uint64_t intent;
    uint8_t serial[SERIAL_BYTES];
};
MUST_USE struct err *ledger_status(struct ledger *l, const char *issuer, struct view serial,
                                   struct ledger_status *ret);
/* The serials of an issuer that are good or revoked, ascending, after `after` (empty: from the first).
 * *ret_n < max: that was the end; else go on after to[*ret_n - 1].serial. */
MUST_USE struct err *ledger_status_page(struct ledger *l, const char *issuer, struct view after,
                                        struct ledger_status *to, size_t max, size_t *ret_n);

/* --- the rest --- */

/* Entries from seq `from` on, ascending, at most limit. *ret lives in the arena. */
MUST_USE struct err *ledger_log(struct ledger *l, uint64_t from, size_t limit, struct arena *arena,
                                const struct ledger_entry **ret, size_t *ret_n);
/* The first entry written at or after this time; entries + 1 where none is. */
MUST_USE struct err *ledger_seq_at(struct ledger *l, int64_t time_ms, uint64_t *ret);

struct ledger_token_state {
    struct ledger_token token;
    const char *actor; /* who made it */
    int64_t created_ms;
    uint64_t used;      /* intents that count, open or recorded */
    int64_t revoked_at; /* 0: not */
    uint64_t seq;       /* of its making */
};
/* id: the whole SHA-256, or at least its first 4 octets where that is enough (else ERR_CONFLICT).
 * ERR_NOT_FOUND. */
MUST_USE struct err *ledger_token_find(struct ledger *l, struct view id, struct arena *arena,
                                       struct ledger_token_state *ret);
/* In the order of ids, after `after` (empty: from the first). */
MUST_USE struct err *ledger_token_list(struct ledger *l, struct view after, size_t limit, struct arena *arena,
                                       const struct ledger_token_state **ret, size_t *ret_n);
/* Versions of a template (kind TEMPLATE), the newest first, from entry `from` back (0: from the newest), at
 * most limit; none where nothing of this name was ever in force. Where all are wanted go on from the last
 * one's ref until that is 0. */
MUST_USE struct err *ledger_template_versions(struct ledger *l, const char *name, uint64_t from, size_t limit,
                                              struct arena *arena, const struct ledger_entry **ret,
                                              size_t *ret_n);
/* Names of all issuers that stand in the ledger. */
MUST_USE struct err *ledger_issuers(struct ledger *l, struct arena *arena, struct ledger_texts *ret);

#endif
