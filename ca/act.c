/*
 * Acts on their way through the ledger: asked for, approved, denied, handed to the vault, noted as done. Each
 * signature is checked before it is written down; that it counts is the vault's to judge. On the loop's
 * thread.
 */
#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "ca_act.h"
#include "house.h"
#include "hsm_freeze.h"
#include "hsm_house.h"
#include "hsm_proof.h"

#include <stdio.h>
#include <stdlib.h>

const char *ca_act_state_text(enum ca_act_state state)
{
    static const char *const texts[] = {"pending", "approved", "denied", "expired", "done"};
    CHECK(state <= CA_ACT_DONE);
    return texts[state];
}

/* --- what stands --- */

static bool has_step(const struct ledger_act_state *book, unsigned kind)
{
    for (size_t i = 0; i < book->steps_n; i++)
        if (book->steps[i].kind == kind)
            return true;
    return false;
}

struct err *ca_act_gather(const struct hsm_roster *roster, const struct ledger_act_state *book,
                          struct hsm_act_approved *ret)
{
    struct err *e = NULL;
    struct view in = book->request.signature;
    *ret = (struct hsm_act_approved){.act = book->request.act};
    TRY(hsm_act_signature_read(&in, &ret->request));
    for (size_t i = 0; i < book->steps_n && ret->n < HSM_ACT_SIGNATURES_MAX; i++) {
        const struct hsm_roster_entry *who;
        if (book->steps[i].kind == LEDGER_ACT_DONE)
            break; /* what came later had no part in it */
        if (book->steps[i].kind != LEDGER_ACT_APPROVE)
            continue;
        in = book->steps[i].signature;
        TRY(hsm_act_signature_read(&in, &ret->approvals[ret->n]));
        struct err *why = hsm_act_check(roster, ret->act, HSM_ACT_APPROVE, &ret->approvals[ret->n], &who);
        ret->n += why == NULL;
        err_free(why);
    }
out:
    return e;
}

/* A certificate's request says itself how many its template asks for. */
static struct err *read_needed(const struct ledger_act_state *book, struct arena *arena, unsigned *ret)
{
    struct hsm_wanted wanted;
    struct err *e = hsm_wanted_read(book->request.payload, arena, &wanted);
    if (!e)
        *ret = wanted.needed;
    return e;
}

static struct err *read(const struct hsm_roster *roster, const struct ledger_act_state *book,
                        struct arena *arena, struct ca_act *ret, struct hsm_act_approved *approved,
                        struct err **ret_why)
{
    struct err *e = NULL;
    struct hsm_act_judged judged = {.asker = NULL};
    struct hsm_act act;
    int64_t now = world_now_s();
    TRY(ca_act_gather(roster, book, approved));
    TRY(hsm_act_read(book->request.act, arena, &act));
    *ret = (struct ca_act){.act = act, .book = *book, .needed = hsm_roster_needed(roster, act.kind)};
    if (act.kind == HSM_ACT_CERTIFICATE)
        TRY(read_needed(book, arena, &ret->needed));
    *ret_why = hsm_act_judge(roster, approved, act.vault, now, arena, &act, &judged);
    ret->have = judged.have;
    ret->state = *ret_why || ret->have < ret->needed ? CA_ACT_PENDING : CA_ACT_APPROVED;
    if (act.expires <= now)
        ret->state = CA_ACT_EXPIRED;
    if (has_step(book, LEDGER_ACT_DENY))
        ret->state = CA_ACT_DENIED;
    if (has_step(book, LEDGER_ACT_DONE))
        ret->state = CA_ACT_DONE;
out:
    return e;
}

struct err *ca_act_read(struct ca *ca, const struct hsm_roster *roster, const struct ledger_act_state *book,
                        struct arena *arena, struct ca_act *ret)
{
    struct hsm_act_approved *approved = ARENA_NEW(arena, struct hsm_act_approved);
    struct err *why = NULL, *e = read(roster, book, arena, ret, approved, &why);
    (void)ca;
    err_free(why);
    return e;
}

struct err *ca_act_find(struct ca *ca, const struct hsm_roster *roster, struct view id, struct arena *arena,
                        struct ca_act *ret)
{
    struct ledger_act_state book;
    struct err *e = ledger_act_find(ca->ledger, id, arena, &book);
    return e ? e : ca_act_read(ca, roster, &book, arena, ret);
}

/* --- entries --- */

