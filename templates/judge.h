/*
 * What the rules look at, and the rules: rules.def. A rule returns NULL, or ERR_POLICY with the limit and,
 * where the certificate breaks an RFC whatever the template, the section.
 */
#ifndef CHANCERY_TEMPLATES_JUDGE_H
#define CHANCERY_TEMPLATES_JUDGE_H

#include "cert/ext.h"
#include "cert/key.h"
#include "cert/tbs.h"
#include "template.h"

struct judged {
    const struct template *t;
    const struct templates_issuer *issuer;
    const struct cert_tbs *tbs;
    int64_t now;
    struct arena *arena;
    struct cert_key key;
    struct cert_name subject;
    const struct cert_san *sans;
    size_t sans_n;
    const struct cert_ext *wanted; /* every extension the template explains, ready made */
    size_t wanted_n;
    bool sans_from_csr, subject_from_csr, end_by_validity; /* for the pointer of a refusal */
};

typedef struct err *judge_rule(const struct judged *j);

#define RULE(func, name, group, key, doc) struct err *func(const struct judged *j);
#include "rules.def"
#undef RULE

struct judge_row {
    const char *name; /* "validity.max" */
    judge_rule *rule;
    const char *group, *key; /* the field it keeps, as in fields.def; key "" for what no field says */
    const char *doc;
};
extern const struct judge_row judge_rows[];
size_t judge_rows_count(void);

/* Runs every rule but `skip` (SIZE_MAX: all). The first one broken. */
MUST_USE struct err *judge_run(const struct judged *j, size_t skip);

/* templates_judge, less one rule: for the tests that show each rule is needed. */
MUST_USE struct err *judge_all_but(size_t skip, const struct template *t,
                                   const struct templates_issuer *issuer, const struct cert_tbs *tbs,
                                   int64_t now, struct arena *arena);

/* Points a refusal at the name, or at the CSR it came from. */
struct err *judge_at_san(const struct judged *j, struct err *e, size_t i);
struct err *judge_at_subject(const struct judged *j, struct err *e, const char *type);

#endif
