/*
 * SEAL_CRL: a list that comes as a sealed memfd, judged and hashed in place by the judge's thread (a million
 * entries take tens of milliseconds), then sent on its way to a signature. The number is held to the roll's
 * floor again on the loop, where no other list can come between. The vault's loop, but for judge_run.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/der.h"
#include "base/file.h"
#include "base/world.h"
#include "floor.h"
#include "vault_state.h"

struct list_job {
    struct hsm_vault *v;
    struct vault_peer *peer;
    struct house *house;
    struct house_issuer *issuer; /* of that house */
    uint64_t id, floor, number;
    struct view tbs; /* the mapping; empty once given away */
    int64_t now;
    uint8_t hash[SHA256_BYTES];
    struct err *e;
};

static void job_free(struct list_job *job)
{
    if (job->tbs.n > 0)
        munmap((void *)(uintptr_t)job->tbs.p, job->tbs.n);
    vault_peer_release(job->peer);
    house_unref(job->house);
    vault_release(job->v);
    free(job);
}

static void judge_run(void *arg)
{
    struct list_job *job = arg;
    job->e = judge_crl(job->issuer, job->tbs, job->floor, job->now, &job->number);
    if (!job->e)
        digest_sha256(job->tbs, job->hash);
}

static struct err *start_seal(struct list_job *job)
{
    struct err *e = NULL;
    struct hsm_vault *v = job->v;
    struct view key = view_str(job->issuer->name);
    if (v->closing)
        return err_new(ERR_CANCELLED, "the vault is closing");
    TRY(roll_file_crl_room(v->roll, key));
    if (job->number <= roll_file_crl_floor(v->roll, key))
        TRY(floor_breach(FLOOR_CRL_NUMBER, "cRLNumber is not above the last one sealed (RFC 5280 5.2.3)"));
    if (!job->issuer->token_key)
        TRY(err_new(ERR_TOKEN_AWAY, "the key of %s is not available: %s", job->issuer->name,
                    job->issuer->reason));
    struct vault_seal_want want = {.house = job->house,
                                   .entry = {.key = key,
                                             .kind = HSM_ROLL_CRL,
                                             .tbs_sha256 = view_of(job->hash, SHA256_BYTES),
                                             .extra = job->number},
                                   .token_key = job->issuer->token_key,
                                   .alg = job->issuer->facts.alg,
                                   .tbs = job->tbs,
                                   .map_bytes = job->tbs.n,
                                   .lane = SIGNER_CRL};
    TRY(vault_seal_start(v, job->peer, job->id, &want));
    job->tbs = (struct view){NULL, 0};
out:
    return e;
}

static void judge_done(void *arg)
{
    struct list_job *job = arg;
    struct err *e = job->e ? job->e : start_seal(job);
    if (e)
        vault_peer_refuse(job->peer, job->id, e);
    job_free(job);
}

static struct err *map_list(int fd, struct view *ret)
{
    struct err *e = NULL;
    struct stat st;
    TRY(floor_held(FLOOR_CRL_SEALED,
                   file_check_sealed(fd))); /* so it can neither change nor shrink under the judge */
    if (fstat(fd, &st) != 0)
        TRY(err_sys(ERR_IO, errno, "the list cannot be read"));
    if (st.st_size <= 0 || st.st_size > JUDGE_CRL_BYTES)
        TRY(err_new(ERR_TOO_LARGE, "a list of %lld octets; 1 to %d", (long long)st.st_size, JUDGE_CRL_BYTES));
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        TRY(err_sys(ERR_IO, errno, "the list cannot be mapped"));
    *ret = view_of(map, (size_t)st.st_size);
out:
    return e;
}

static struct err *read_issuer(struct view in, struct view *ret)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, ret));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

struct err *vault_crl_seal(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct house *house;
    struct house_issuer *issuer;
    struct view name, tbs;
    TRY(read_issuer(call->body, &name));
    TRY(vault_seal_room(v, SIGNER_CRL));
    TRY(vault_house(v, call->generation, &house));
    TRY(vault_issuer(house, name, &issuer));
    TRY(floor_held(FLOOR_STATE, vault_state_check(v, issuer, HSM_WORKS_CRL)));
    TRY(map_list(call->fd, &tbs));
    struct list_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL);
    *job = (struct list_job){.v = v,
                             .peer = vault_peer_hold(call->peer),
                             .house = house_ref(house),
                             .issuer = issuer,
                             .id = call->id,
                             .floor = roll_file_crl_floor(v->roll, view_str(issuer->name)),
                             .tbs = tbs,
                             .now = world_now_s()};
    vault_hold(v);
    e = worker_submit(v->judge, judge_run, v->loop, judge_done, job);
    if (e)
        job_free(job);
out:
    return e;
}
