/*
 * The one way to a signature, and into the roll. In order: the roll entry in memory; at the end of the turn
 * one write for all entries of the turn; then the signer threads sign while another thread syncs the roll;
 * answered when both are done. Nothing is signed that is not written, nothing shown that is not durable.
 * Judges nothing. The vault's loop.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "vault.h"

struct vault_seal {
    struct vault_seal *next;
    struct hsm_vault *v;
    struct vault_peer *peer;
    struct house *house;
    uint64_t id, n;
    struct vault_seal_want want; /* its tbs is our own copy */
    struct err *e;
    bool signed_, synced;
    bool elsewhere;              /* it was handed on to the other copy of the key */
    const struct token_key *key; /* that signs, or has signed */
    size_t signature_n;
    uint8_t signature[SIGNER_MAX_BYTES];
    uint8_t tbs[];
};

static void list_add(struct vault_seal ***end, struct vault_seal *s)
{
    s->next = NULL;
    **end = s;
    *end = &s->next;
}

static struct vault_seal *list_take_all(struct vault_seal **list, struct vault_seal ***end)
{
    struct vault_seal *all = *list;
    *list = NULL;
    *end = list;
    return all;
}

static void seal_free(struct vault_seal *s)
{
    struct hsm_vault *v = s->v;
    v->seals--;
    v->lanes[s->want.lane]--;
    if (s->want.forget)
        s->want.forget(s->want.arg);
    err_free(s->e);
    if (s->peer)
        vault_peer_release(s->peer);
    house_unref(s->house);
    free(s);
    vault_release(v);
}

static struct err *result(struct vault_seal *s, struct arena *arena, struct view *ret)
{
    struct vault_sealed sealed = {s->n, s->want.tbs, view_of(s->signature, s->signature_n)};
    if (s->want.finish)
        return s->want.finish(s->want.arg, &sealed, arena, ret);
    return frames_write_sealed(sealed.n, sealed.signature, arena, ret);
}

/* Both sides are done with it. */
static void answer(struct vault_seal *s)
{
    struct view body;
    struct err *e = s->e;
    s->e = NULL;
    if (!e)
        e = result(s, s->v->scratch, &body);
    if (e)
        log_warn("seal.lost", log_num("n", (long long)s->n), log_err(e));
    if (!s->peer)
        err_free(e);
    else if (e)
        vault_peer_refuse(s->peer, s->id, e);
    else
        vault_peer_answer(s->peer, s->id, body);
    arena_reset(s->v->scratch);
    seal_free(s);
}

/* Durable, or never to be: answered where it is signed too. */
static void settle(struct vault_seal *s)
{
    s->synced = true;
    if (!s->signed_)
        return;
    s->v->owed--;
    answer(s);
}

static struct err *same(const struct err *e)
{
    return err_new(err_code(e), "%s", err_detail(e));
}

static void submit(struct vault_seal *s);

/* The token that was asked is gone: the same key in another one signs the same bytes. Once. */
static bool sign_elsewhere(struct vault_seal *s, const struct err *e)
{
    enum err_code code = err_code(e);
    vault_token_trouble(s->v, s->key->token, e);
    if (s->v->closing || (code != ERR_TOKEN_AWAY && code != ERR_PIN_REFUSED))
        return false;
    const struct token_key *other = s->key == s->want.token_key ? s->want.spare : s->want.token_key;
    if (s->elsewhere || !other || !vault_key_usable(s->v, other, NULL))
        return false;
    s->elsewhere = true;
    s->key = other;
    log_warn("seal.elsewhere", log_num("n", (long long)s->n), log_text("token", token_label(other->token)));
    submit(s);
    return true;
}

static void on_signed(void *arg, struct err *e, struct view signature)
{
    struct vault_seal *s = arg;
    struct hsm_vault *v = s->v;
    v->signing--;
    if (e && sign_elsewhere(s, e)) {
        err_free(e);
        return;
    }
    s->signed_ = true;
    if (e) {
        err_free(s->e);
        s->e = e;
    } else {
        world_point("vault.signed");
        CHECK(signature.n <= sizeof s->signature);
        memcpy(s->signature, signature.p, signature.n);
        s->signature_n = signature.n;
    }
    if (s->synced) {
        answer(s);
        return;
    }
    v->owed++;
    if (!v->closing)
        vault_seal_sync(v);
}

static void submit(struct vault_seal *s)
{
    if (!s->key) { /* a note */
        s->signed_ = true;
        s->v->owed++;
        return;
    }
    struct signer_job job = {.key = s->key,
                             .alg = s->want.alg,
                             .data = s->want.tbs,
                             .hashed = s->want.hashed,
                             .lane = s->want.lane,
                             .done = on_signed,
                             .arg = s};
    struct err *e = signer_submit(s->v->signer, &job);
    if (!e) {
        s->v->signing++;
        return;
    }
    /* Not ERR_BUSY to the peer: it is in the roll already. The queue is as long as the seals that may be
     * under way. */
    s->signed_ = true;
    s->e = err_new(ERR_INTERNAL, "no signer took it: %s", err_detail(e));
    s->v->owed++;
    err_free(e);
}

/* Alone, a seal is synced while the token signs; under load the sync waits for the first signature, and does
 * for all that the signers have in their queue. */