struct writing {
    struct ca *ca;
    ca_act_written *done;
    void *arg;
    struct arena *arena;
    struct ledger_entry entry;
    uint64_t restored; /* the restoration whose loss this act accepts; 0: it is another act */
};

static struct writing *writing_new(struct ca *ca, const struct ca_asker *asker, unsigned kind, uint64_t ref,
                                   ca_act_written *done, void *arg)
{
    struct arena *arena = arena_new(1u << 20);
    struct writing *w = ARENA_NEW(arena, struct writing);
    *w = (struct writing){.ca = ca, .done = done, .arg = arg, .arena = arena};
    w->entry = (struct ledger_entry){.kind = kind,
                                     .ref = ref,
                                     .actor = arena_str(arena, view_str(asker->id)),
                                     .door = arena_str(arena, view_str(asker->door)),
                                     .peer = arena_str(arena, view_str(asker->peer)),
                                     .request = arena_str(arena, view_str(asker->request_id))};
    return w;
}

static void writing_end(struct writing *w, struct err *e, uint64_t seq)
{
    if (w->done)
        w->done(w->arg, e, seq);
    else
        err_free(e);
    arena_free(w->arena);
}

static void written(void *arg, struct err *e, const struct ledger_result *r)
{
    struct writing *w = arg;
    if (e)
        log_error("act.unwritten", log_text("kind", ledger_kind_text(w->entry.kind)), log_err(e));
    else
        log_info("act.written", log_text("kind", ledger_kind_text(w->entry.kind)),
                 log_num("entry", (long long)r->seq), log_text("actor", w->entry.actor));
    writing_end(w, e, e ? 0 : r->seq);
}

static struct err *append(struct writing *w)
{
    struct err *e = ledger_append(w->ca->ledger, &w->entry, written, w, NULL);
    if (e)
        arena_free(w->arena);
    return e;
}

/* --- asking, approving, denying --- */

static struct err *check_request(struct ca *ca, const struct hsm_act *act, struct view payload)
{
    uint8_t hash[SHA256_BYTES];
    bool any = false;
    for (struct hsm *v = ca->hsm; v; v = hsm_next(v))
        any = any || hsm_status(v)->roll_id.n > 0;
    if (!any)
        return err_new(ERR_TOKEN_AWAY, "the vault is not there");
    if (!hsm_of_roll(ca->hsm, act->vault))
        return err_new(ERR_FORBIDDEN, "the request was made for another vault");
    if (act->expires <= world_now_s() || act->expires > world_now_s() + HSM_ACT_LIFE_S)
        return err_new(ERR_FORBIDDEN, "a request expires within %d days from now", HSM_ACT_LIFE_S / 86400);
    if (payload.n > LEDGER_ACT_PAYLOAD_BYTES)
        return err_new(ERR_TOO_LARGE, "a payload of more than %d octets", LEDGER_ACT_PAYLOAD_BYTES);
    digest_sha256(payload, hash);
    if (payload.n > 0 && !view_eq(act->object_sha256, view_of(hash, sizeof hash)))
        return err_at(err_new(ERR_BAD_FIELD, "the payload is not what the act's objectHash is over"),
                      "/payload");
    return NULL;
}

struct err *ca_act_request(struct ca *ca, const struct ca_asker *asker, const struct hsm_roster *roster,
                           struct view der, const struct hsm_act_signature *signature, struct view payload,
                           ca_act_written *done, void *arg)
{
    struct err *e = NULL;
    struct hsm_act act;
    const struct hsm_roster_entry *who;
    struct writing *w = writing_new(ca, asker, LEDGER_ACT_REQUEST, 0, done, arg);
    struct ledger_act *body = &w->entry.body.act;
    TRY(hsm_act_read(der, w->arena, &act));
    TRY(hsm_act_check(roster, der, HSM_ACT_REQUEST, signature, &who));
    TRY(check_request(ca, &act, payload));
    TRY(hsm_act_signature_write(signature, w->arena, &body->signature));
    w->entry.actor = arena_printf(w->arena, "roster:%s", who->name);
    body->id = act.id;
    body->act = der;
    body->payload = payload;
    return append(w);
out:
    arena_free(w->arena);
    return e;
}

