/* The extensions a template explains, ready made: shape puts them in, judge holds a certificate's against
 * them. */
#ifndef CHANCERY_TEMPLATES_EXTS_H
#define CHANCERY_TEMPLATES_EXTS_H

#include "base/limits.h"
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
    uint64_t partition;
};

enum { EXTS_MADE = 9, EXTS_ROWS = EXTS_MADE + 12, EXTS_MAX = EXTS_MADE + READY_MAX + CUSTOM_MAX };

/* *ret has room for EXTS_MAX. Values in the arena. */
MUST_USE struct err *exts_make(const struct exts_facts *facts, struct arena *arena, struct cert_ext *ret,
                               size_t *ret_n);

/* Whose list cRLDistributionPoints names; 0 where it names no partition of this issuer. */
uint64_t exts_partition_named(const struct templates_issuer *issuer, const struct cert_tbs *tbs,
                              struct arena *arena);

_Static_assert((int)EXTS_MAX <= (int)LIMIT_EXTENSIONS, "what a template can say fits into a certificate");

struct judged; /* judge.h */

/* Whether what stands there, or stands there not, is the asker's to say and not the template's. */
bool exts_leaves_open(const struct judged *j, enum cert_ext_id id);

/* Whether an extension is said by fields of its own, or follows from others; else only custom can say it. */
bool exts_has_fields(enum cert_ext_id id);

/* custom.c */
json_t *custom_values_json(const struct template *t);

/* "key_usage" and who decides it: "template", "issuer", "csr". */
const char *exts_field(enum cert_ext_id id);
const char *exts_source(enum cert_ext_id id);

#endif