static bool sync_is_due(const struct hsm_vault *v)
{
    return v->owed > 0 || v->waits || (v->unsynced && v->signing <= VAULT_SIGNING_FEW);
}

/* At the end of a turn: all that was added in it goes into the roll with one write, then to the signers. */
static void write_batch(void *arg)
{
    struct hsm_vault *v = arg;
    v->write_due = false;
    struct err *e = v->closing ? err_new(ERR_CANCELLED, "the vault is closing") : roll_file_write(v->roll);
    if (e)
        log_error("roll.write", log_err(e));
    for (struct vault_seal *s = list_take_all(&v->batch, &v->batch_end), *next; s; s = next) {
        next = s->next;
        if (e) {
            s->e = same(e);
            answer(s);
            continue;
        }
        world_point("vault.rolled");
        list_add(&v->unsynced_end, s);
        submit(s);
    }
    if (e)
        vault_roll_synced(v, UINT64_MAX, e); /* who waited for these entries */
    else if (sync_is_due(v))
        vault_seal_sync(v);
    err_free(e);
    vault_release(v);
}

static void sync_run(void *arg)
{
    struct hsm_vault *v = arg;
    roll_file_sync_run(v->roll);
}

static void sync_done(void *arg)
{
    struct hsm_vault *v = arg;
    uint64_t n;
    struct err *e = roll_file_sync_end(v->roll, &n);
    if (e)
        log_error("roll.sync", log_num("n", (long long)n), log_err(e));
    else
        world_point("vault.synced");
    while (v->unsynced && v->unsynced->n <= n) {
        struct vault_seal *s = v->unsynced;
        v->unsynced = s->next;
        if (!v->unsynced)
            v->unsynced_end = &v->unsynced;
        if (e && !s->e)
            s->e = same(e);
        settle(s);
    }
    vault_roll_synced(v, n, e);
    /* After a failure for all that still wait, so that none waits for ever. */
    if (!v->closing && (sync_is_due(v) || (e && v->unsynced)))
        vault_seal_sync(v);
    err_free(e);
    vault_release(v);
}

void vault_seal_sync(struct hsm_vault *v)
{
    if (!roll_file_sync_begin(v->roll))
        return;
    vault_hold(v);
    struct err *e = worker_submit(v->syncer, sync_run, v->loop, sync_done, v);
    CHECK(e == NULL); /* one sync at a time */
}

struct err *vault_seal_room(const struct hsm_vault *v, enum signer_lane lane)
{
    const struct signer_lane_row *row = signer_lane_row(lane);
    if (v->lanes[lane] >= row->bound)
        return err_new(ERR_BUSY, "%zu seals of the lane \"%s\" are under way", row->bound, row->name);
    if (v->seals >= VAULT_SEALS_MAX)
        return err_new(ERR_BUSY, "%d seals are under way", VAULT_SEALS_MAX);
    return vault_token_check(v);
}

static uint64_t seal_begin(struct hsm_vault *v, struct vault_peer *peer, uint64_t id,
                           const struct vault_seal_want *want)
{
    struct vault_seal *s = calloc(1, sizeof *s + want->tbs.n);
    CHECK(s != NULL);
    s->v = v;
    s->id = id;
    s->want = *want;
    s->key = vault_key_usable(v, want->token_key, want->spare);
    s->peer = peer ? vault_peer_hold(peer) : NULL;
    s->house = house_ref(want->house);
    if (want->tbs.n > 0) {
        memcpy(s->tbs, want->tbs.p, want->tbs.n);
        s->want.tbs = view_of(s->tbs, want->tbs.n);
    }
    vault_hold(v);
    v->seals++;
    v->lanes[want->lane]++;
    if (want->lane == SIGNER_ISSUE)
        v->issue_second = world_mono_ms() / 1000;
    world_point("vault.judged");
    struct hsm_roll_entry entry = want->entry;
    entry.generation = want->house->generation;
    s->n = roll_file_add(v->roll, &entry);
    list_add(&v->batch_end, s);
    if (!v->write_due) {
        v->write_due = true;
        vault_hold(v);
        loop_after_turn(v->loop, write_batch, v);
    }
    return s->n;
}

uint64_t vault_seal_note(struct hsm_vault *v, struct vault_peer *peer, uint64_t id,
                         const struct vault_seal_want *want)
{
    CHECK(want->token_key == NULL);
    return seal_begin(v, peer, id, want);
}

struct err *vault_seal_start(struct hsm_vault *v, struct vault_peer *peer, uint64_t id,
                             const struct vault_seal_want *want)
{
    struct err *e = vault_seal_room(v, want->lane);
    if (!e && !vault_key_usable(v, want->token_key, want->spare))
        e = err_new(ERR_TOKEN_AWAY, "the token with this key is not available");
    if (!e)
        (void)seal_begin(v, peer, id, want);
    return e;
}

/* At closing: the signers have been stopped, the syncer too; their `done` calls may still come. */
void vault_seal_drop_all(struct hsm_vault *v)
{
    for (struct vault_seal *s = list_take_all(&v->unsynced, &v->unsynced_end), *next; s; s = next) {
        next = s->next;
        if (!s->e)
            s->e = err_new(ERR_CANCELLED, "the vault is closing");
        settle(s);
    }
}
