/*
 * Approval on the way of an issuance: a request that its template wants approved is filed as an act under an
 * id that follows from who asks and what for, so that the same request finds it again. What was approved is
 * held against what would be made now; the vault does the same with the final bytes. On the loop's thread.
 */
#include "ca_pending.h"

#include "base/hex.h"
#include "base/log.h"
#include "base/when.h"
#include "base/world.h"
#include "ca_act.h"
#include "house.h"
#include "hsm_proof.h"
#include "wanted.h"

enum { TRIES = 16, LOOK_AGAIN_S = 60, REASON_BYTES = 900, NAMES_BYTES = 600 };
#define GRACE_S INT64_C(86400) /* how long what has expired still says so */

struct asking {
    const struct hsm_roster *roster;
    const struct templates_approval *approval;
    struct view request;            /* in its own form */
    uint8_t template[SHA256_BYTES]; /* its values */
};

/* The n-th request of this asker for the same. */
static struct view id_of(struct issuance *is, struct view request, uint8_t n)
{
    uint8_t *hash = arena_alloc(is->arena, SHA256_BYTES);
    const struct view parts[] = {view_str(is->asker.id), view_of("", 1), view_of(&n, 1), request};
    digest_sha256_parts(parts, 4, hash);
    return view_of(hash, HSM_ACT_ID_BYTES);
}

/* --- waiting --- */

static struct err *waits(struct issuance *is, struct view id, const struct ca_pending *as)
{
    struct ca_pending *p = ARENA_NEW(is->arena, struct ca_pending);
    *p = *as;
    p->id = hex_of(is->arena, id);
    is->result = (struct ca_certificate){.pending = p};
    return err_retry(err_new(ERR_PENDING, "request %s waits for approval: %u of %u have approved, until %s",
                             p->id, p->have, p->needed, when_text(is->arena, p->expires)),
                     LOOK_AGAIN_S);
}

/* --- filing --- */

/* For those who approve: what the act's reason says in a line. */
static const char *reason_of(struct issuance *is)
{
    const char *names = "";
    for (size_t i = 0; i < is->shaped.names_n && strlen(names) < NAMES_BYTES; i++)
        names = arena_printf(is->arena, "%s%s%s", names, i ? ", " : "", is->shaped.names[i]);
    const char *text = arena_printf(is->arena, "%s asks for %s", is->asker.id,
                                    names[0]                ? names
                                    : is->shaped.subject[0] ? is->shaped.subject
                                                            : "a name");
    return strlen(text) <= REASON_BYTES ? text : arena_printf(is->arena, "%s asks", is->asker.id);
}

static struct err *form_of(struct issuance *is, int64_t life_s, struct view *ret)
{
    return hsm_form_write(is->shaped.tbs, &is->issuer->facts, life_s, is->arena, ret);
}

static struct err *write_payload(struct issuance *is, const struct asking *a, struct view *ret)
{
    const struct cert_tbs *tbs = is->shaped.tbs;
    struct hsm_wanted wanted = {.issuer = is->issuer_name,
                                .template = is->request.template,
                                .asker = is->asker.id,
                                .needed = hsm_proof_needed(a->roster, a->approval),
                                .request = a->request};
    struct err *e = form_of(is, tbs->not_after - tbs->not_before, &wanted.form);
    return e ? e : hsm_wanted_write(&wanted, is->arena, ret);
}

static struct err *write_act(struct issuance *is, const struct asking *a, struct view id, struct view payload,
                             struct hsm_act *act, struct view *ret)
{
    uint8_t *asker = arena_alloc(is->arena, SHA256_BYTES), *hash = arena_alloc(is->arena, SHA256_BYTES);
    struct view vault = hsm_status(hsm_for(is->ca->hsm, is->issuer_name))->roll_id;
    if (vault.n == 0)
        return err_new(ERR_TOKEN_AWAY, "the vault is not there");
    digest_sha256(payload, hash);
    digest_sha256(view_str(is->asker.id), asker);
    *act = (struct hsm_act){.kind = HSM_ACT_CERTIFICATE,
                            .id = id,
                            .vault = vault,
                            .asker = view_of(is->asker.key ? is->asker.key : asker, SHA256_BYTES),
                            .object = is->request.template,
                            .object_sha256 = view_of(hash, SHA256_BYTES),
                            .template_sha256 = view_of(a->template, SHA256_BYTES),
                            .made = world_now_s(),
                            .expires = world_now_s() + a->approval->life_s,
                            .reason = reason_of(is)};
    return hsm_act_write(act, is->arena, ret);
}

