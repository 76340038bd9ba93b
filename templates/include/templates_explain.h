/*
 * Explaining: the certificate that a request would come to, element by element with its origin, and every
 * rule with its verdict: also those behind the first one that is broken. Nothing is decided here: the steps,
 * rules and lint are the very ones that templates_shape runs.
 *
 * Pure; any thread.
 */
#ifndef CHANCERY_TEMPLATES_EXPLAIN_H
#define CHANCERY_TEMPLATES_EXPLAIN_H

#include "templates.h"

enum templates_verdict {
    TEMPLATES_KEPT,
    TEMPLATES_NOTICED, /* lint of a lower severity: does not refuse */
    TEMPLATES_WARNED,
    TEMPLATES_BROKEN, /* refuses */
    TEMPLATES_OPEN,   /* could not be looked at: an earlier step failed, or another process decides */
};
const char *templates_verdict_name(enum templates_verdict verdict); /* "kept", "notice", "warning", ... */

/* Who looks: the front alone, the vault alone, or each of them on the same bytes. */
enum templates_judge { TEMPLATES_FRONT, TEMPLATES_VAULT, TEMPLATES_BOTH };
const char *templates_judge_name(enum templates_judge judge); /* "front", "vault", "both" */

struct templates_ruled {
    const char *rule; /* "validity.max", "lint.ec-encipherment" */
    enum templates_judge judge;
    enum templates_verdict verdict;
    const char *doc;     /* what the rule says */
    const char *detail;  /* why it is broken; "" */
    const char *pointer; /* the field at fault as a JSON pointer; "" */
    enum err_code code;  /* of a broken one */
};

struct templates_shown {
    const char *field, *value; /* "sans", "dns:a.example dns:b.example" */
    const char *source, *note; /* struct templates_origin */
};

struct templates_explained {
    const struct cert_tbs *tbs; /* NULL where none could be made; else it may break rules */
    const struct templates_shown *fields;
    size_t fields_n;
    const struct templates_ruled *rules; /* in the order in which they are judged */
    size_t rules_n;
    const char *const *names; /* as in templates_shaped */
    size_t names_n;
};

size_t templates_rules_most(void); /* what rules_n can come to */

/* Everything lives in the arena; never fails: what is wrong is a verdict. */
void templates_explain(const struct template *t, const struct templates_request *request,
                       const struct templates_issuer *issuer, struct arena *arena,
                       struct templates_explained *ret);

/* The value of one extension in words where we know them, else in hexadecimal. */
const char *templates_ext_text(const struct cert_ext *ext, struct arena *arena);

/* --- replay: what was issued by one version of a template, asked for again under another --- */

enum templates_outcome {
    TEMPLATES_SAME,
    TEMPLATES_DIFFERENT,
    TEMPLATES_REFUSED, /* by the new version; the old one gives it */
    TEMPLATES_NEITHER, /* refused by the old version too */
};
const char *templates_outcome_name(enum templates_outcome outcome); /* "same", "different", ... */

struct templates_change {
    const char *field, *before, *after; /* "": it is not there */
};

struct templates_replay {
    enum templates_outcome outcome;
    const char *why; /* REFUSED, NEITHER: "rule: why" of the first rule that is broken; else "" */
    const struct templates_change *changes;
    size_t changes_n;
};

/*
 * The request is told from the certificate: what the version that made it fixes, fills in or sets by itself
 * was not asked for; everything else was, and from the source that this version takes it from. asked_at:
 * when, for certificates whose notBefore does not tell. ERR_* where the certificate cannot be read.
 */
MUST_USE struct err *templates_replay(const struct template *made_by, const struct template *before,
                                      const struct template *after, const struct templates_issuer *issuer,
                                      const struct cert_tbs *tbs, int64_t asked_at, struct arena *arena,
                                      struct templates_replay *ret);

#endif
