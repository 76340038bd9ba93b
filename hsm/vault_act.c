/*
 * What the roster must approve: an act with its approvals is judged here before anything is done for it, its
 * id is used up, and both stand in the roll. ACT dispatches the kinds that come alone; a question that
 * carries its act with it (a CA certificate) asks vault_act_judge() itself. Trusts no peer's word about
 * approvals. The vault's loop.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "floor.h"
#include "vault_act.h"
#include "vault_grant.h"

/* --- ids used up: kept until they would have expired anyhow --- */

struct used {
    uint8_t id[HSM_ACT_ID_BYTES];
    int64_t expires;
};

struct act_book {
    struct used *used;
    size_t n, cap;
};

struct act_book *act_book_new(void)
{
    struct act_book *b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    return b;
}

void act_book_free(struct act_book *b)
{
    if (!b)
        return;
    free(b->used);
    free(b);
}

static bool is_used(const struct act_book *b, struct view id)
{
    for (size_t i = 0; i < b->n; i++)
        if (view_eq(id, view_of(b->used[i].id, HSM_ACT_ID_BYTES)))
            return true;
    return false;
}

static void forget_expired(struct act_book *b, int64_t now_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->used[i].expires > now_s)
            b->used[kept++] = b->used[i];
    b->n = kept;
}

static void use(struct act_book *b, struct view id, int64_t expires, int64_t now_s)
{
    CHECK(id.n == HSM_ACT_ID_BYTES);
    if (b->n == b->cap) {
        forget_expired(b, now_s);
        b->cap = b->n * 2 + 16;
        b->used = reallocarray(b->used, b->cap, sizeof *b->used);
        CHECK(b->used != NULL);
    }
    memcpy(b->used[b->n].id, id.p, HSM_ACT_ID_BYTES);
    b->used[b->n++].expires = expires;
}

static void unuse(struct act_book *b, struct view id)
{
    for (size_t i = 0; i < b->n; i++)
        if (view_eq(id, view_of(b->used[i].id, HSM_ACT_ID_BYTES)))
            b->used[i].expires = 0;
    forget_expired(b, 0);
}

void act_book_note(struct act_book *b, const struct hsm_roll_entry *entry, int64_t now_s)
{
    if (entry->serial.n == HSM_ACT_ID_BYTES && (int64_t)entry->extra > now_s)
        use(b, entry->serial, (int64_t)entry->extra, now_s);
}

/* --- judging --- */

static bool same_hash(struct view claimed, struct view approved)
{
    return claimed.p == NULL || view_eq(claimed, approved);
}

static struct err *check_claim(const struct vault_claim *claim, const struct hsm_act *act)
{
    if (claim->kind == act->kind && (!claim->object || strcmp(claim->object, act->object) == 0) &&
        same_hash(claim->object_sha256, act->object_sha256) &&
        same_hash(claim->template_sha256, act->template_sha256))
        return NULL;
    return floor_breach(FLOOR_ACT_CLAIM, "what was approved is another act: %s of %s",
                        hsm_act_row(act->kind)->text, act->object);
}

struct err *vault_act_judge(struct hsm_vault *v, struct view approved, const struct vault_claim *claim,
                            struct arena *arena, struct vault_act *ret)
{
    struct err *e = NULL;
    struct hsm_act_approved *a = ARENA_NEW(arena, struct hsm_act_approved);
    struct hsm_act_judged judged;
    struct hsm_act act;
    if (!v->roster)
        return err_new(ERR_FORBIDDEN, "there is no roster, so nobody can approve");
    TRY(hsm_act_approved_read(approved, a));
    TRY(hsm_act_judge(v->roster, a, view_of(roll_file_id(v->roll), ROLL_ID_BYTES), world_now_s(), arena, &act,
                      &judged));
    TRY(check_claim(claim, &act));
    if (is_used(v->acts, act.id))
        TRY(floor_breach(FLOOR_ACT_REPLAYED, "this request was carried out before; ask anew"));
    *ret = (struct vault_act){.act = act, .der = a->act, .have = judged.have};
out:
    return e;
}

/* --- doing --- */

struct doing {
    struct hsm_vault *v;
    struct arena *arena;
    struct view id, result;
    const char *object;
    void (*after)(struct hsm_vault *v, const char *object);
    bool durable;
};

static struct err *doing_finish(void *arg, const struct vault_sealed *sealed, struct arena *arena,
                                struct view *ret)
{
    struct doing *d = arg;
    d->durable = true;
    if (d->after)
        d->after(d->v, d->object);
    return frames_write_sealed(sealed->n, d->result, arena, ret);
}

