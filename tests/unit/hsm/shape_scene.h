/* Making tbs as a front would, by the builtin templates, and changing them as an owned front might. */
#ifndef CHANCERY_TESTS_HSM_SHAPE_SCENE_H
#define CHANCERY_TESTS_HSM_SHAPE_SCENE_H

#include "cert/tbs.h"
#include "templates.h"

/* The set that the program was built with; the caller frees it. */
struct templates *shape_templates(void);

/* SubjectPublicKeyInfo of a fresh P-256 key that nobody keeps. */
struct view shape_spki(struct arena *arena);

struct shape_ask {
    const struct templates *templates;
    const char *template;
    const struct templates_issuer *issuer;
    struct view spki, serial;
    const char *cn;  /* NULL: none */
    const char *san; /* "dns:...", NULL: none */
    int64_t now;
};
/* A tbs that keeps all rules; its extensions may be changed in place, and one more has room. */
struct cert_tbs shape_tbs(const struct shape_ask *ask, struct arena *arena);
struct view shape_bytes(const struct cert_tbs *tbs, struct arena *arena);

/* Puts an extension in place of the one with its OID, or adds it. */
void shape_put_ext(struct cert_tbs *tbs, struct cert_ext ext);
void shape_drop_ext(struct cert_tbs *tbs, enum cert_ext_id id);

/* What signs a self-signed root of this subject and key. */
struct templates_issuer shape_root(const char *name, const char *cn, struct view spki, enum cert_alg alg,
                                   struct arena *arena);

#endif