/* e: of a race, where the same request was filed a moment ago, ERR_WRONG_STATE: it waits all the same. */
static void filed(void *arg, struct err *e, uint64_t seq)
{
    struct issuance *is = arg;
    (void)seq;
    if (e && err_code(e) != ERR_WRONG_STATE) {
        issue_resume(is, e);
        return;
    }
    err_free(e);
    e = waits(is, is->act->act.id,
              &(struct ca_pending){.needed = is->act->needed, .expires = is->act->act.expires});
    issue_resume(is, e);
}

static struct err *file(struct issuance *is, const struct asking *a, struct view id, bool *ret_waits)
{
    struct err *e = NULL;
    struct view der, payload;
    struct ca_act *act = ARENA_NEW(is->arena, struct ca_act);
    if (is->request.standing)
        return err_new(ERR_NOT_FOUND, "the request that was filed counts no more; ask anew");
    TRY(write_payload(is, a, &payload));
    TRY(write_act(is, a, id, payload, &act->act, &der));
    TRY(quota_hold(is, is->shaped.names, is->shaped.names_n));
    act->needed = hsm_proof_needed(a->roster, a->approval);
    is->act = act;
    TRY(act_file(is->ca, &is->asker, id, der, payload, filed, is));
    *ret_waits = true;
out:
    return e;
}

/* --- what became of it --- */

static const struct ledger_act_step *last_step(const struct ca_act *act, unsigned kind)
{
    for (size_t i = act->book.steps_n; i > 0; i--)
        if (act->book.steps[i - 1].kind == kind)
            return &act->book.steps[i - 1];
    return NULL;
}

static struct err *denied(struct issuance *is, const struct ca_act *act)
{
    const struct ledger_act_step *step = last_step(act, LEDGER_ACT_DENY);
    return err_new(ERR_FORBIDDEN, "request %s was denied%s%s at %s", hex_of(is->arena, act->act.id),
                   step ? " by " : "", step ? step->actor : "",
                   when_text(is->arena, (step ? step->time_ms : act->book.time_ms) / 1000));
}

static struct err *expired(struct issuance *is, const struct ca_act *act)
{
    return err_new(ERR_FORBIDDEN, "request %s expired at %s: %u of %u had approved",
                   hex_of(is->arena, act->act.id), when_text(is->arena, act->act.expires), act->have,
                   act->needed);
}

static void hand(void *arg)
{
    issue_skip_to_hand(arg);
}

/* The note of what was done names the certificate: "issuing 4a2f...". */
static struct err *made_before(struct issuance *is, const struct ca_act *act, bool *ret_waits)
{
    struct err *e = NULL;
    struct view serial;
    struct ledger_cert record;
    const struct ledger_act_step *step = last_step(act, LEDGER_ACT_DONE);
    const char *what = step ? step->note.what : "", *space = strchr(what, ' ');
    if (!space)
        return err_new(ERR_FORBIDDEN, "request %s was carried out: %s", hex_of(is->arena, act->act.id), what);
    TRY(hex_parse(is->arena, view_str(space + 1), &serial));
    TRY(ledger_find(is->ca->ledger, arena_str(is->arena, view_of(what, (size_t)(space - what))), serial,
                    is->arena, &record));
    TRY(ca_certificate_of(&record, is->arena, &is->result));
    is->result.replayed = true;
    *ret_waits = true;
    loop_after_turn(is->ca->loop, hand, is);
out:
    return e;
}

/* What was approved is its own Idempotency-Key: made once, however often it is asked for at the same time. */
static void once(struct issuance *is)
{
    uint8_t *hash = arena_alloc(is->arena, SHA256_BYTES);
    const struct view parts[] = {view_str(is->asker.id), view_of("\0", 2), is->act->act.id};
    digest_sha256_parts(parts, 3, hash);
    is->again = view_of(hash, SHA256_BYTES);
    memcpy(is->request.body_hash, is->act->act.object_sha256.p, SHA256_BYTES);
}

/* Made now: never for longer than was approved. */
static struct err *approved(struct issuance *is, const struct asking *a, struct ca_act *act, bool *ret_waits)
{
    struct err *e = NULL;
    struct hsm_wanted wanted;
    struct hsm_form form;
    struct cert_tbs *tbs = ARENA_NEW(is->arena, struct cert_tbs);
    TRY(quota_books(is, is->shaped.names, is->shaped.names_n));
    e = ca_act_approved(is->ca, a->roster, act->act.id, HSM_ACT_CERTIFICATE, is->arena, act, &is->approved);
    if (e && act->state == CA_ACT_DONE) { /* since it was looked at a moment ago */
        err_free(e);
        return made_before(is, act, ret_waits);
    }
    if (e)
        goto out;
    TRY(hsm_wanted_read(act->book.request.payload, is->arena, &wanted));
    TRY(hsm_form_read(wanted.form, is->arena, &form));
    *tbs = *is->shaped.tbs;
    if (tbs->not_after - tbs->not_before > form.life_s)
        tbs->not_after = tbs->not_before + form.life_s;
    is->shaped.tbs = tbs;
    TRY(cert_tbs_write(tbs, is->arena, &is->tbs));
    is->payload = act->book.request.payload;
    is->act = act;
    once(is);
out:
    return e;
}

