/*
 * What stands in the ledger. An entry is a header and a body; the Merkle tree (RFC 9162) runs over the
 * headers, and a header holds its body's SHA-256. All DER:
 *
 *     Value  ::= SEQUENCE { header Header, body OCTET STRING }
 *     Header ::= SEQUENCE { version INTEGER (1), seq INTEGER, time_ms INTEGER, ref INTEGER, kind ENUMERATED,
 *                           actor, door, peer, request, issuer UTF8String, serial, bodyHash OCTET STRING }
 *     body   ::= SEQUENCE of the members of its struct below, in order
 *
 * seq counts from 1 without a gap; the leaf of entry seq has index seq - 1. Times are seconds since 1970
 * unless the name says _ms. Texts that are NULL are written as "" and read back as "". Pointers are borrowed:
 * in an entry to be appended until ledger_append() returns, in one that was read from the arena it was read
 * into.
 */
#ifndef CHANCERY_LEDGER_ENTRY_H
#define CHANCERY_LEDGER_ENTRY_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/view.h"
#include "ledger_entry_act.h"
#include "ledger_entry_cert.h"
#include "ledger_entry_object.h"

enum ledger_kind {
#define KIND(name, number, text, body) LEDGER_##name = (number),
#include "ledger_kinds.def"
#undef KIND
};
/* "intent"; "unknown" for a number that is not ours. */
const char *ledger_kind_text(unsigned kind);

enum {
    LEDGER_TEXT_BYTES = 4096,
    LEDGER_BODY_BYTES = 256 * 1024,
    LEDGER_ISSUER_BYTES = 63,
    LEDGER_LIST = 256
};

struct ledger_deny {
    const char *type; /* "name-forbidden" (base/err.def) */
    const char *detail;
    const char *template;
    struct ledger_texts names;
    uint64_t count; /* how many this entry stands for: 1 but for a summary */
};

struct ledger_token {
    struct view id; /* SHA-256 of the token, 32 octets */
    const char *label;
    struct ledger_texts templates, names; /* what it grants */
    uint64_t uses;                        /* 0: without bound */
    int64_t expires;                      /* 0: never */
};

struct ledger_token_revoke {
    struct view id;
};

struct ledger_crl {
    uint64_t number;
    int64_t this_update, next_update;
    uint64_t upto;      /* last entry the list takes into account (ledger_revoked_upto) */
    uint64_t entries;   /* on the list */
    uint64_t n;         /* number in the seal roll */
    struct view sha256; /* of the whole CRL */
    uint64_t partition; /* CRL_PART */
    uint64_t base;      /* CRL_DELTA: number of the whole list it builds on */
};

struct ledger_issuer {
    struct view certificate; /* DER; name in the header */
};

struct ledger_note {
    const char *what;
    uint64_t number;
    struct view hash;
};

/* One version of a template, with all its effective values: what a certificate's record names. */
struct ledger_template {
    const char *name;
    uint64_t version;    /* 1, 2, ...: of this name */
    uint64_t generation; /* with which it came into force */
    struct view sha256;  /* of the text */
    struct view text;    /* JSON, which reads as a template's file */
};

/* A head of the tree as the vault signed it, and the note that says so to others (doc/LOG.md). */
struct ledger_signed_head {
    uint64_t size; /* the leaves it is over: entries 1 to size */
    struct view root;
    uint64_t n;       /* in the seal roll */
    struct view note; /* the whole checkpoint */
};

/* A ceremony's, line by line, with the hashes of all that it made. */
struct ledger_transcript {
    const char *title;
    uint64_t rehearsal, complete; /* 0 or 1 */
    struct view sha256;           /* of the text */
    struct view text;
};

struct ledger_entry {
    /* set by the ledger */
    uint64_t seq;
    int64_t time_ms; /* of the commit, the same for all entries of one */
    /* header. Which kinds want what: INTENT, REVOKE, RELEASE, STRAY issuer and serial (exactly SERIAL_BYTES);
     * RECORD, CLOSE ref (issuer and serial are taken over from the intent); CRL, CRL_PART, CRL_DELTA, ISSUER,
     * OCSP_KEY issuer. */
    unsigned kind;       /* enum ledger_kind */
    uint64_t ref;        /* seq of the intent this one ends or revokes, of the state before; 0 */
    const char *actor;   /* asker's id: owner of what it gets */
    const char *door;    /* "rest", "control", "self" */
    const char *peer;    /* address text */
    const char *request; /* request id */
    const char *issuer;
    struct view serial;
    /* body: the member of its kind; `raw` is the DER when read, and what is written for a kind without a row
     */
    union {
        struct ledger_intent intent;
        struct ledger_record record;
        struct ledger_close close;
        struct ledger_revoke revoke;
        struct ledger_deny deny;
        struct ledger_token token;
        struct ledger_token_revoke token_revoke;
        struct ledger_crl crl;
        struct ledger_issuer issuer;
        struct ledger_stray stray;
        struct ledger_tags tags;
        struct ledger_note note;
        struct ledger_transcript transcript;
        struct ledger_template template;
        struct ledger_signed_head signed_head;
        struct ledger_act act;
        struct ledger_act_sign act_sign;
        struct ledger_roster roster;
        struct ledger_object object; /* the head of each of these: */
        struct ledger_acme_account acme_account;
        struct ledger_acme_eab acme_eab;
        struct ledger_acme_order acme_order;
        struct ledger_acme_authz acme_authz;
        struct ledger_acme_nonces acme_nonces;
    } body;
    struct view raw;
    uint8_t leaf[SHA256_BYTES]; /* RFC 9162 leaf hash, when read */
};

#endif
