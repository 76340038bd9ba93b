/*
 * The responder keys: which keys in the token sign OCSP answers, for which issuer. Kept in the roll folder as
 * responders.der, since a token cannot be asked for keys by a part of their label:
 *
 *     SEQUENCE { version INTEGER (1), SEQUENCE OF SEQUENCE { issuer UTF8String, label UTF8String, madeAt
 * INTEGER, spki OCTET STRING } }
 *
 * At most RESPONDER_PER_ISSUER for each issuer, the newest: an older one signs no more, and is deleted from
 * the token. The loop's thread.
 */
#ifndef CHANCERY_HSM_RESPONDER_H
#define CHANCERY_HSM_RESPONDER_H

#include "base/arena.h"
#include "cert/key.h"
#include "house.h"

#define RESPONDER_FILE "responders.der"
enum { RESPONDER_PER_ISSUER = 8, RESPONDER_MAX = 512, RESPONDER_LABEL_MAX = 96, RESPONDER_SPACING_S = 3600 };

struct responder_key {
    const char *issuer, *label;
    int64_t made_s;
    struct cert_key key;
    uint8_t spki_sha256[SHA256_BYTES],
        spki_sha1[SHA1_BYTES];         /* sha1: of the key's bits, as responderID has it */
    const char *roll_key;              /* "ISSUER/ocsp/HEX16" */
    enum cert_alg alg;                 /* with which it signs */
    const struct token_key *token_key; /* NULL: not there now */
    const struct token_key *spare;     /* the same key in another token; NULL: none */
};

struct responder_keys;

/* An absent file is an empty list. ERR_CORRUPT names the file. */
MUST_USE struct err *responder_load(const char *dir, struct responder_keys **ret);
void responder_free(struct responder_keys *r); /* accepts NULL */

size_t responder_count(const struct responder_keys *r);
struct responder_key *responder_at(const struct responder_keys *r, size_t i);
/* The newest of the issuer, or NULL. */
const struct responder_key *responder_newest(const struct responder_keys *r, struct view issuer);
/* By SHA-256 of the SPKI; by SHA-1 of the key's bits. NULL where it is none of ours. */
const struct responder_key *responder_find(const struct responder_keys *r, struct view spki_sha256);
const struct responder_key *responder_find_sha1(const struct responder_keys *r, struct view spki_sha1);

/* The issuer's own key in the part of a responder's; borrows from issuer. */
struct responder_key responder_of_issuer(const struct house_issuer *issuer);

/* The issuer's oldest, where the next to be added takes its place; or NULL. */
const struct responder_key *responder_outgoing(const struct responder_keys *r, struct view issuer);

/* "ocsp-ISSUER-yyyymmddhhmmss"; to: RESPONDER_LABEL_MAX. */
void responder_label(struct view issuer, int64_t now_s, char to[RESPONDER_LABEL_MAX]);
/* Adds a key and writes the file before it counts. Drops the issuer's oldest past the bound; pointers to keys
 * die. */
MUST_USE struct err *responder_add(struct responder_keys *r, struct view issuer, const char *label,
                                   int64_t now_s, struct view spki, const struct token_key *token_key);

#endif
