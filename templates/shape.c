/*
 * Shaping: template, request and issuer become the description of a certificate, with the origin of each
 * field. What comes out has passed every rule of the judge.
 *
 * Never signs, never looks at a clock, never knows who asks. Any thread.
 */
#include "shape.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/when.h"
#include "conditions.h"
#include "exts.h"
#include "judge.h"
#include "names.h"

void shape_origin(struct shape *s, const char *field, const char *source, const char *note)
{
    CHECK(s->origins_n < SHAPE_ORIGINS_MAX);
    s->origins[s->origins_n++] = (struct templates_origin){field, source, note};
}

/* Out of the serial number, which is random: the same request with the same serial gives the same end. */
static int64_t jitter(const struct shape *s)
{
    struct view serial = s->request->serial;
    uint64_t random = 0;
    for (size_t i = 0; i < serial.n; i++)
        random = random * 31 + serial.p[i];
    return s->t->validity.jitter_s > 0 ? (int64_t)(random % (uint64_t)s->t->validity.jitter_s) : 0;
}

/* An end that nobody asked for is cut off at the issuer's; one that was asked for is left to the rules. */
static struct err *shape_validity(struct shape *s, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    const struct templates_request *r = s->request;
    int64_t start = r->now - s->t->validity.backdate_s, issuer_start = s->issuer->not_before;
    if (r->not_after != 0 && r->validity_s != 0)
        return err_at(err_new(ERR_BAD_FIELD, "not_after and validity: give one of them"), "/validity");
    if (r->validity_s < 0 || r->validity_s > VALIDITY_MAX_S)
        return err_at(err_new(ERR_BAD_FIELD, "validity must lie between 1 second and 100 years"),
                      "/validity");
    tbs->not_before = start > issuer_start ? start : issuer_start;
    shape_origin(s, "validity.not_before", "clock", start > issuer_start ? "" : "the issuer's start");
    if (r->not_after != 0 || r->validity_s != 0) {
        tbs->not_after = r->not_after != 0 ? r->not_after : r->now + r->validity_s;
        shape_origin(s, "validity.not_after", "request", "");
        return NULL;
    }
    struct expr_value life = {.n = s->t->validity.default_s};
    if (s->t->validity.computed)
        TRY(conditions_compute(s, s->t->validity.computed, "validity", &life));
    if (life.n < 1 || life.n > VALIDITY_MAX_S)
        return err_new(ERR_POLICY, "template '%s': validity is computed to %lld seconds", s->t->name,
                       (long long)life.n);
    int64_t end = r->now + life.n - jitter(s), until = s->t->validity.until;
    bool ended = end > until && until <= s->issuer->not_after;
    bool cut = !ended && end > s->issuer->not_after;
    tbs->not_after = ended ? until : cut ? s->issuer->not_after : end;
    shape_origin(s, "validity.not_after", cut ? "issuer" : "template",
                 ended                     ? "cut off at the template's end"
                 : cut                     ? "cut off at the issuer's end"
                 : s->t->validity.computed ? "computed"
                                           : "");
out:
    return e;
}

static struct err *shape_exts(struct shape *s, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    struct cert_ext *own = arena_array(s->arena, EXTS_MAX, sizeof(own[0]));
    struct cert_ext *exts = arena_array(s->arena, LIMIT_EXTENSIONS, sizeof(exts[0]));
    struct exts_facts facts = {
        s->t, s->issuer, &s->key, s->sans, s->sans_n, s->subject.n == 0, s->request->partition};
    TRY(exts_make(&facts, s->arena, own, &s->own_n));
    s->own = own;
    memcpy(exts, own, s->own_n * sizeof(own[0]));
    for (size_t i = 0; i < s->own_n; i++) {
        enum cert_ext_id id = cert_ext_id_of(own[i].oid);
        const char *source = shape_given_instead(s, &exts[i]);
        const char *field = id < CERT_EXT__COUNT ? exts_field(id) : cert_ext_label(own[i].oid, s->arena);
        if (id != CERT_EXT_SAN)
            shape_origin(s, field, source ? source : exts_source(id), "");
    }
    tbs->ext_count = s->own_n;
    TRY(shape_given(s, exts, &tbs->ext_count));
    tbs->exts = exts;
    tbs->subject = s->subject.der;
    tbs->spki = s->key.spki;
out:
    return e;
}

