/*
 * What a certificate may look like. A template is one YAML file; a set of them is loaded once per generation
 * and never changes, so any number of threads may read it. Four verbs:
 *
 * load: strict; an unknown key, an impossible combination and a dangerous template are ERR_CONFIG with file,
 * line and column.
 *
 * shape: template + request + issuer -> the description of a certificate (cert/tbs.h), with the origin of
 * each field.
 *
 * judge: template + issuer + final bytes read again -> yes, or the one rule that is broken. A pure function:
 * front and vault call the same one, and it trusts nothing that shape has done.
 *
 * lint: final bytes -> what they break of the standards, whatever the template says.
 *
 * Rules are of two kinds (templates_fields): `tbs` rules speak of the bytes alone and are judged here;
 * `context` rules (who asks, how often) are kept by whoever knows the asker: templates_may_ask,
 * templates_ceiling_per_hour, templates_limits.
 *
 * Times are seconds since 1970, durations seconds. No I/O, no clock, no randomness, no keys.
 */
#ifndef CHANCERY_TEMPLATES_H
#define CHANCERY_TEMPLATES_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "cert/alg.h"
#include "templates_asked.h"
#include "templates_issuer.h"
#include "templates_limits.h"
#include "templates_patterns.h"
#include "templates_proof.h"
#include "templates_shipped.h"

struct cert_csr; /* cert/csr.h */
struct cert_ext; /* cert/ext.h */
struct cert_tbs; /* cert/tbs.h */
struct template;
struct templates;

enum {
    TEMPLATES_MAX = 10000,            /* files in a set */
    TEMPLATES_FILE_BYTES = 64 * 1024, /* one file */
    TEMPLATES_SLACK_S = 300,          /* how much later than shape the vault may judge a notBefore */
};

/* --- the set --- */

struct templates_file {
    /* "templates/server.yaml", for messages; the last part without .yaml is the template's name. */
    const char *name;
    struct view bytes;
};

/* The files are not needed afterwards. ERR_CONFIG, also for two files of one name. n may be 0. */
MUST_USE struct err *templates_load(const struct templates_file *files, size_t n, struct templates **ret_set);
void templates_free(struct templates *set); /* accepts NULL */

/* By name; NULL where there is none. Borrowed from the set. */
const struct template *templates_find(const struct templates *set, struct view name);
size_t templates_count(const struct templates *set);
const struct template *templates_at(const struct templates *set, size_t i);    /* in the order of names */
size_t templates_place(const struct templates *set, const struct template *t); /* its i; t is of this set */

/* --- one template --- */

/* Who may ask (the field `askers`): bits. An internal template has none of them: the house alone makes those.
 */
enum templates_asker {
    TEMPLATES_BY_TOKEN = 1u,         /* a bearer token */
    TEMPLATES_BY_CERTIFICATE = 2u,   /* a client certificate of this authority */
    TEMPLATES_BY_ADMINISTRATOR = 4u, /* a role on the roster */
    TEMPLATES_BY_OPERATOR = 8u,
};

const char *templates_name(const struct template *t);
const char *templates_description(const struct template *t);
bool templates_internal(const struct template *t);
bool templates_is_ca(const struct template *t); /* CA:TRUE: always internal */
int64_t templates_validity_default_s(const struct template *t);
int64_t templates_validity_max_s(const struct template *t);
int64_t templates_backdate_s(const struct template *t);
int64_t templates_ceiling_per_hour(const struct template *t); /* seals per issuer and hour; 0: none */

/* ERR_FORBIDDEN naming the rule: internal, or not for such an asker. */
MUST_USE struct err *templates_may_ask(const struct template *t, enum templates_asker who);
/* Whether the field `issuers` is open or lists this one. (Judged on the bytes too.) */
bool templates_issuer_allowed(const struct template *t, const char *issuer);

/* All effective values, defaults written out; the caller owns it. Keys are those of the YAML file, and
 * "name". */
json_t *templates_to_json(const struct template *t);

/* What the analyser found in it and its file overrides: i from 0 until false. */
struct templates_override {
    const char *finding, *reason;
    int64_t until; /* INT64_MAX: without end; past it nothing is made by this template any more */
};
bool templates_override(const struct template *t, size_t i, struct templates_override *ret);
bool templates_enabled(const struct template *t); /* `enabled`, and not internal */
bool templates_caa(const struct template *t);     /* CAA records are asked before an ACME order is issued */

