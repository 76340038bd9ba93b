/*
 * SEAL_CRL: a list that comes as a file, judged and hashed in one pass by the judge's thread (a million
 * entries take tens of milliseconds), then sent on its way to a signature over what was read: what becomes of
 * the file meanwhile is of no consequence. The number is held to the roll's floor again on the loop, where no
 * other list can come between. The vault's loop, but for judge_run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/der.h"
#include "base/world.h"
#include "floor.h"
#include "vault_state.h"

struct list_job {
    struct hsm_vault *v;
    struct vault_peer *peer;
    struct house *house;
    struct house_issuer *issuer; /* of that house */
    uint64_t id, floor;
    struct list_file file; /* its own descriptor */
    int64_t now;
    struct list_read read;
    struct err *e;
};

static void job_free(struct list_job *job)
{
    close(job->file.fd);
    free((void *)(uintptr_t)job->read.message.p);
    vault_peer_release(job->peer);
    house_unref(job->house);
    vault_release(job->v);
    free(job);
}

static void judge_run(void *arg)
{
    struct list_job *job = arg;
    job->e = judge_crl(job->issuer, &job->file, job->floor, job->now, &job->read);
}

static struct err *start_seal(struct list_job *job)
{
    struct err *e = NULL;
    struct hsm_vault *v = job->v;
    struct view key = view_str(job->issuer->name);
    const struct list_read *read = &job->read;
    if (v->closing)
        return err_new(ERR_CANCELLED, "the vault is closing");
    TRY(roll_file_crl_room(v->roll, key));
    if (read->crl.number <= roll_file_crl_floor(v->roll, key))
        TRY(floor_breach(FLOOR_CRL_NUMBER, "cRLNumber is not above the last one sealed (RFC 5280 5.2.3)"));
    TRY(vault_key_check(v, job->issuer));
    struct vault_seal_want want = {.house = job->house,
                                   .entry = {.key = key,
                                             .kind = HSM_ROLL_CRL,
                                             .tbs_sha256 = view_of(read->sha256, SHA256_BYTES),
                                             .extra = read->crl.number},
                                   .token_key = job->issuer->token_key,
                                   .spare = job->issuer->spare,
                                   .alg = job->issuer->facts.alg,
                                   .tbs =
                                       read->digest_n ? view_of(read->digest, read->digest_n) : read->message,
                                   .hashed = read->digest_n > 0,
                                   .lane = SIGNER_CRL};
    TRY(vault_seal_start(v, job->peer, job->id, &want));
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

/* An ordinary file or memory: what could hang a read is none. The caller closes ret->fd. */
static struct err *take_file(int fd, uint64_t at, struct list_file *ret)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_sys(ERR_IO, errno, "the list cannot be read");
    if (!S_ISREG(st.st_mode) || st.st_size < 0 || at > (uint64_t)st.st_size)
        return err_new(ERR_PROTOCOL, "a list comes as a file and begins within it");
    *ret =
        (struct list_file){.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3), .at = at, .bytes = (uint64_t)st.st_size - at};
    return ret->fd < 0 ? err_sys(ERR_IO, errno, "no descriptor for a list") : NULL;
}

static struct err *read_list(struct view in, struct view *ret_issuer, uint64_t *ret_at)
{
    struct err *e = NULL;
    struct view body;
    *ret_at = 0;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, ret_issuer));
    if (body.n > 0)
        TRY(der_read_uint(&body, INT64_MAX, ret_at));
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
    struct view name;
    struct list_file file;
    uint64_t at;
    TRY(read_list(call->body, &name, &at));
    TRY(vault_seal_room(v, SIGNER_CRL));
    TRY(vault_house(v, call->generation, &house));
    TRY(vault_issuer(house, name, &issuer));
    TRY(floor_held(FLOOR_STATE, vault_state_check(v, issuer, HSM_WORKS_CRL)));
    TRY(take_file(call->fd, at, &file));
    struct list_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL);
    *job = (struct list_job){.v = v,
                             .peer = vault_peer_hold(call->peer),
                             .house = house_ref(house),
                             .issuer = issuer,
                             .id = call->id,
                             .floor = roll_file_crl_floor(v->roll, view_str(issuer->name)),
                             .file = file,
                             .now = world_now_s()};
    vault_hold(v);
    e = worker_submit(v->judge, judge_run, v->loop, judge_done, job);
    if (e)
        job_free(job);
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

struct err *vault_crl_floor(struct vault_call *call)
{
    struct err *e = NULL;
    struct house *house;
    struct house_issuer *issuer;
    struct view name, body;
    struct der_out out;
    TRY(read_issuer(call->body, &name));
    TRY(vault_house(call->v, call->generation, &house));
    TRY(vault_issuer(house, name, &issuer));
    der_out_init(&out, call->arena, 64);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, roll_file_crl_floor(call->v->roll, view_str(issuer->name)));
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    vault_peer_answer(call->peer, call->id, body);
out:
    return e;
}