static struct err *shape_key(struct shape *s, struct cert_tbs *tbs)
{
    tbs->serial = s->request->serial;
    tbs->alg = s->issuer->alg;
    tbs->issuer = s->issuer->subject;
    shape_origin(s, "serial", "vault", "");
    shape_origin(s, "algorithm", "issuer", "");
    shape_origin(s, "issuer", "issuer", "");
    shape_origin(s, "key", s->request->csr ? "csr" : "vault", "");
    if (!s->request->csr)
        return cert_key_parse(s->request->spki, &s->key);
    s->key = s->request->csr->key;
    return NULL;
}

const struct shape_row shape_rows[] = {
    {"shape.key", shape_key, true, "the key is acceptable"},
    {"shape.csr", shape_csr_check, false, "what the CSR carries is taken, or dropped, by the template"},
    {"shape.extensions", shape_given_check, false,
     "what is asked for beside the CSR is taken by the template"},
    {"shape.names", shape_names_sans, false, "the names read as names, from a source that is taken"},
    {"shape.subject", shape_subject, false, "the subject reads as one, from a source that is taken"},
    {"shape.validity", shape_validity, false, "at most one end is asked for"},
    {"shape.made", shape_exts, true, "what the template and the issuer say can be put together"},
    {"shape.conditions", conditions_step, false, "conditions over asker, CSR and request hold"},
};
enum { STEPS = sizeof(shape_rows) / sizeof(shape_rows[0]) };

size_t shape_rows_count(void)
{
    return STEPS;
}

struct judged shape_judged(const struct shape *s, const struct cert_tbs *tbs)
{
    return (struct judged){
        .t = s->t,
        .issuer = s->issuer,
        .tbs = tbs,
        .now = s->request->now,
        .arena = s->arena,
        .key = s->key,
        .subject = s->subject,
        .sans = s->sans,
        .sans_n = s->sans_n,
        .wanted = s->own,
        .wanted_n = s->own_n,
        .end_by_validity = s->request->validity_s != 0,
        .sans_from_csr = strcmp(s->sans_source, "csr") == 0,
        .subject_from_csr = strcmp(s->subject_source, "csr") == 0,
    };
}

void shape_begin(struct shape *s, const struct template *t, const struct templates_request *request,
                 const struct templates_issuer *issuer, struct arena *arena)
{
    *s = (struct shape){.t = t, .request = request, .issuer = issuer, .arena = arena};
    s->sans_source = s->subject_source = "";
    s->origins = arena_array(arena, SHAPE_ORIGINS_MAX, sizeof(s->origins[0]));
}

static struct err *shape_tbs(struct shape *s, struct cert_tbs *tbs)
{
    struct err *e = NULL;
    for (size_t i = 0; i < STEPS; i++)
        TRY(shape_rows[i].run(s, tbs));
    const struct judged j = shape_judged(s, tbs);
    TRY(err_wrap(judge_run(&j, SIZE_MAX), "template '%s'", s->t->name));
out:
    return e;
}

/* Errors refuse; warnings and notices go along. */
static struct err *shape_lint(const struct shape *s, const struct cert_tbs *tbs, struct templates_shaped *ret)
{
    templates_lint(tbs, s->t->head.baseline, s->arena, &ret->lints, &ret->lints_n);
    for (size_t i = 0; i < ret->lints_n; i++) {
        const struct templates_lint *l = &ret->lints[i];
        if (l->severity == TEMPLATES_ERROR)
            return err_new(ERR_POLICY, "template '%s': lint: %s: %s (%s)", s->t->name, l->rule, l->text,
                           l->section);
    }
    return NULL;
}

struct err *templates_shape(const struct template *t, const struct templates_request *request,
                            const struct templates_issuer *issuer, struct arena *arena,
                            struct templates_shaped *ret)
{
    struct err *e = NULL;
    struct cert_tbs *tbs = ARENA_NEW(arena, struct cert_tbs);
    struct shape s;
    shape_begin(&s, t, request, issuer, arena);
    struct templates_shaped shaped = {.tbs = tbs};
    TRY(shape_tbs(&s, tbs));
    TRY(shape_lint(&s, tbs, &shaped));
    shaped.origins = s.origins;
    shaped.origins_n = s.origins_n;
    names_collect(&s.subject, s.sans, s.sans_n, t->subject.own_set, arena, &shaped.names, &shaped.names_n);
    shaped.subject = cert_name_text(&s.subject, arena);
    *ret = shaped;
out:
    return e;
}
