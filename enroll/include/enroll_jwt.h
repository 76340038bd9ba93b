/*
 * JSON web tokens as credentials (RFC 7519, 7523): of Kubernetes service accounts, CI systems, clouds. An
 * issuer is known by its `iss` and its keys; what its claims grant, expressions say. Read once, when a
 * configuration comes in; constant afterwards.
 */
#ifndef CHANCERY_ENROLL_JWT_H
#define CHANCERY_ENROLL_JWT_H

#include "base/arena.h"
#include "base/err.h"

struct templates_claims;
struct cert_key;

struct enroll_jwt_key {
    const char *kid; /* NULL: none */
    const struct cert_key *key;
};
struct enroll_jwt {
    const char *name, *issuer, *audience;
    const struct enroll_jwt_key *keys;
    size_t keys_n;
    const struct templates_claims *claims;
};

/* keys: a JWKS (RFC 7517 5); keys that are not for signing, or of a kind unknown here, are passed over, but
 * one must be left. when: or NULL. ERR_CONFIG. Lives in the arena; texts are borrowed. */
struct enroll_jwt_texts {
    const char *name, *issuer, *audience, *when, *template, *names;
    struct view keys;
};
MUST_USE struct err *enroll_jwt_read(const struct enroll_jwt_texts *from, struct arena *arena,
                                     struct enroll_jwt *ret);

#endif
