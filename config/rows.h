/* The rows of chancery.yaml and the structs they fill, before names and paths are resolved. Private to
 * config. */
#ifndef CHANCERY_CONFIG_ROWS_H
#define CHANCERY_CONFIG_ROWS_H

#include "config.h"

/* Groups in the order of config_group(). */
enum rows_group {
    ROWS_TOP,
    ROWS_LISTEN,
    ROWS_TOKEN,
    ROWS_ISSUER,
    ROWS_CRL,
    ROWS_OCSP,
    ROWS_PATHS,
    ROWS_USERS,
    ROWS_LIMITS,
    ROWS_ACME,
    ROWS_VALIDATION,
    ROWS_HEADS,
    ROWS_JWT,
    ROWS__COUNT
};

struct rows_top {
    const char *dir, *public_url, *https_url, *templates, *roster;
    int log, log_level, isolation;
    bool demo, responders_only;
    int64_t responders;
    struct conf_texts names;
    const json_t *listen, *tokens, *issuers, *paths, *users, *limits, *acme, *heads, *jwt;
};
struct rows_listen {
    struct conf_texts https, http;
    const char *control;
};
struct rows_token {
    struct config_token token;
    const json_t *env;
};
struct rows_issuer {
    struct config_issuer issuer;
    const json_t *crl, *ocsp;
};
struct rows_acme {
    struct config_acme acme;
    const json_t *validation;
};

#endif
