/* The `jwt` part of chancery.yaml: issuers of JSON web tokens that count as credentials. */
#ifndef CHANCERY_CONFIG_JWT_H
#define CHANCERY_CONFIG_JWT_H

#include <stddef.h>

enum { CONFIG_JWTS_MAX = 32 };

struct config_jwt {
    const char *name;              /* [a-z0-9-]{1,63} */
    const char *issuer, *audience; /* what iss and aud must be */
    const char *keys;              /* absolute path of a JWKS */
    const char *when;              /* expression over claims, or NULL: always */
    const char *template, *names;  /* expressions */
};

struct config_jwts {
    size_t n;
    const struct config_jwt *items;
};

#endif