static struct err *settle(struct issuance *is, const struct asking *a, struct ca_act *act, bool *ret_waits)
{
    switch (act->state) {
    case CA_ACT_PENDING:
        return waits(is, act->act.id, &(struct ca_pending){NULL, act->needed, act->have, act->act.expires});
    case CA_ACT_APPROVED:
        return approved(is, a, act, ret_waits);
    case CA_ACT_DENIED:
        return denied(is, act);
    case CA_ACT_EXPIRED:
        return expired(is, act);
    case CA_ACT_DONE:
        return made_before(is, act, ret_waits);
    }
    UNREACHABLE();
}

/* --- finding it --- */

/* What would be made now is what was asked for then. */
static struct err *same(struct issuance *is, const struct asking *a, const struct ca_act *act, bool *ret)
{
    struct err *e = NULL;
    struct hsm_wanted wanted;
    struct hsm_form form;
    struct view now;
    TRY(hsm_wanted_read(act->book.request.payload, is->arena, &wanted));
    TRY(hsm_form_read(wanted.form, is->arena, &form));
    TRY(form_of(is, form.life_s, &now));
    *ret = view_eq(act->act.template_sha256, view_of(a->template, SHA256_BYTES)) && view_eq(now, wanted.form);
out:
    return e;
}

/* It stands no more: the same bytes are a new request. */
static struct err *is_past(struct issuance *is, const struct asking *a, const struct ca_act *act, bool *ret)
{
    bool open = act->state == CA_ACT_PENDING || act->state == CA_ACT_APPROVED, as_it_was = true;
    struct err *e = open ? same(is, a, act, &as_it_was) : NULL;
    *ret = open ? !as_it_was : world_now_s() > act->act.expires + GRACE_S;
    return e;
}

static struct err *look(struct issuance *is, const struct asking *a, bool *ret_waits)
{
    struct err *e = NULL;
    for (uint8_t n = 0; n < TRIES; n++) {
        struct ca_act *act = ARENA_NEW(is->arena, struct ca_act);
        struct view id = id_of(is, a->request, n);
        bool past;
        e = ca_act_find(is->ca, a->roster, id, is->arena, act);
        if (e && err_code(e) == ERR_NOT_FOUND) {
            err_free(e);
            return file(is, a, id, ret_waits);
        }
        if (!e)
            e = is_past(is, a, act, &past);
        if (e || !past)
            return e ? e : settle(is, a, act, ret_waits);
    }
    return err_new(ERR_TOO_MANY, "this was asked for %d times; make a new request with a new key", TRIES);
}

struct err *steps_approve(struct issuance *is, bool *ret_waits)
{
    struct err *e = NULL;
    struct asking a = {.roster = is->ca->setup->roster, .approval = templates_approval(is->template)};
    if (!a.approval || is->asker.role == CA_ROLE_SELF)
        return NULL;
    if (!a.roster)
        return err_new(ERR_FORBIDDEN, "template '%s' wants approvals, and there is no roster",
                       is->request.template);
    templates_sha256(is->template, a.template);
    TRY(wanted_write(&is->request, is->csr.der, is->arena, &a.request));
    TRY(look(is, &a, ret_waits));
out:
    return e;
}

struct err *ca_pending_request(struct ca *ca, const struct ca_asker *asker, struct view id,
                               struct arena *arena, struct ca_request *ret)
{
    struct err *e = NULL;
    struct ledger_act_state book;
    struct hsm_act act;
    struct hsm_wanted wanted = {.asker = ""};
    TRY(ledger_act_find(ca->ledger, id, arena, &book));
    TRY(hsm_act_read(book.request.act, arena, &act));
    if (act.kind == HSM_ACT_CERTIFICATE)
        TRY(hsm_wanted_read(book.request.payload, arena, &wanted));
    if (strcmp(wanted.asker, asker->id) != 0)
        TRY(err_new(ERR_NOT_FOUND, "no request of this id is on record"));
    TRY(wanted_read(wanted.request, arena, ret));
    ret->asker = asker;
    ret->standing = true;
out:
    return e;
}
