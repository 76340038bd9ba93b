/*
 * One ready-made answer: status from the ledger, sealed by the vault with the issuer's responder key, put on
 * the shelf. A status that changes while its answer is under way makes that answer again before it can reach
 * the shelf, so a `good` never overtakes the `revoked` that follows it.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "maker.h"

struct waiter {
    struct waiter *next;
    answer_made *done;
    void *arg;
};

struct making {
    struct making *next;
    struct ocsp_maker *maker;
    struct want want;
    struct waiter *waiters;
    struct arena *arena;
    struct view tbs;
    int64_t this_update, next_update;
    bool again;   /* out of date before it is done */
    bool changed; /* shows a revocation that someone waits for */
    bool unknown; /* says `unknown`, and goes to who asked alone */
    bool sealing; /* the vault has it: `seal` */
    ticket_id seal;
    int64_t started_ms;
    enum want_outcome outcome; /* once the old answer is taken off */
    struct ocsp_signer signer; /* as it was when the seal was asked for */
};

enum { UNKNOWN_S = 600 }; /* how long an `unknown` holds at most */

static bool same(const struct want *a, const struct want *b)
{
    return a->hash == b->hash && memcmp(a->serial, b->serial, SERIAL_BYTES) == 0 &&
           strcmp(a->issuer, b->issuer) == 0;
}

static void unlink_it(struct making *k)
{
    struct making **at = &k->maker->making;
    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    k->maker->making_n--;
}

static void tell(struct making *k, const struct want_done *done)
{
    while (k->waiters) {
        struct waiter *w = k->waiters;
        k->waiters = w->next;
        w->done(w->arg, done);
        free(w);
    }
}

static void finish_with(struct making *k, const struct want_done *done)
{
    struct ocsp_maker *m = k->maker;
    unlink_it(k);
    if (k->changed)
        m->revocations--;
    if (k->changed && done->outcome == WANT_MADE)
        metric_observe_us(METRIC_REVOCATION_VISIBLE, (uint64_t)(world_mono_ms() - k->started_ms) * 1000);
    if (done->outcome == WANT_MADE)
        metric_add(METRIC_OCSP_MADE, 1);
    tell(k, done);
    sweep_note(m);
    arena_free(k->arena);
    free(k);
}

static void finish(struct making *k, enum want_outcome outcome)
{
    finish_with(k, &(struct want_done){outcome, {NULL, 0}});
}

static void taken_off(void *arg, struct err *e)
{
    struct making *k = arg;
    if (e) {
        log_error("ocsp.not-withdrawn", log_text("issuer", k->want.issuer), log_err(e));
        k->maker->behind = true;
    }
    err_free(e);
    finish(k, k->outcome);
}

/* A revocation that cannot be shown takes the old answer off the shelf, so that nothing says `good`. The next
 * question makes it. */
static void take_off(struct making *k, enum want_outcome outcome)
{
    uint8_t id[SHELF_ID_BYTES];
    k->outcome = outcome;
    struct err *e = shelf_del_answer(k->maker->shelf, k->want.issuer, want_id(&k->want, id), taken_off, k);
    if (e)
        taken_off(k, e);
}

static void give_up(struct making *k, enum want_outcome outcome)
{
    if (k->changed && !k->maker->stopped)
        take_off(k, outcome);
    else
        finish(k, outcome);
}

/* Strangers ask: while the vault is away their questions must not fill the log. */
static void fail(struct making *k, struct err *e)
{
    log_event(k->changed ? LOG_WARN : LOG_DEBUG, "ocsp.unmade",
              (const struct log_field[]){log_text("issuer", k->want.issuer), log_err(e)}, 2);
    err_free(e);
    give_up(k, WANT_NOT_NOW);
}

static void start(struct making *k);

static void shelved(void *arg, struct err *e)
{
    struct making *k = arg;
    world_point("ocsp.shelved");
    if (e) {
        fail(k, e);
        return;
    }
    if (k->again && !k->maker->stopped) { /* the put that follows lands after this: the shelf keeps order */
        start(k);
        return;
    }
    finish(k, k->again ? WANT_NOT_NOW : WANT_MADE);
}

static struct err *put(struct making *k, struct view answer)
{
    uint8_t hash[SHA256_BYTES], id[SHELF_ID_BYTES];
    digest_sha256(answer, hash);
    const struct shelf_item item = {
        .bytes = answer,
        .this_update = k->this_update,
        .next_update = k->next_update,
        .etag = hex_of(k->arena, view_of(hash, 16)),
    };
    return shelf_put_answer(k->maker->shelf, k->want.issuer, want_id(&k->want, id), &item, shelved, k);
}

static void sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    struct making *k = arg;
    struct view answer, cert = view_of(k->signer.der, k->signer.der_n);
    (void)n;
    k->sealing = false;
    world_point("ocsp.sealed");
    if (k->maker->stopped && !e)
        e = err_new(ERR_CANCELLED, "the front is ending");
    if (!e && k->again) {
        start(k);
        return;
    }
    if (!e)
        e = cert_ocsp_seal(k->tbs, k->signer.alg, signature, &cert, cert.n ? 1 : 0, k->arena, &answer);
    if (!e && k->unknown) {
        finish_with(k, &(struct want_done){WANT_HERE, answer});
        return;
    }
    if (!e)
        e = put(k, answer);
    if (e && err_code(e) == ERR_TOKEN_AWAY)
        signer_lost(k->maker, k->want.issuer, k->signer.key_sha256);
    if (e)
        fail(k, e);
}

