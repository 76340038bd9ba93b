/*
 * Explaining: runs every step of shape, every rule of the judge and every rule of lint, and goes on where
 * those would stop. A step that fails leaves its part of the certificate empty; without a key there is no
 * certificate to be judged.
 *
 * Never decides. Any thread.
 */
#include "templates_explain.h"

#include "base/world.h"
#include "explain_value.h"
#include "lint.h"
#include "names.h"
#include "shape.h"

static const char *const verdict_names[] = {
    [TEMPLATES_KEPT] = "kept",     [TEMPLATES_NOTICED] = "notice", [TEMPLATES_WARNED] = "warning",
    [TEMPLATES_BROKEN] = "broken", [TEMPLATES_OPEN] = "open",
};

const char *templates_verdict_name(enum templates_verdict verdict)
{
    return verdict_names[verdict];
}

const char *templates_judge_name(enum templates_judge judge)
{
    static const char *const names[] = {"front", "vault", "both"};
    return names[judge];
}

struct explain {
    struct shape s;
    struct cert_tbs *tbs;
    struct arena *arena;
    struct templates_ruled *rules;
    size_t n;
};

/* A rule and how it ended; takes e. */
static void ruled(struct explain *x, const char *rule, enum templates_judge judge, const char *doc,
                  struct err *e)
{
    struct templates_ruled *r = &x->rules[x->n++];
    *r = (struct templates_ruled){rule, judge, TEMPLATES_KEPT, doc, "", "", ERR__COUNT};
    if (e) {
        r->verdict = TEMPLATES_BROKEN;
        r->code = err_code(e);
        r->detail = arena_str(x->arena, view_str(err_detail(e)));
        r->pointer = arena_str(x->arena, view_str(err_pointer(e)));
    }
    err_free(e);
}

/* The certificate has all its parts, right or wrong. */
static bool run_steps(struct explain *x)
{
    bool whole = true;
    for (size_t i = 0; i < shape_rows_count(); i++) {
        const struct shape_row *row = &shape_rows[i];
        struct err *e = whole ? row->run(&x->s, x->tbs) : NULL;
        ruled(x, row->name, TEMPLATES_FRONT, row->doc, e);
        if (!whole)
            x->rules[x->n - 1].verdict = TEMPLATES_OPEN;
        whole &= !(row->needed && x->rules[x->n - 1].verdict == TEMPLATES_BROKEN);
    }
    return whole;
}

static void run_judge(struct explain *x, bool whole)
{
    const struct judged j = shape_judged(&x->s, x->tbs);
    for (size_t i = 0; i < judge_rows_count(); i++) {
        const struct judge_row *row = &judge_rows[i];
        ruled(x, row->name, TEMPLATES_BOTH, row->doc, whole ? row->rule(&j) : NULL);
        if (!whole)
            x->rules[x->n - 1].verdict = TEMPLATES_OPEN;
    }
}

static const struct templates_lint *lint_found(const struct templates_lint *found, size_t n, const char *rule)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(found[i].rule, rule) == 0)
            return &found[i];
    }
    return NULL;
}

static enum templates_verdict verdict_of(enum templates_severity severity)
{
    if (severity == TEMPLATES_ERROR)
        return TEMPLATES_BROKEN;
    return severity == TEMPLATES_WARNING ? TEMPLATES_WARNED : TEMPLATES_NOTICED;
}

static void run_lint(struct explain *x, bool whole)
{
    const struct templates_lint *found = NULL;
    size_t n = 0;
    if (whole)
        templates_lint(x->tbs, x->s.t->head.baseline, x->arena, &found, &n);
    for (size_t i = 0; i < lint_rows_count(); i++) {
        const struct lint_row *row = &lint_rows[i];
        const struct templates_lint *l = lint_found(found, n, row->name);
        if (row->rules == LINT_TLS && !x->s.t->head.baseline)
            continue;
        ruled(x, arena_printf(x->arena, "lint.%s", row->name), TEMPLATES_FRONT,
              arena_printf(x->arena, "%s (%s)", row->doc, row->section),
              l ? err_new(ERR_POLICY, "%s", l->text) : NULL);
        x->rules[x->n - 1].verdict = !whole ? TEMPLATES_OPEN : l ? verdict_of(l->severity) : TEMPLATES_KEPT;
    }
}

size_t templates_rules_most(void)
{
    return shape_rows_count() + judge_rows_count() + lint_rows_count();
}

/* What a step has left empty is the empty name. */
static void fill(struct explain *x)
{
    if (x->tbs->subject.n == 0)
        x->tbs->subject = view_of("\x30\x00", 2);
}

void templates_explain(const struct template *t, const struct templates_request *request,
                       const struct templates_issuer *issuer, struct arena *arena,
                       struct templates_explained *ret)
{
    struct explain x = {.tbs = ARENA_NEW(arena, struct cert_tbs), .arena = arena};
    x.rules = arena_array(arena, templates_rules_most(), sizeof(x.rules[0]));
    shape_begin(&x.s, t, request, issuer, arena);
    bool whole = run_steps(&x);
    fill(&x);
    run_judge(&x, whole);
    run_lint(&x, whole);
    *ret = (struct templates_explained){.tbs = whole ? x.tbs : NULL, .rules = x.rules, .rules_n = x.n};
    names_collect(&x.s.subject, x.s.sans, x.s.sans_n, t->subject.own_set, arena, &ret->names, &ret->names_n);
    if (whole)
        explain_fields(&x.s, x.tbs, &ret->fields, &ret->fields_n);
}
