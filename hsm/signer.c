/*
 * The pool of signing threads. One queue in several lanes; each thread takes a job, hashes its data, has the
 * token sign, and posts the answer to the loop: at once where no other job waits, else several together, for
 * a loop woken by each would push the signer off its core as often. Judges nothing and rolls nothing: that is
 * done before a job comes here. The loop's thread submits; the pool's threads sign.
 */
#include "signer.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "mechanism.h"

enum { THREADS_MAX = 64, NAME_BYTES = 16, WATCH_MS = 1000 };
/* Signatures that wait for one another: so many, and only within so long of the first. */
enum { TOGETHER_MAX = 24, TOGETHER_MS = 3 };

struct queued {
    struct signer_job job;
    struct err *e;
    size_t n;
    struct queued *next;
    uint8_t signature[SIGNER_MAX_BYTES];
};

struct lane {
    struct queued *first, **last;
    size_t n;
};

/* One thread, since when it has been inside the module (monotonic ms; 0: it is not), and what it has signed
 * and not posted yet. */
struct seat {
    struct signer *signer;
    pthread_t thread;
    atomic_llong since_ms;
    struct lane done;
    int64_t done_since_ms;
};

struct signer {
    struct loop *loop;
    struct loop_timer *watch;
    size_t max_queued;
    unsigned flags;
    unsigned n_threads;
    struct seat seats[THREADS_MAX];
    pthread_mutex_t lock;
    pthread_cond_t work;
    bool stopping;                  /* lock */
    struct lane lane[SIGNER_LANES]; /* lock */
    struct signer_lane_turns turns; /* lock */
};

static struct err *hash(enum cert_alg alg, const struct view *parts, size_t n, uint8_t to[EVP_MAX_MD_SIZE],
                        size_t *ret_n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = mechanism_digest(alg);
    unsigned got = 0;
    bool good = ctx && md && EVP_DigestInit_ex(ctx, md, NULL) == 1;

    for (size_t i = 0; good && i < n; i++)
        good = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
    good = good && EVP_DigestFinal_ex(ctx, to, &got) == 1;
    EVP_MD_CTX_free(ctx);
    *ret_n = got;
    return good ? NULL : err_new(ERR_INTERNAL, "no digest for %s", cert_alg_name(alg));
}

/* Ed25519: the token hashes the message itself, so the parts become one. */
static struct err *sign_message(const struct token_key *key, enum cert_alg alg, const struct view *parts,
                                size_t n, bool verify, uint8_t to[SIGNER_MAX_BYTES], size_t *ret_n)
{
    struct err *e = NULL;
    size_t whole = 0, at = 0;
    uint8_t *joined;

    if (n == 1)
        return mechanism_sign(key, alg, parts[0], verify, to, ret_n);
    for (size_t i = 0; i < n; i++)
        whole += parts[i].n;
    joined = malloc(whole ? whole : 1);
    if (!joined)
        return err_new(ERR_NOMEM, "a message of %zu octets", whole);
    for (size_t i = 0; i < n; at += parts[i++].n)
        if (parts[i].n)
            memcpy(joined + at, parts[i].p, parts[i].n);
    e = mechanism_sign(key, alg, view_of(joined, whole), verify, to, ret_n);
    free(joined);
    return e;
}

struct err *signer_sign(const struct token_key *key, enum cert_alg alg, const struct view *parts, size_t n,
                        unsigned flags, uint8_t to[SIGNER_MAX_BYTES], size_t *ret_n)
{
    struct err *e = NULL;
    uint8_t digest[EVP_MAX_MD_SIZE];
    size_t digest_n = 0;

    if (cert_alg_scheme(alg) == CERT_SCHEME_EDDSA)
        return sign_message(key, alg, parts, n, (flags & SIGNER_VERIFY) != 0, to, ret_n);
    TRY(hash(alg, parts, n, digest, &digest_n));
    TRY(mechanism_sign(key, alg, view_of(digest, digest_n), (flags & SIGNER_VERIFY) != 0, to, ret_n));
out:
    return e;
}

static void lane_put(struct lane *l, struct queued *q)
{
    q->next = NULL;
    *l->last = q;
    l->last = &q->next;
    l->n++;
}

static struct queued *lane_take(struct lane *l)
{
    struct queued *q = l->first;

    if (!q)
        return NULL;
    l->first = q->next;
    if (!l->first)
        l->last = &l->first;
    q->next = NULL;
    l->n--;
    return q;
}

/* On the loop's thread: a chain of them. */
static void finish(void *arg)
{
    for (struct queued *q = arg, *next; q; q = next) {
        next = q->next;
        q->job.done(q->job.arg, q->e, q->e ? (struct view){NULL, 0} : view_of(q->signature, q->n));
        free(q);
    }
}

static void post_done(struct seat *seat)
{
    if (seat->done.n == 0)
        return;
    loop_post(seat->signer->loop, finish, seat->done.first);
    seat->done = (struct lane){.last = &seat->done.first};
}

static struct queued *take_job(struct signer *s)
{
    bool waits[SIGNER_LANES];
    enum signer_lane lane;

    for (int i = 0; i < SIGNER_LANES; i++)
        waits[i] = s->lane[i].n > 0;
    lane = signer_lane_next(&s->turns, waits);
    return lane == SIGNER_LANES ? NULL : lane_take(&s->lane[lane]);
}

/* What is signed is posted before this waits. */
static struct queued *next_job(struct seat *seat)
{
    struct signer *s = seat->signer;
    struct queued *q = NULL;

