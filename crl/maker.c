/*
 * When a list is made: on its clock, and at once when the ledger tells of a revocation. One job per issuer at
 * a time; what comes meanwhile makes the next one. On the loop's thread.
 */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/when.h"
#include "base/world.h"

enum { RETRY_MS = 500, RETRY_MAX_MS = 30 * 1000, LOOK_S = 3600 };

const struct crl_issuer *maker_issuer(const struct crl_maker *m, const char *name)
{
    for (size_t i = 0; name && i < m->n; i++)
        if (strcmp(m->issuers[i].name, name) == 0)
            return &m->issuers[i];
    return NULL;
}

static bool maker_makes(const struct crl_maker *m, const char *name)
{
    const struct crl_issuer *issuer = maker_issuer(m, name);
    return issuer && !issuer->offline;
}

static struct crl_state *state_of(struct crl_maker *m, const char *name)
{
    for (size_t i = 0; i < m->states_n; i++)
        if (strcmp(m->states[i].name, name) == 0)
            return &m->states[i];
    return NULL;
}

/* Above what the ledger has, and above what the roll may have: a list that was sealed and then lost has spent
 * its number. After a restart the vault's refusal tells (RFC 5280 5.2.3). */
static struct err *next_number(const struct crl_state *s, uint64_t *ret)
{
    struct ledger_crl last;
    struct err *e = ledger_crl_last(s->maker->ledger, s->name, &last);
    if (!e)
        *ret = (last.number > s->asked ? last.number : s->asked) + 1;
    return e;
}

static void make(struct crl_state *s)
{
    uint64_t number;
    const struct crl_issuer *issuer = maker_issuer(s->maker, s->name);
    if (s->job || !issuer || !hsm_ready(s->maker->hsm))
        return;
    struct err *e = next_number(s, &number);
    if (!e) {
        job_start(s, issuer, number);
        return;
    }
    log_error("crl.failed", log_text("issuer", s->name), log_err(e));
    err_free(e);
    loop_timer_set(s->timer, RETRY_MS);
}

/* --- its clock --- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Until the next one is due by either clock: looked at each hour, since the wall clock may be moved. */
static int64_t left_ms(const struct crl_state *s, const struct crl_issuer *issuer)
{
    if (s->next_update == CRL_FOR_EVER)
        return LOOK_S * 1000;
    int64_t every_ms = issuer->every_s * 1000;
    int64_t mono = s->made_ms + every_ms - world_mono_ms();
    int64_t wall = (s->this_update + issuer->every_s - world_now_s()) * 1000;
    return least(mono, wall);
}

static void rest(struct crl_state *s, int64_t ms)
{
    loop_timer_set(s->timer, ms < 1 ? 1 : least(ms, LOOK_S * 1000));
}

static void due(void *arg)
{
    struct crl_state *s = arg;
    const struct crl_issuer *issuer = maker_issuer(s->maker, s->name);
    if (!issuer)
        return;
    int64_t left = left_ms(s, issuer);
    if (!s->wanted && left > 0) {
        rest(s, left);
        return;
    }
    s->wanted = true; /* also where the vault is away now: crl_maker_go finds it */
    make(s);
}

static void want(struct crl_state *s)
{
    if (!s->wanted_ms)
        s->wanted_ms = world_mono_ms();
    s->wanted = true;
    make(s);
}

/* Of the closings only those over a certificate that was sealed and lost, and so counts as revoked. */
static bool is_revocation(const struct crl_maker *m, const struct ledger_event *ev)
{
    struct ledger_status status = {.answer = LEDGER_UNKNOWN};
    if (ev->kind != LEDGER_CLOSE)
        return ledger_changes_status(ev->kind);
    struct err *e = ledger_status(m->ledger, ev->issuer, ev->serial, &status);
    bool revoked = e || status.answer == LEDGER_REVOKED;
    err_free(e);
    return revoked;
}

static void seen(void *arg, const struct ledger_event *ev)
{
    struct crl_maker *m = arg;
    struct crl_state *s = state_of(m, ev->issuer);
    if (s && s->served && is_revocation(m, ev))
        want(s);
}

static void failed(struct crl_state *s, struct err *e, int64_t wanted_ms)
{
    int64_t wait = RETRY_MS << (s->failures < 6 ? s->failures : 6);
    s->failures++;
    log_error("crl.failed", log_text("issuer", s->name), log_err(e));
    err_free(e);
    s->wanted = true;
    s->wanted_ms = wanted_ms ? wanted_ms : s->wanted_ms;
    loop_timer_set(s->timer, least(wait, RETRY_MAX_MS));
}

