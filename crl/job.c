/*
 * One list on its way: built by the builder's thread, sealed by the vault, recorded in the ledger, put on the
 * shelf, in this order: what is on the shelf is on record. On the loop's thread but where it says so.
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
    uint8_t hash[SHA256_BYTES];
    digest_sha256(job->der, hash);
    const struct shelf_item item = {
        .bytes = job->der,
        .this_update = job->crl.this_update,
        .next_update = job->crl.next_update,
        .etag = hex_of(job->arena, view_of(hash, 16)),
    };
    return shelf_put_blob(job->state->maker->shelf, arena_printf(job->arena, "crl/%s", job->state->name),
                          &item, shelved, job);
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

static struct err *record(struct crl_job *job)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(job->der, hash);
    const struct ledger_entry entry = {
        .kind = LEDGER_CRL,
        .actor = "self",
        .issuer = job->state->name,
        .body.crl = {.number = job->crl.number,
                     .this_update = job->crl.this_update,
                     .next_update = job->crl.next_update,
                     .upto = job->built.upto,
                     .entries = job->built.entries,
                     .n = job->n,
                     .sha256 = view_of(hash, sizeof hash)},
    };
    return ledger_append(job->state->maker->ledger, &entry, recorded, job, NULL);
}

static void sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    struct crl_job *job = arg;
    job->n = n;
    if (!e) {
        world_point("crl.sealed");
        e = list_join(job->built.fd, job->built.bytes, job->crl.alg, signature, job->arena, &job->der);
    }
    if (!e)
        e = record(job);
    if (e)
        maker_done(job, e);
}

/* On the builder's thread. */
static void build(void *arg)
{
    struct crl_job *job = arg;
    job->failed = list_build(job->state->maker->ledger, job->state->name, &job->crl, &job->built);
}

static void built(void *arg)
{
    struct crl_job *job = arg;
    struct err *e = job->failed;
    job->failed = NULL;
    world_point("crl.built");
    if (!e)
        e = hsm_seal_crl(job->state->maker->hsm, job->generation, job->state->name, job->built.fd, sealed,
                         job, NULL);
    if (!e)
        job->state->asked = job->crl.number;
    if (e)
        maker_done(job, e);
}

void job_start(struct crl_state *s, const struct crl_issuer *issuer, uint64_t number)
{
    struct arena *arena = arena_new(CRL_ARENA_BYTES);
    struct crl_job *job = ARENA_NEW(arena, struct crl_job);
    int64_t now = world_now_s();
    *job = (struct crl_job){
        .state = s,
        .arena = arena,
        .generation = s->maker->generation,
        .begun_ms = world_mono_ms(),
        .wanted_ms = s->wanted_ms,
        .built = {.fd = -1},
        .crl = {.alg = issuer->alg,
                .issuer = arena_dup(arena, issuer->subject),
                .aki = arena_dup(arena, issuer->key_id),
                .number = number,
                .this_update = now,
                .next_update =
                    issuer->not_after && now > issuer->not_after ? CRL_FOR_EVER : now + issuer->lifetime_s},
    };
    s->wanted = false;
    s->wanted_ms = 0;
    s->job = job;
    struct err *e = worker_submit(s->maker->builder, build, s->maker->loop, built, job);
    if (e)
        maker_done(job, e);
}
