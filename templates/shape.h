/* One shaping under way: what its steps (shape*.c) hand each other. */
#ifndef CHANCERY_TEMPLATES_SHAPE_H
#define CHANCERY_TEMPLATES_SHAPE_H

#include "cert/csr.h"
#include "cert/tbs.h"
#include "template.h"

enum { SHAPE_ORIGINS_MAX = 96 };

struct shape {
    const struct template *t;
    const struct templates_request *request;
    const struct templates_issuer *issuer;
    struct arena *arena;
    struct cert_key key;
    struct cert_name subject;
    struct cert_san *sans;
    size_t sans_n;
    const char *sans_source, *subject_source; /* "request", "csr", "template", "" */
    struct templates_origin *origins;         /* SHAPE_ORIGINS_MAX */
    size_t origins_n;
    const struct cert_ext *own; /* what the template and the issuer say, ready made */
    size_t own_n;
};

void shape_origin(struct shape *s, const char *field, const char *source, const char *note);

/* shape_csr.c: refuses what the CSR carries and the template does not take. */
MUST_USE struct err *shape_csr_check(const struct shape *s);

/* shape_given.c: extensions that were asked for. */
MUST_USE struct err *shape_given_check(const struct shape *s);
/* Adds those that are taken and do not stand there yet; exts has room for LIMIT_EXTENSIONS. */
MUST_USE struct err *shape_given(struct shape *s, struct cert_ext *exts, size_t *n);
/* Puts what was asked for in the place of what only the issuer's configuration says; NULL, or its source. */
const char *shape_given_instead(struct shape *s, struct cert_ext *ext);

/* shape_names.c: SANs first, for the subject may repeat them. */
MUST_USE struct err *shape_names_sans(struct shape *s);

/* shape_subject.c */
MUST_USE struct err *shape_subject(struct shape *s);
/* The common name that was asked for, from whichever source counts; NULL: none. */
MUST_USE struct err *shape_subject_asked_cn(const struct shape *s, const char **ret);

#endif