    CHECK(pthread_mutex_lock(&s->lock) == 0);
    while (!s->stopping && !(q = take_job(s))) {
        post_done(seat);
        CHECK(pthread_cond_wait(&s->work, &s->lock) == 0);
    }
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    return q;
}

static struct err *sign_one(const struct signer_job *job, unsigned flags, uint8_t to[SIGNER_MAX_BYTES],
                            size_t *ret_n)
{
    if (job->hashed)
        return mechanism_sign(job->key, job->alg, job->data, (flags & SIGNER_VERIFY) != 0, to, ret_n);
    return signer_sign(job->key, job->alg, &job->data, 1, flags, to, ret_n);
}

static void *run(void *arg)
{
    struct seat *seat = arg;
    struct signer *s = seat->signer;
    struct queued *q;

    while ((q = next_job(seat)) != NULL) {
        int64_t since = world_mono_ms(), now;
        atomic_store_explicit(&seat->since_ms, since, memory_order_relaxed);
        q->e = sign_one(&q->job, s->flags, q->signature, &q->n);
        atomic_store_explicit(&seat->since_ms, 0, memory_order_relaxed);
        now = world_mono_ms();
        if (seat->done.n == 0)
            seat->done_since_ms = since;
        lane_put(&seat->done, q);
        if (seat->done.n >= TOGETHER_MAX || now - seat->done_since_ms >= TOGETHER_MS)
            post_done(seat);
    }
    post_done(seat);
    return NULL;
}

/* A thread that does not come back from the module cannot be taken back: the process ends, and whoever
 * started it starts another. */
static void watch(void *arg)
{
    struct signer *s = arg;
    int64_t now = world_mono_ms();

    for (unsigned i = 0; i < s->n_threads; i++) {
        int64_t since = atomic_load_explicit(&s->seats[i].since_ms, memory_order_relaxed);
        if (since && now - since > SIGNER_HANG_MS) {
            log_error("module.hangs", log_num("ms", (long long)(now - since)));
            _exit(EXIT_FAILURE);
        }
    }
    loop_timer_set(s->watch, WATCH_MS);
}

static unsigned cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

    return n < 1 ? 1 : (unsigned)n;
}

/* Signals belong to the loop's thread. */
static struct err *start_threads(struct signer *s, unsigned n)
{
    sigset_t all, before;
    int rc = 0;

    CHECK(sigfillset(&all) == 0 && pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    while (rc == 0 && s->n_threads < n) {
        char name[NAME_BYTES];

        s->seats[s->n_threads].signer = s;
        s->seats[s->n_threads].done.last = &s->seats[s->n_threads].done.first;
        rc = pthread_create(&s->seats[s->n_threads].thread, NULL, run, &s->seats[s->n_threads]);
        if (rc != 0)
            break;
        (void)snprintf(name, sizeof name, "signer-%u", s->n_threads);
        (void)pthread_setname_np(s->seats[s->n_threads++].thread, name);
    }
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return rc == 0 ? NULL : err_sys(ERR_NOMEM, rc, "a signer thread cannot be started");
}

struct err *signer_start(struct loop *loop, unsigned threads, size_t max_queued, unsigned flags,
                         struct signer **ret)
{
    struct err *e = NULL;
    struct signer *s = calloc(1, sizeof *s);

    if (!s)
        return err_new(ERR_NOMEM, "signers");
    s->loop = loop;
    s->max_queued = max_queued;
    s->flags = flags;
    for (int i = 0; i < SIGNER_LANES; i++)
        s->lane[i].last = &s->lane[i].first;
    CHECK(pthread_mutex_init(&s->lock, NULL) == 0 && pthread_cond_init(&s->work, NULL) == 0);
    threads = threads ? threads : cores();
    TRY(start_threads(s, threads > THREADS_MAX ? THREADS_MAX : threads));
    s->watch = loop_timer_new(loop, watch, s);
    loop_timer_set(s->watch, WATCH_MS);
    *ret = s;
    s = NULL;
out:
    signer_stop(s);
    return e;
}

struct err *signer_submit(struct signer *s, const struct signer_job *job)
{
    struct queued *q = malloc(sizeof *q);
    struct lane *l = &s->lane[job->lane];
    bool taken;

    if (!q)
        return err_new(ERR_NOMEM, "a signature's job");
    q->job = *job;
    q->e = NULL;
    q->n = 0;
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    taken = l->n < s->max_queued;
    if (taken)
        lane_put(l, q);
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    if (!taken) {
        free(q);
        return err_new(ERR_BUSY, "%zu signatures are waiting", s->max_queued);
    }
    CHECK(pthread_cond_signal(&s->work) == 0);
    return NULL;
}

size_t signer_queued(const struct signer *s, enum signer_lane lane)
{
    struct signer *self = (struct signer *)(uintptr_t)s;
    size_t n;

    CHECK(pthread_mutex_lock(&self->lock) == 0);
    n = s->lane[lane].n;
    CHECK(pthread_mutex_unlock(&self->lock) == 0);
    return n;
}

void signer_stop(struct signer *s)
{
    struct queued *q;

    if (!s)
        return;
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    s->stopping = true;
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    CHECK(pthread_cond_broadcast(&s->work) == 0);
    for (unsigned i = 0; i < s->n_threads; i++)
        CHECK(pthread_join(s->seats[i].thread, NULL) == 0);
    for (int i = 0; i < SIGNER_LANES; i++)
        while ((q = lane_take(&s->lane[i])) != NULL) {
            q->e = err_new(ERR_CANCELLED, "the vault is stopping");
            loop_post(s->loop, finish, q);
        }
    loop_timer_free(s->watch);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
