/* What a lint rule looks at, and the rules: lint.def. */
#ifndef CHANCERY_TEMPLATES_LINT_H
#define CHANCERY_TEMPLATES_LINT_H

#include "cert/ext.h"
#include "cert/key.h"
#include "cert/name.h"
#include "cert/tbs.h"
#include "templates.h"

/* What could not be read is empty here; lint_form says so. */
struct linted {
    const struct cert_tbs *tbs;
    struct arena *arena;
    struct cert_key key;
    struct cert_name subject;
    struct cert_basic basic; /* CA:FALSE where there is none */
    bool has_usage;
    unsigned usage;
    struct cert_views eku;
    struct cert_san *sans;
    size_t sans_n;
};

/* NULL where the rule holds; else a text, in the arena or for ever. */
typedef const char *lint_rule(const struct linted *l);

#define LINT(func, name, severity, rules, section, doc) const char *func(const struct linted *l);
#include "lint.def"
#undef LINT

enum lint_rules { LINT_RFC, LINT_TLS };

struct lint_row {
    const char *name;
    lint_rule *rule;
    enum templates_severity severity;
    enum lint_rules rules;
    const char *section, *doc;
};
extern const struct lint_row lint_rows[];

/* lint_form.c */
MUST_USE struct err *lint_form_read(const struct cert_ext *ext, struct arena *arena);

size_t lint_rows_count(void);

#endif