struct err *act_file(struct ca *ca, const struct ca_asker *asker, struct view id, struct view act,
                     struct view payload, ca_act_written *done, void *arg)
{
    static const struct hsm_act_signature nobody = {.spki = {NULL, 0}};
    struct writing *w = writing_new(ca, asker, LEDGER_ACT_REQUEST, 0, done, arg);
    struct ledger_act *body = &w->entry.body.act;
    struct err *e = hsm_act_signature_write(&nobody, w->arena, &body->signature);
    if (e) {
        arena_free(w->arena);
        return e;
    }
    body->id = id;
    body->act = act;
    body->payload = payload;
    return append(w);
}

struct err *ca_act_sign(struct ca *ca, const struct ca_asker *asker, const struct hsm_roster *roster,
                        struct view id, enum hsm_act_verb verb, const struct hsm_act_signature *signature,
                        ca_act_written *done, void *arg)
{
    struct err *e = NULL;
    struct ca_act act;
    const struct hsm_roster_entry *who;
    unsigned kind = verb == HSM_ACT_APPROVE ? LEDGER_ACT_APPROVE : LEDGER_ACT_DENY;
    struct writing *w = writing_new(ca, asker, kind, 0, done, arg);
    TRY(ca_act_find(ca, roster, id, w->arena, &act));
    if (act.state != CA_ACT_PENDING && act.state != CA_ACT_APPROVED)
        TRY(err_new(ERR_WRONG_STATE, "the request is %s", ca_act_state_text(act.state)));
    TRY(hsm_act_check(roster, act.book.request.act, verb, signature, &who));
    if (act.book.steps_n == LEDGER_ACT_STEPS_MAX)
        TRY(err_new(ERR_TOO_MANY, "%d have signed this request", LEDGER_ACT_STEPS_MAX));
    TRY(hsm_act_signature_write(signature, w->arena, &w->entry.body.act_sign.signature));
    w->entry.ref = act.book.seq;
    w->entry.actor = arena_printf(w->arena, "roster:%s", who->name);
    return append(w);
out:
    arena_free(w->arena);
    return e;
}

/* --- doing --- */

struct err *ca_act_approved(struct ca *ca, const struct hsm_roster *roster, struct view id,
                            enum hsm_act_kind kind, struct arena *arena, struct ca_act *ret,
                            struct view *ret_approved)
{
    struct err *e = NULL, *why = NULL;
    struct ledger_act_state book;
    struct hsm_act_approved *approved = ARENA_NEW(arena, struct hsm_act_approved);
    TRY(ledger_act_find(ca->ledger, id, arena, &book));
    TRY(read(roster, &book, arena, ret, approved, &why));
    if (kind != HSM_ACT_NONE && ret->act.kind != kind)
        TRY(err_new(ERR_WRONG_STATE, "the request is for %s", hsm_act_row(ret->act.kind)->text));
    if (ret->state != CA_ACT_APPROVED)
        TRY(err_new(ERR_WRONG_STATE, "the request is %s%s%s", ca_act_state_text(ret->state), why ? ": " : "",
                    why ? err_detail(why) : ""));
    TRY(hsm_act_approved_write(approved, arena, ret_approved));
out:
    err_free(why);
    return e;
}

static struct writing *done_entry(struct ca *ca, const struct ca_asker *asker, const struct ca_act *act,
                                  const char *what, ca_act_written *done, void *arg)
{
    struct writing *w = writing_new(ca, asker, LEDGER_ACT_DONE, act->book.seq, done, arg);
    uint8_t *hash = arena_alloc(w->arena, SHA256_BYTES);
    digest_sha256(act->book.request.act, hash);
    w->entry.body.note.what = arena_str(w->arena, view_str(what));
    w->entry.body.note.hash = view_of(hash, SHA256_BYTES);
    return w;
}

struct err *ca_act_note_done(struct ca *ca, const struct ca_asker *asker, const struct ca_act *act,
                             uint64_t n, const char *what, ca_act_written *done, void *arg)
{
    struct writing *w = done_entry(ca, asker, act, what, done, arg);
    w->entry.body.note.number = n;
    return append(w);
}

/* Before the act is noted as done: the ledger keeps the order. */
static void accept_loss(const struct writing *w, uint64_t n)
{
    struct ledger_entry entry = w->entry;
    entry.kind = LEDGER_ACCEPT_LOSS;
    entry.ref = w->restored;
    entry.body.note.number = n;
    log_warn("ledger.loss-accepted", log_num("restored", (long long)w->restored),
             log_text("actor", entry.actor));
    ca_note(w->ca, &entry);
}

