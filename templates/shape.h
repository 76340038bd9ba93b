/* One shaping under way: what its steps (shape*.c) hand each other. */
#ifndef CHANCERY_TEMPLATES_SHAPE_H
#define CHANCERY_TEMPLATES_SHAPE_H

#include "cert/csr.h"
#include "cert/tbs.h"
#include "judge.h"
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
    struct expr_facts *facts;   /* for expressions; NULL until the first */
    const struct cert_ext *own; /* what the template and the issuer say, ready made */
    size_t own_n;
};

void shape_begin(struct shape *s, const struct template *t, const struct templates_request *request,
                 const struct templates_issuer *issuer, struct arena *arena);
void shape_origin(struct shape *s, const char *field, const char *source, const char *note);

/* One step: finds its part of the certificate in s, puts it into tbs; or refuses. A refusal leaves what the
 * step would have found empty. */
typedef struct err *shape_step(struct shape *s, struct cert_tbs *tbs);
struct shape_row {
    const char *name;
    shape_step *run;
    bool needed; /* without it there is no certificate to be judged */
    const char *doc;
};
extern const struct shape_row shape_rows[]; /* in their order */
size_t shape_rows_count(void);

/* What the judge is to look at. */
struct judged shape_judged(const struct shape *s, const struct cert_tbs *tbs);

/* shape_csr.c: refuses what the CSR carries and the template does not take. shape_given.c: the same for
 * extensions that were asked for. shape_names.c: SANs, before the subject, which may repeat them. */
shape_step shape_csr_check, shape_given_check, shape_names_sans, shape_subject;

/* Adds those that are taken and do not stand there yet; exts has room for LIMIT_EXTENSIONS. */
MUST_USE struct err *shape_given(struct shape *s, struct cert_ext *exts, size_t *n);
/* Puts what was asked for in the place of what only the issuer's configuration says; NULL, or its source. */
const char *shape_given_instead(struct shape *s, struct cert_ext *ext);

#endif
