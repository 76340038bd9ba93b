/*
 * Explaining: admission, template and vault asked about one request, each to its end, so that all that is
 * wrong is seen at once. Walks the same tables as an issuance and is one of those under way, but writes
 * nothing anywhere. On the loop's thread.
 */
#include "ca_explain.h"

#include "admit.h"

enum { ROWS_OF_OURS = 2 }; /* the grant's names, the vault */

struct explanation {
    struct issuance *is;
    struct ca_explained x;
    struct templates_ruled *rules;
    ca_explain_done *done;
    void *arg;
};

static void ruled(struct explanation *ex, const char *rule, enum templates_judge judge, const char *doc,
                  enum templates_verdict verdict, const char *detail)
{
    ex->rules[ex->x.rules_n++] = (struct templates_ruled){rule, judge, verdict, doc, detail, "", ERR__COUNT};
}

/* The last row was broken by this; takes e, NULL: it was not. */
static bool broken(struct explanation *ex, struct err *e)
{
    struct templates_ruled *r = &ex->rules[ex->x.rules_n - 1];
    if (!e)
        return false;
    r->verdict = TEMPLATES_BROKEN;
    r->code = err_code(e);
    r->detail = arena_str(ex->is->arena, view_str(err_detail(e)));
    r->pointer = arena_str(ex->is->arena, view_str(err_pointer(e)));
    err_free(e);
    return true;
}

/* Whether template, issuer and CSR are there to go on with. */
static bool run_admission(struct explanation *ex)
{
    struct issuance *is = ex->is;
    bool whole = true;
    for (size_t i = 0; i < admit_rows_count(); i++) {
        const struct admit_row *row = &admit_rows[i];
        ruled(ex, arena_printf(is->arena, "admit.%s", row->name), TEMPLATES_FRONT, row->doc,
              whole ? TEMPLATES_KEPT : TEMPLATES_OPEN, "");
        if (whole && broken(ex, row->run(is)))
            whole = !row->left || row->left(is);
    }
    is->has_key = false; /* nobody else is to be refused for what is only explained */
    return whole;
}

static void take(struct explanation *ex, const struct templates_explained *t)
{
    memcpy(ex->rules + ex->x.rules_n, t->rules, t->rules_n * sizeof t->rules[0]);
    ex->x.rules_n += t->rules_n;
    ex->x.fields = t->fields;
    ex->x.fields_n = t->fields_n;
}

static void run_names(struct explanation *ex, const struct templates_explained *t)
{
    ruled(ex, "admit.names", TEMPLATES_FRONT, "the asker's grant covers every name", TEMPLATES_KEPT, "");
    broken(ex, admit_names(ex->is, t->names, t->names_n));
    for (size_t i = 0; i < quota_rows_count(); i++) {
        ruled(ex, arena_printf(ex->is->arena, "limits.%s", quota_rows[i].name), TEMPLATES_FRONT,
              quota_rows[i].doc, TEMPLATES_KEPT, "");
        broken(ex, quota_rows[i].check(ex->is, t->names, t->names_n));
    }
}

static void finish(struct explanation *ex)
{
    ex->x.issued = true;
    for (size_t i = 0; i < ex->x.rules_n; i++)
        ex->x.issued &= ex->rules[i].verdict != TEMPLATES_BROKEN && ex->rules[i].verdict != TEMPLATES_OPEN;
    ex->x.rules = ex->rules;
    ex->done(ex->arg, &ex->x);
    issue_close(ex->is);
}

static const char vault_doc[] =
    "the vault's own look at the final bytes: its floors, the lease of the serial, "
    "the template's rules by its clock, the ceiling";

static void vault_open(struct explanation *ex, const char *why)
{
    ruled(ex, "vault", TEMPLATES_VAULT, vault_doc, TEMPLATES_OPEN, why);
    finish(ex);
}

/* The rules of the template that the vault has broken are its own word: the code says which kind. */
static void judged(void *arg, struct err *e, uint64_t ceiling, uint64_t sealed)
{
    struct explanation *ex = arg;
    bool away = e && (err_code(e) == ERR_TOKEN_AWAY || err_code(e) == ERR_CANCELLED);
    if (away) {
        vault_open(ex, arena_str(ex->is->arena, view_str(err_detail(e))));
        err_free(e);
        return;
    }
    const char *left = ceiling && !e ? arena_printf(ex->is->arena, "%llu of %llu in the hour past",
                                                    (unsigned long long)sealed, (unsigned long long)ceiling)
                                     : "";
    ruled(ex, "vault", TEMPLATES_VAULT, vault_doc, TEMPLATES_KEPT, left);
    broken(ex, e);
    finish(ex);
}

static void ask_vault(struct explanation *ex, const struct templates_explained *t)
{
    struct err *e = NULL;
    struct issuance *is = ex->is;
    TRY(cert_tbs_write(t->tbs, is->arena, &is->tbs));
    const struct hsm_cert what = {.generation = is->generation,
                                  .issuer = is->issuer_name,
                                  .template = is->request.template,
                                  .tbs = is->tbs};
    TRY(hsm_judge_cert(is->ca->hsm, &what, judged, ex, NULL));
out:
    if (e)
        vault_open(ex, arena_str(is->arena, view_str(err_detail(e))));
    err_free(e);
}

static void begin(void *arg)
{
    struct explanation *ex = arg;
    struct issuance *is = ex->is;
    struct templates_explained t = {.tbs = NULL};
    struct err *e = NULL;
    ex->rules = arena_array(is->arena,
                            templates_rules_most() + admit_rows_count() + quota_rows_count() + ROWS_OF_OURS,
                            sizeof ex->rules[0]);
    if (!run_admission(ex)) {
        vault_open(ex, "there is no certificate to be judged");
        return;
    }
    e = hsm_serial(is->ca->hsm, is->issuer_name, is->serial);
    if (!e && is->issuer->partition)
        e = ledger_partition(is->ca->ledger, is->issuer_name, is->issuer->partition, &is->partition);
    struct templates_request want = steps_wanted(is);
    templates_explain(is->template, &want, &is->issuer->facts, is->arena, &t);
    take(ex, &t);
    run_names(ex, &t);
    if (e || !t.tbs)
        vault_open(ex, e ? arena_str(is->arena, view_str(err_detail(e)))
                         : "there is no certificate to be judged");
    else
        ask_vault(ex, &t);
    err_free(e);
}

void ca_explain(struct ca *ca, const struct ca_request *request, ca_explain_done *done, void *arg)
{
    struct issuance *is = issue_open(ca, request);
    struct explanation *ex = ARENA_NEW(is->arena, struct explanation);
    *ex = (struct explanation){.is = is, .done = done, .arg = arg};
    ex->x =
        (struct ca_explained){.template = is->request.template,
                              .issuer = is->request.issuer ? is->request.issuer : ca->setup->default_issuer,
                              .asker = is->asker.id};
    loop_after_turn(ca->loop, begin, ex);
}