/* The vault has answered: written down, or the error handed on. */
static void acted(void *arg, struct err *e, uint64_t n, struct view result)
{
    struct writing *w = arg;
    (void)result;
    w->entry.body.note.number = n;
    if (!e && w->restored)
        accept_loss(w, n);
    if (!e)
        e = ledger_append(w->ca->ledger, &w->entry, written, w, NULL);
    if (e)
        writing_end(w, e, 0);
}

/* An approval is for one restoration: "ledger:" and the number of its entry. */
static struct err *restored_of(struct ca *ca, const struct hsm_act *act, uint64_t *ret)
{
    char object[32];
    uint64_t restored = ledger_restored_by(ca->ledger);
    *ret = 0;
    if (act->kind != HSM_ACT_ACCEPT_LOSS)
        return NULL;
    if (!restored)
        return err_new(ERR_WRONG_STATE, "the ledger does not wait for a loss to be accepted");
    snprintf(object, sizeof object, "ledger:%llu", (unsigned long long)restored);
    if (strcmp(act->object, object) != 0)
        return err_new(ERR_WRONG_STATE, "what waits is the loss of %s, not of '%s'", object, act->object);
    *ret = restored;
    return NULL;
}

struct err *ca_act_execute(struct ca *ca, const struct ca_asker *asker, const struct hsm_roster *roster,
                           struct view id, ca_act_written *done, void *arg)
{
    struct err *e = NULL;
    struct ca_act act;
    struct view approved;
    struct arena *arena = arena_new(4u << 20);
    struct writing *w = NULL;
    uint64_t restored;
    TRY(ca_act_approved(ca, roster, id, HSM_ACT_NONE, arena, &act, &approved));
    TRY(restored_of(ca, &act.act, &restored));
    w = done_entry(ca, asker, &act,
                   arena_printf(arena, "%s %s", hsm_act_row(act.act.kind)->text, act.act.object), done, arg);
    w->restored = restored;
    struct hsm *vault = hsm_of_roll(ca->hsm, act.act.vault);
    if (!vault)
        TRY(err_new(ERR_TOKEN_AWAY, "the vault that the request is for is not there"));
    TRY(hsm_act(vault, approved, act.book.request.payload, acted, w, NULL));
    w = NULL;
out:
    if (w)
        arena_free(w->arena);
    arena_free(arena);
    return e;
}

/* --- freezing --- */

/* One freeze, in every vault that it is about. */
struct freezing {
    struct writing *w;
    size_t waiting;
    bool begun; /* all have been asked */
    uint64_t n;
    struct err *e;
};

static void freeze_end(struct freezing *f)
{
    struct writing *w = f->w;
    if (!f->begun || f->waiting)
        return;
    if (f->e)
        writing_end(w, f->e, 0);
    else
        acted(w, NULL, f->n, view_of(NULL, 0));
}

static void froze(void *arg, struct err *e, uint64_t n, struct view result)
{
    struct freezing *f = arg;
    (void)result;
    f->waiting--;
    if (!e)
        f->n = n;
    if (e && !f->e)
        f->e = e;
    else
        err_free(e);
    freeze_end(f);
}

/* An issuer is frozen in the vault of its key, all else in every vault: where one is not there the others are
 * frozen all the same, and the answer names it. */
struct err *ca_freeze(struct ca *ca, const struct ca_asker *asker, const struct hsm_freeze *what,
                      const char *reason, ca_act_written *done, void *arg)
{
    struct writing *w = writing_new(ca, asker, LEDGER_FREEZE, 0, done, arg);
    struct freezing *f = ARENA_NEW(w->arena, struct freezing);
    bool all = what->what == HSM_FREEZE_ALL, one = what->what == HSM_FREEZE_ISSUER;
    w->entry.body.note.what = arena_printf(w->arena, "%s%s%s: %s", hsm_freeze_what_text(what->what),
                                           all ? "" : ":", what->name, reason);
    *f = (struct freezing){.w = w};
    for (struct hsm *v = ca->hsm; v; v = hsm_next(v)) {
        if (one && v != hsm_for(ca->hsm, what->name))
            continue;
        struct err *e = hsm_freeze(v, what, asker->id, reason, froze, f, NULL);
        f->waiting += e == NULL;
        e = err_wrap(e, "%s", hsm_name(v));
        if (e && !f->e)
            f->e = e;
        else
            err_free(e);
    }
    f->begun = true;
    if (f->waiting)
        return NULL;
    struct err *e = f->e;
    arena_free(w->arena);
    return e;
}
