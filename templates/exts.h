/* The extensions a template explains, ready made: shape puts them in, judge holds a certificate's against
 * them. */
#ifndef CHANCERY_TEMPLATES_EXTS_H
#define CHANCERY_TEMPLATES_EXTS_H

#include "cert/ext.h"
#include "cert/key.h"
#include "template.h"

struct exts_facts {
    const struct template *t;
    const struct templates_issuer *issuer;
    const struct cert_key *key;
    const struct cert_san *sans;
    size_t sans_n;
    bool subject_empty;
};

enum { EXTS_MAX = 9 };

/* *ret has room for EXTS_MAX. Values in the arena. */
MUST_USE struct err *exts_make(const struct exts_facts *facts, struct arena *arena, struct cert_ext *ret,
                               size_t *ret_n);

/* "key_usage" and who decides it: "template", "issuer", "key". */
const char *exts_field(enum cert_ext_id id);
const char *exts_source(enum cert_ext_id id);

#endif