static void published(struct crl_job *job)
{
    struct crl_state *s = job->state;
    s->failures = 0;
    s->made_ms = job->begun_ms;
    s->this_update = job->crl.this_update;
    s->next_update = job->crl.next_update;
    metric_add(METRIC_CRLS_PUBLISHED, 1);
    if (job->wanted_ms)
        metric_observe_us(METRIC_REVOCATION_VISIBLE, (uint64_t)(world_mono_ms() - job->wanted_ms) * 1000);
    log_info("crl.published", log_text("issuer", s->name), log_num("number", (long long)job->crl.number),
             log_num("entries", (long long)job->built.entries), log_num("n", (long long)job->n));
    publish_bundles(s->maker, s->name);
    const struct crl_issuer *issuer = maker_issuer(s->maker, s->name);
    if (issuer)
        rest(s, left_ms(s, issuer));
}

void maker_done(struct crl_job *job, struct err *e)
{
    struct crl_state *s = job->state;
    struct arena *arena = job->arena;
    s->job = NULL;
    if (e)
        failed(s, e, job->wanted_ms);
    else
        published(job);
    if (job->built.fd >= 0)
        close(job->built.fd);
    arena_free(arena);
    if (s->wanted && !s->failures)
        make(s);
}

/* A list of an earlier life is served until the first of this one, which is made in any case: something may
 * have been revoked after it. */
static void look_at_shelf(struct crl_state *s)
{
    struct arena *arena = arena_new(CRL_ARENA_BYTES);
    struct shelf_item item = {.bytes = {NULL, 0}};
    struct err *e = shelf_get_blob(s->maker->shelf, arena_printf(arena, "crl/%s", s->name), arena, &item);
    if (e)
        log_warn("crl.shelf", log_err(e));
    err_free(e);
    s->next_update = item.bytes.p ? item.next_update : 0;
    arena_free(arena);
}

static struct crl_state *state_new(struct crl_maker *m, const struct crl_issuer *issuer)
{
    if (m->states_n == CRL_ISSUERS_MAX) {
        log_error("crl.too-many-issuers", log_text("issuer", issuer->name));
        return NULL;
    }
    struct crl_state *s = &m->states[m->states_n++];
    *s = (struct crl_state){.maker = m, .wanted = true};
    snprintf(s->name, sizeof s->name, "%s", issuer->name);
    s->timer = loop_timer_new(m->loop, due, s);
    look_at_shelf(s);
    return s;
}

void crl_maker_set(struct crl_maker *m, uint32_t generation, const struct crl_issuer *issuers, size_t n)
{
    m->generation = generation;
    m->issuers = issuers;
    m->n = n;
    for (size_t i = 0; i < m->states_n; i++)
        m->states[i].served = maker_makes(m, m->states[i].name);
    for (size_t i = 0; i < n; i++) {
        if (issuers[i].offline)
            continue;
        struct crl_state *s = state_of(m, issuers[i].name);
        if (!s)
            s = state_new(m, &issuers[i]);
        if (!s)
            continue;
        s->served = true;
        if (!s->job && !s->failures)
            due(s); /* new, or wanted more often than before */
    }
    publish_certificates(m);
    publish_given(m);
}

void crl_maker_go(struct crl_maker *m)
{
    for (size_t i = 0; i < m->states_n; i++) {
        struct crl_state *s = &m->states[i];
        s->failures = 0;
        if (s->served && s->wanted)
            make(s);
    }
}

struct err *crl_maker_ready(const struct crl_maker *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->issuers[i].offline && m->issuers[i].given_until <= world_now_s())
            return err_new(ERR_STARTING,
                           "the revocation list of the offline CA '%s' is %s: a ceremony makes it",
                           m->issuers[i].name, m->issuers[i].given.n ? "overdue" : "missing");
    for (size_t i = 0; i < m->states_n; i++) {
        const struct crl_state *s = &m->states[i];
        if (s->served && s->next_update <= world_now_s())
            return err_new(ERR_STARTING, "the revocation list of '%s' is %s", s->name,
                           s->next_update ? "overdue" : "being made");
    }
    return NULL;
}

struct err *crl_maker_new(struct loop *loop, struct ledger *ledger, struct shelf *shelf, struct hsm *hsm,
                          struct crl_maker **ret)
{
    struct err *e = NULL;
    struct crl_maker *m = calloc(1, sizeof *m);
    if (!m)
        return err_new(ERR_NOMEM, "no memory for the list maker");
    *m = (struct crl_maker){.loop = loop, .ledger = ledger, .shelf = shelf, .hsm = hsm};
    TRY(worker_start("crl-builder", 2 * CRL_ISSUERS_MAX, &m->builder));
    ledger_watch(ledger, seen, m);
    *ret = m;
    m = NULL;
out:
    free(m);
    return e;
}

void crl_maker_free(struct crl_maker *m)
{
    if (!m)
        return;
    worker_stop(m->builder);
    for (size_t i = 0; i < m->states_n; i++)
        loop_timer_free(m->states[i].timer);
    free(m);
}