/* An act whose entry never became durable was not done. */
static void doing_forget(void *arg)
{
    struct doing *d = arg;
    if (!d->durable)
        unuse(d->v->acts, d->id);
    arena_free(d->arena);
}

static uint64_t note(struct hsm_vault *v, struct vault_peer *peer, uint64_t id, const struct vault_act *act,
                     struct doing with)
{
    uint8_t hash[SHA256_BYTES];
    struct arena *arena = arena_new(1 << 20);
    struct doing *d = ARENA_NEW(arena, struct doing);
    size_t object = strlen(act->act.object);
    *d = with;
    d->v = v;
    d->arena = arena;
    d->id = arena_dup(arena, act->act.id);
    d->result = arena_dup(arena, with.result);
    d->object = arena_str(arena, view_str(act->act.object));
    digest_sha256(act->der, hash);
    const struct vault_seal_want want = {
        .house = v->house,
        .entry = {.key = view_of(act->act.object, object > ROLL_KEY_MAX ? ROLL_KEY_MAX : object),
                  .kind = HSM_ROLL_ACT,
                  .serial = act->act.id,
                  .template = view_str(hsm_act_row(act->act.kind)->text),
                  .tbs_sha256 = view_of(hash, SHA256_BYTES),
                  .extra = (uint64_t)act->act.expires},
        .finish = doing_finish,
        .forget = doing_forget,
        .arg = d};
    use(v->acts, act->act.id, act->act.expires, world_now_s());
    log_info("act.done", log_text("kind", hsm_act_row(act->act.kind)->text),
             log_text("object", act->act.object));
    return vault_seal_note(v, peer, id, &want);
}

uint64_t vault_act_use(struct hsm_vault *v, const struct vault_act *act)
{
    return note(v, NULL, 0, act, (struct doing){.after = NULL});
}

void vault_act_use_and_answer(struct vault_call *call, const struct vault_act *act,
                              void (*after)(struct hsm_vault *v, const char *object), struct view result)
{
    (void)note(call->v, call->peer, call->id, act, (struct doing){.after = after, .result = result});
}

/* --- ACT --- */

/* Whose loss it is stands in the act, which the roll keeps; the ledger is the front's. */
static struct err *accept_loss(struct vault_call *call, const struct vault_act *act, struct view payload)
{
    (void)payload;
    head_book_let_go(&call->v->heads);
    vault_act_use_and_answer(call, act, NULL, view_of("", 0));
    return NULL;
}

static vault_act_handler *const doers[HSM_ACT_KIND_MAX + 1] = {
    [HSM_ACT_THAW] = vault_freeze_thaw,      [HSM_ACT_CA_CREATE] = vault_grant_act,
    [HSM_ACT_CA_SIGN_SUB] = vault_grant_act, [HSM_ACT_CROSS_SIGN] = vault_grant_act,
    [HSM_ACT_CA_RENEW] = vault_grant_act,    [HSM_ACT_CA_STATE] = vault_state_set,
    [HSM_ACT_CA_DELETE] = vault_state_set,   [HSM_ACT_ACCEPT_LOSS] = accept_loss,
};

static struct err *read_asked(struct view in, struct view *ret_approved, struct view *ret_payload)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_OCTET_STRING, ret_approved));
    TRY(der_read(&body, DER_OCTET_STRING, ret_payload));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

struct err *vault_act_do(struct vault_call *call)
{
    struct err *e = NULL;
    struct view approved, payload;
    struct hsm_act_approved *a = ARENA_NEW(call->arena, struct hsm_act_approved);
    struct hsm_act said;
    struct vault_act act;
    uint8_t hash[SHA256_BYTES];
    TRY(read_asked(call->body, &approved, &payload));
    TRY(hsm_act_approved_read(approved, a));
    TRY(hsm_act_read(a->act, call->arena, &said));
    if (!doers[said.kind])
        TRY(err_new(ERR_WRONG_STATE, "the vault does no %s by itself", hsm_act_row(said.kind)->text));
    struct vault_claim claim = {.kind = said.kind};
    digest_sha256(payload, hash);
    if (payload.n > 0)
        claim.object_sha256 = view_of(hash, SHA256_BYTES);
    TRY(vault_act_judge(call->v, approved, &claim, call->arena, &act));
    TRY(doers[said.kind](call, &act, payload));
out:
    return e;
}
