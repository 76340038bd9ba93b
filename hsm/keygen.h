/*
 * Making a key pair in the token: private half TOKEN, PRIVATE, SENSITIVE, not EXTRACTABLE, SIGN and nothing
 * else; CKA_ID = SHA-1 of the public key's bits (as in the subject key identifier of RFC 5280 4.2.1.2 (1)).
 * When it returns the key is durable: every file of a software token is synced. Blocks (RSA-4096: seconds);
 * any thread but the loop's.
 */
#ifndef CHANCERY_HSM_KEYGEN_H
#define CHANCERY_HSM_KEYGEN_H

#include "token.h"

struct keygen_spec {
    const char
        *label; /* of both halves; 1 to 63 octets; ERR_WRONG_STATE where a key of this label is there */
    enum cert_key_kind kind; /* any: whether the token makes it, it says itself */
    unsigned bits;           /* RSA: 2048, 3072, 4096; else 0 */
};

MUST_USE struct err *keygen_pair(struct token *t, const struct keygen_spec *spec,
                                 const struct token_key **ret);

/* Whether the token makes keys of this kind at all, by its list of mechanisms. */
MUST_USE struct err *keygen_offers(struct token *t, enum cert_key_kind kind, bool *ret);

/* fsync of every regular file and folder below path, and path itself. */
MUST_USE struct err *keygen_sync(const char *path);

#endif