static enum cert_ocsp_cert_status said(const struct ledger_status *status)
{
    return status->answer == LEDGER_GOOD      ? CERT_OCSP_GOOD
           : status->answer == LEDGER_REVOKED ? CERT_OCSP_REVOKED
                                              : CERT_OCSP_UNKNOWN;
}

/* Nothing on record is ever dropped: what has expired is answered for since the issuer's first day. */
static struct err *write_tbs(struct making *k, const struct ocsp_state *s, const struct ledger_status *status)
{
    struct cert_ocsp_single single = {
        .id = cert_ocsp_id_for(&s->hashes, k->want.hash, view_of(k->want.serial, SERIAL_BYTES)),
        .status = said(status),
        .revoked_at = status->at,
        .reason = (enum cert_reason)status->reason,
        .this_update = k->this_update,
        .has_next_update = true,
        .next_update = k->next_update,
        .has_archive_cutoff = !k->unknown && status->not_after < k->this_update,
        .archive_cutoff = s->not_before,
    };
    const struct cert_ocsp_data data = {
        .responder_key_sha1 = view_of(k->signer.key_sha1, SHA1_BYTES),
        .produced_at = k->this_update,
        .singles = &single,
        .n = 1,
    };
    return cert_ocsp_data_write(&data, k->arena, &k->tbs);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* `unknown` is signed only where that is configured, and never of what an intent stands for. */
static bool may_answer(const struct ocsp_issuer *issuer, const struct ledger_status *status)
{
    return status->answer != LEDGER_UNKNOWN || (issuer->sign_unknown && status->intent == 0);
}

static struct err *ask_seal(struct making *k)
{
    const struct hsm_ocsp what = {
        .generation = k->maker->generation,
        .issuer = k->want.issuer,
        .key_sha256 = k->signer.key_sha256,
        .tbs = k->tbs,
    };
    struct err *e = hsm_seal_ocsp(k->maker->hsm, &what, sealed, k, &k->seal);
    k->sealing = e == NULL;
    return e;
}

static struct err *seal(struct making *k)
{
    struct err *e = NULL;
    struct ledger_status status;
    struct ocsp_state *s = maker_state(k->maker, k->want.issuer);
    const struct ocsp_issuer *issuer = maker_issuer_of(k->maker, k->want.issuer);

    TRY(ledger_status(k->maker->ledger, k->want.issuer, view_of(k->want.serial, SERIAL_BYTES), &status));
    if (!issuer || !s || !may_answer(issuer, &status))
        return err_new(ERR_NOT_FOUND, "not on record");
    if (status.answer == LEDGER_GOOD && ledger_restored_by(k->maker->ledger))
        return err_new(ERR_RESTORED, "what was revoked since the backup is not known yet");
    if (!signer_holds(&s->signer))
        return err_new(ERR_STARTING, "no responder certificate");
    k->unknown = status.answer == LEDGER_UNKNOWN;
    k->signer = s->signer;
    k->this_update = world_now_s();
    k->next_update =
        least(k->this_update + (k->unknown ? UNKNOWN_S : issuer->lifetime_s), k->signer.not_after);
    TRY(write_tbs(k, s, &status));
    TRY(ask_seal(k));
out:
    return e;
}

static void start(struct making *k)
{
    arena_reset(k->arena);
    k->again = false;
    struct err *e = seal(k);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        give_up(k, WANT_UNKNOWN);
        return;
    }
    if (e)
        fail(k, e);
}

static struct making *find(const struct ocsp_maker *m, const struct want *want)
{
    struct making *k = m->making;
    while (k && !same(&k->want, want))
        k = k->next;
    return k;
}

bool answer_under_way(const struct ocsp_maker *m, const struct want *want)
{
    return find(m, want) != NULL;
}

static void join(struct making *k, answer_made *done, void *arg)
{
    if (!done)
        return;
    struct waiter *w = calloc(1, sizeof *w);
    CHECK(w);
    *w = (struct waiter){.next = k->waiters, .done = done, .arg = arg};
    k->waiters = w;
}

/* What the vault has in hand is out of date: asked for anew at once, ahead of what nobody waits for. */
static void change(struct making *k)
{
    if (!k->changed)
        k->maker->revocations++;
    k->changed = true;
    k->started_ms = world_mono_ms();
    k->again = true;
    if (!k->sealing)
        return;
    hsm_cancel(k->maker->hsm, k->seal);
    k->sealing = false;
    start(k);
}

static struct making *making_new(struct ocsp_maker *m, const struct want *want)
{
    struct making *k = calloc(1, sizeof *k);
    CHECK(k);
    *k = (struct making){.next = m->making, .maker = m, .want = *want, .arena = arena_new(256 * 1024)};
    m->making = k;
    m->making_n++;
    return k;
}

static void not_now(answer_made *done, void *arg)
{
    if (done)
        done(arg, &(struct want_done){.outcome = WANT_NOT_NOW});
}

void answer_make(struct ocsp_maker *m, const struct want *want, enum answer_why why, answer_made *done,
                 void *arg)
{
    struct making *k = find(m, want);
    bool changed = why == ANSWER_CHANGED;
    if (m->stopped || (!k && m->making_n >= OCSP_MAKING_MAX && !changed)) {
        not_now(done, arg);
        return;
    }
    bool fresh = !k;
    if (fresh)
        k = making_new(m, want);
    join(k, done, arg);
    if (changed)
        change(k);
    if (fresh)
        start(k);
}

void answer_drop_all(struct ocsp_maker *m)
{
    while (m->making) {
        struct making *k = m->making;
        m->making = k->next;
        tell(k, &(struct want_done){.outcome = WANT_NOT_NOW});
        arena_free(k->arena);
        free(k);
    }
}
