/*
 * One list on its way: built by the builder's thread, sealed by the vault, finished by the builder, recorded
 * in the ledger, put on the shelf, in this order: what is on the shelf is on record. On the loop's thread but
 * where it says so.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/world.h"
#include "maker.h"

static void shelved(void *arg, struct err *e)
{
    world_point("crl.published");
    maker_done(arg, e);
}

static struct err *put(struct crl_job *job)
{
    const struct shelf_item item = {
        .bytes = job->der,
        .this_update = job->crl.this_update,
        .next_update = job->crl.next_update,
        .etag = hex_of(job->arena, view_of(job->sha256, SHA256_BYTES / 2)),
    };
    char name[CRL_NAME_BYTES];
    struct shelf *shelf = job->state->maker->shelf;
    lists_name(job->state, job->list->scope, name);
    if (*job->built.file.name)
        return shelf_put_file(shelf, name, &item, &job->built.file, shelved, job);
    return shelf_put_blob(shelf, name, &item, shelved, job);
}

static void recorded(void *arg, struct err *e, const struct ledger_result *r)
{
    struct crl_job *job = arg;
    (void)r;
    if (!e)
        e = put(job);
    if (e)
        maker_done(job, e);
}

static unsigned kind_of(uint64_t scope)
{
    if (scope == LEDGER_WHOLE)
        return LEDGER_CRL;
    return scope == LEDGER_DELTA ? LEDGER_CRL_DELTA : LEDGER_CRL_PART;
}

static struct err *record(struct crl_job *job)
{
    uint64_t scope = job->list->scope;
    const struct ledger_entry entry = {
        .kind = kind_of(scope),
        .actor = "self",
        .issuer = job->state->name,
        .body.crl = {.number = job->crl.number,
                     .this_update = job->crl.this_update,
                     .next_update = job->crl.next_update,
                     .upto = job->built.upto,
                     .entries = job->built.entries,
                     .n = job->n,
                     .sha256 = view_of(job->sha256, SHA256_BYTES),
                     .partition = scope < LEDGER_DELTA ? scope : 0,
                     .base = job->crl.base},
    };
    return ledger_append(job->state->maker->ledger, &entry, recorded, job, NULL);
}

/* On the builder's thread. */
static void finish(void *arg)
{
    struct crl_job *job = arg;
    job->failed = list_finish(&job->built, job->crl.alg, job->signature, job->arena, &job->der, job->sha256);
}

static void finished(void *arg)
{
    struct crl_job *job = arg;
    struct err *e = job->failed;
    job->failed = NULL;
    if (!e)
        e = record(job);
    if (e)
        maker_done(job, e);
}

static void sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    struct crl_job *job = arg;
    struct crl_maker *m = job->state->maker;
    job->n = n;
    if (!e) {
        world_point("crl.sealed");
        job->signature = arena_dup(job->arena, signature);
        job->state->signature_bytes = signature.n;
        e = worker_submit(m->builder, finish, m->loop, finished, job);
    }
    if (e)
        maker_done(job, e);
}

/* On the builder's thread. */
static void build(void *arg)
{
    struct crl_job *job = arg;
    const struct crl_maker *m = job->state->maker;
    const struct list_want want = {
        m->ledger, m->shelf, job->state->name, job->list->scope, job->signature_bytes, m->small_bytes};
    job->failed = list_build(&want, &job->crl, &job->built);
}

static void built(void *arg)
{
    struct crl_job *job = arg;
    struct err *e = job->failed;
    job->failed = NULL;
    world_point("crl.built");
    if (!e)
        e = hsm_seal_crl(job->state->maker->hsm, job->generation, job->state->name, job->built.file.fd,
                         job->built.at, sealed, job, NULL);
    if (!e)
        job->state->asked = job->crl.number;
    if (e)
        maker_done(job, e);
}

/* What tells the lists of an issuer apart (RFC 5280 5.2.4 to 5.2.6). */
static void describe(struct crl_job *job, const struct crl_issuer *issuer)
{
    uint64_t scope = job->list->scope;
    struct arena *a = job->arena;
    if (scope == LEDGER_WHOLE && issuer->delta_s)
        job->crl.freshest = view_str(arena_printf(a, "%s-delta.crl", issuer->url));
    if (scope >= LEDGER_DELTA)
        return;
    job->crl.has_idp = true;
    job->crl.idp.uri = view_str(scope ? arena_printf(a, "%s/%llu.crl", issuer->url, (unsigned long long)scope)
                                      : arena_printf(a, "%s.crl", issuer->url));
}

void job_start(struct crl_state *s, struct crl_list *list, const struct crl_issuer *issuer, uint64_t number)
{
    struct arena *arena = arena_new(CRL_ARENA_BYTES);
    struct crl_job *job = ARENA_NEW(arena, struct crl_job);
    int64_t now = world_now_s();
    *job = (struct crl_job){
        .state = s,
        .list = list,
        .arena = arena,
        .generation = s->maker->generation,
        .begun_ms = world_mono_ms(),
        .wanted_ms = list->wanted_ms,
        .signature_bytes = s->signature_bytes ? s->signature_bytes : 72,
        .built = {.file = {.fd = -1}},
        .crl = {.alg = issuer->alg,
                .issuer = arena_dup(arena, issuer->subject),
                .aki = arena_dup(arena, issuer->key_id),
                .number = number,
                .this_update = now,
                .next_update = issuer->not_after && now > issuer->not_after
                                   ? CRL_FOR_EVER
                                   : now + lists_lifetime_s(list, issuer)},
    };
    describe(job, issuer);
    list->wanted = false;
    list->wanted_ms = 0;
    s->job = job;
    struct err *e = worker_submit(s->maker->builder, build, s->maker->loop, built, job);
    if (e)
        maker_done(job, e);
}