/* --- shape --- */

struct templates_rdn {
    const char *attribute; /* "CN", "O", ...: the names of subject.allow */
    const char *value;     /* UTF-8 */
};

struct templates_request {
    const struct templates_who *who; /* NULL: the house itself */
    const struct cert_csr *csr;      /* proof of possession already checked, or NULL: spki counts */
    struct view spki;                /* SubjectPublicKeyInfo, used where csr is NULL */
    struct view serial;              /* unsigned magnitude, as leased */
    uint64_t partition;              /* whose list it is to name; 0: the list of all */
    int64_t now;
    int64_t not_after;          /* 0: not asked; at most one of the two */
    int64_t validity_s;         /* 0: not asked; counted from now */
    bool has_subject, has_sans; /* asked beside the CSR: take its place, where the template takes them */
    const struct templates_rdn *subject;
    size_t subject_n;
    const char *const *sans; /* "dns:a.b", "ip:10.0.0.1", ...; without a kind it is read off the text */
    size_t sans_n;
    /* Asked beside the CSR, each OID once; taken where a field's `from` lists the request, before the CSR's.
     * Names are not among them: sans. */
    const struct cert_ext *exts;
    size_t exts_n;
};

struct templates_origin {
    const char *field;  /* "subject", "validity.not_after", "key_usage", ... */
    const char *source; /* "template", "request", "csr", "issuer", "vault" (serial), "clock" */
    const char *note;   /* "" or why: "clamped to the issuer's end" */
};

enum templates_severity { TEMPLATES_ERROR, TEMPLATES_WARNING, TEMPLATES_NOTICE };

/* What a certificate breaks of the standards, whatever its template says. */
struct templates_lint {
    const char *rule, *section; /* "ec-encipherment", "RFC 8813 3" */
    enum templates_severity severity;
    const char *text;
};

struct templates_shaped {
    const struct cert_tbs *tbs;
    const char *const
        *names; /* what a grant must cover, see templates_pattern_match: "dns:a.b", "cn:Alice" */
    size_t names_n;
    const char *subject; /* RFC 4514 text */
    const struct templates_origin *origins;
    size_t origins_n;
    const struct templates_lint *lints; /* warnings and notices: errors are refused */
    size_t lints_n;
};

/*
 * Everything lives in the arena (the bytes of CSR, issuer and extensions are borrowed); what comes out has
 * passed every rule of templates_judge. Refusals: ERR_POLICY; ERR_BAD_NAME for malformed names;
 * ERR_BAD_EXTENSION for what a CSR carries and the template does not take; each with the rule, the limit, and
 * a pointer
 * ("/sans/3", "/not_after", "/csr", "/extensions/0"). Of a CSR's extensions subjectAltName is taken, and
 * those whose `from` lists the CSR; CA:FALSE, subjectKeyIdentifier, and key usages within the template's are
 * passed over; all else is refused, or dropped where the field's `other` says so.
 */
MUST_USE struct err *templates_shape(const struct template *t, const struct templates_request *request,
                                     const struct templates_issuer *issuer, struct arena *arena,
                                     struct templates_shaped *ret);

/* --- judge --- */

/* tbs: read from the final bytes (cert_tbs_read). ERR_POLICY "template 'NAME': RULE: why", for the first
 * broken rule. The serial and what needs more than these bytes (leases, CA:TRUE by channel, other issuers'
 * names and keys) is the vault's own affair. */
MUST_USE struct err *templates_judge(const struct template *t, const struct templates_issuer *issuer,
                                     const struct cert_tbs *tbs, int64_t now, struct arena *arena);

/* --- lint --- */

/* Every rule that the certificate breaks; baseline: those of the CA/Browser Forum for TLS too. Shape runs it,
 * and refuses errors (ERR_POLICY "lint: RULE: why (section)"). */
void templates_lint(const struct cert_tbs *tbs, bool baseline, struct arena *arena,
                    const struct templates_lint **ret, size_t *ret_n);
const char *templates_severity_name(enum templates_severity severity); /* "error", "warning", "notice" */

#endif
