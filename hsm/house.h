/*
 * One configuration generation as the vault holds it: issuers with all that is read off their certificates,
 * templates, own names. Made and checked from struct hsm_vault_config without token or disk; nothing in it
 * changes but the issuers' keys, which come and go with the token. Counted references, on the loop's thread;
 * reading from any.
 */
#ifndef CHANCERY_HSM_HOUSE_H
#define CHANCERY_HSM_HOUSE_H

#include "cert/ocsp.h"
#include "hsm_vault.h"
#include "templates.h"

enum { HOUSE_ISSUERS_MAX = 64, HOUSE_NAME_MAX = 63, HOUSE_SELF_NAMES_MAX = LIMIT_SANS };

struct token_key; /* token.h */

struct house_issuer {
    const char *name, *key_uri; /* key_uri NULL: an offline CA */
    struct cert_key key;        /* the public half, from the certificate */
    uint8_t spki_sha256[SHA256_BYTES];
    struct cert_ocsp_issuer ocsp;
    struct templates_issuer facts; /* subject, key id, algorithm, dates, base URL */
    int path_len;                  /* of its certificate; -1: none */
    bool may_issue;
    bool ocsp_by_issuer;               /* its own key answers OCSP */
    const struct token_key *token_key; /* NULL: not there, and reason says why */
    const struct token_key *spare;     /* the same key in another token; NULL: none */
    char reason[200];
};

struct house {
    uint32_t generation;
    struct templates *templates;
    struct house_issuer *issuers;
    size_t n_issuers;
    const struct hsm_issuer_wish *wishes;
    size_t n_wishes;
    const struct cert_san *self_names;
    size_t n_self_names;
    const char *base_url;
    const char *log_origin;
    struct arena *arena;
    unsigned refs;
};

/* ERR_CONFIG and what cert says of a certificate. *templates is taken on success. The result has one
 * reference. */
MUST_USE struct err *house_new(const struct hsm_vault_config *config, struct templates **templates,
                               struct house **ret);
struct house *house_ref(struct house *h);
void house_unref(struct house *h); /* accepts NULL */

/* NULL where there is none. */
struct house_issuer *house_issuer(const struct house *h, struct view name);
/* Adds one (ceremony). ERR_CONFIG where the name is taken. */
MUST_USE struct err *house_adopt(struct house *h, const struct hsm_issuer_setup *setup);

/* With what an issuer of this name and key signs: as wished for it, else as the key's kind has it. ERR_CONFIG
 * where the wish does not fit the key. */
MUST_USE struct err *house_alg(const struct house *h, const char *name, enum cert_key_kind kind,
                               enum cert_alg *ret);

/* [a-z0-9-]{1,63} */
bool house_name_ok(struct view name);

#endif
