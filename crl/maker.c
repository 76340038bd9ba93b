/*
 * When a list is made: on its clock, and at once when the ledger tells of a revocation. One job per issuer at
 * a time; what comes meanwhile makes the next one. On the loop's thread.
 */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/when.h"
#include "base/world.h"
#include "courier.h"
#include "hsm_house.h"

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

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- making --- */

/* A revocation goes before the clock, the first that came before the others; a list of everything last. */
static bool goes_before(const struct crl_list *a, const struct crl_list *b)
{
    if ((a->wanted_ms == 0) != (b->wanted_ms == 0))
        return a->wanted_ms != 0;
    return (a->scope == LEDGER_WHOLE) == (b->scope == LEDGER_WHOLE) ? a->wanted_ms < b->wanted_ms
                                                                    : b->scope == LEDGER_WHOLE;
}

static struct crl_list *next_wanted(const struct crl_state *s)
{
    struct crl_list *next = NULL;
    for (size_t i = 0; i < s->n; i++) {
        struct crl_list *list = s->lists[i];
        if (list->served && list->wanted && (!next || goes_before(list, next)))
            next = list;
    }
    return next;
}

/* Above what the ledger has, and above what the roll may have: a list that was sealed and then lost has spent
 * its number (RFC 5280 5.2.3). */
static struct err *next_number(const struct crl_state *s, uint64_t *ret)
{
    uint64_t last;
    struct err *e = ledger_list_number(s->maker->ledger, s->name, &last);
    if (!e)
        *ret = (last > s->asked ? last : s->asked) + 1;
    return e;
}

static void later(struct crl_state *s, struct err *e)
{
    log_error("crl.failed", log_text("issuer", s->name), log_err(e));
    err_free(e);
    loop_timer_set(s->timer, RETRY_MS);
}

static void make(struct crl_state *s);

static void floor_told(void *arg, struct err *e, uint64_t number)
{
    struct crl_state *s = arg;
    s->floor = e ? FLOOR_UNKNOWN : FLOOR_KNOWN;
    if (e) {
        later(s, e);
        return;
    }
    if (number > s->asked)
        s->asked = number;
    make(s);
}

/* Once in a life: what was sealed before may be above all that a restored ledger knows. */
static void ask_floor(struct crl_state *s)
{
    struct crl_maker *m = s->maker;
    if (s->floor == FLOOR_ASKED)
        return;
    struct err *e = hsm_crl_floor(m->hsm, m->generation, s->name, floor_told, s, NULL);
    if (e)
        later(s, e);
    else
        s->floor = FLOOR_ASKED;
}

static void make(struct crl_state *s)
{
    uint64_t number;
    const struct crl_issuer *issuer = maker_issuer(s->maker, s->name);
    struct crl_list *list = next_wanted(s);
    bool here = hsm_ready(hsm_for(s->maker->hsm, s->name));
    if (!list || s->job || s->reclaims || !issuer || !s->maker->builder || !here)
        return;
    if (s->floor != FLOOR_KNOWN) {
        ask_floor(s);
        return;
    }
    struct err *e = next_number(s, &number);
    if (!e)
        job_start(s, list, issuer, number);
    else
        later(s, e);
}

void maker_go(struct crl_state *s)
{
    make(s);
}

/* --- their clocks --- */

/* Until the next one is due by either clock: looked at each hour, since the wall clock may be moved. */
static int64_t left_ms(const struct crl_list *list, const struct crl_issuer *issuer)
{
    int64_t every_s = lists_every_s(list, issuer);
    if (list->next_update == CRL_FOR_EVER)
        return LOOK_S * 1000;
    if (!list->made_ms && list->this_update > world_now_s())
        return 0; /* of an earlier life, from a clock that went back since */
    int64_t mono = list->made_ms ? list->made_ms + every_s * 1000 - world_mono_ms() : INT64_MAX;
    int64_t tenth = (list->next_update - list->this_update) / 10; /* made when lists lived shorter */
    int64_t end = least(list->this_update + every_s, list->next_update - tenth);
    return least(mono, (end - world_now_s()) * 1000);
}

static void rest(struct crl_state *s, int64_t ms)
{
    loop_timer_set(s->timer, ms < 1 ? 1 : least(ms, LOOK_S * 1000));
}

/* Marks what is due, and says how long until something else is. */
static int64_t look_at_clocks(struct crl_state *s, const struct crl_issuer *issuer)
{
    int64_t rest_ms = LOOK_S * 1000;
    for (size_t i = 0; i < s->n; i++) {
        struct crl_list *list = s->lists[i];
        if (!list->served || list->wanted || list->follows)
            continue;
        int64_t left = left_ms(list, issuer);
        if (left > 0)
            rest_ms = least(rest_ms, left);
        else
            list->wanted = !lists_ended(s, list);
    }
    return rest_ms;
}

static void due(void *arg)
{
    struct crl_state *s = arg;
    const struct crl_issuer *issuer = maker_issuer(s->maker, s->name);
    if (!issuer)
        return;
    rest(s, look_at_clocks(s, issuer));
    make(s); /* where the vault is away now, crl_maker_go finds what is wanted */
}

/* --- revocations --- */

static void want(struct crl_state *s, uint64_t scope)
{
    struct crl_list *list = lists_find(s, scope);
    if (!list || !list->served)
        return;
    if (!list->wanted_ms)
        list->wanted_ms = world_mono_ms();
    list->wanted = true;
}

static void changed(struct crl_state *s, uint64_t partition)
{
    const struct crl_list *delta = lists_find(s, LEDGER_DELTA);
    bool has_delta = delta && delta->served;
    lists_partition(s, partition);
    want(s, partition);
    want(s, has_delta ? LEDGER_DELTA : partition ? partition : LEDGER_WHOLE);
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
    if (!s || !s->served)
        return;
    if (is_revocation(m, ev)) {
        changed(s, ev->partition);
    } else if (ev->kind == LEDGER_INTENT && ev->partition && !lists_find(s, ev->partition)) {
        lists_partition(s,
                        ev->partition); /* the first of a partition: its list is there before it is needed */
        make(s);
    }
}

/* --- the end of a job --- */

/* Where a delta list has nothing to build on, or would be too long, it is the turn of a list of everything;
 * the delta then follows it. */
static bool whole_first(struct crl_state *s, struct crl_list *list, const struct err *e, int64_t wanted_ms)
{
    struct crl_list *whole = lists_find(s, LEDGER_WHOLE);
    bool turn = err_code(e) == ERR_NOT_FOUND || err_code(e) == ERR_TOO_LARGE;
    if (list->scope != LEDGER_DELTA || !turn || !whole || !whole->served)
        return false;
    log_info("crl.whole_first", log_text("issuer", s->name), log_err(e));
    whole->wanted = true;
    whole->wanted_ms = whole->wanted_ms ? whole->wanted_ms : wanted_ms;
    list->follows = true;
    return true;
}

static void failed(struct crl_state *s, struct crl_list *list, struct err *e, int64_t wanted_ms)
{
    int64_t wait = RETRY_MS << (s->failures < 6 ? s->failures : 6);
    s->failures++;
    log_error("crl.failed", log_text("issuer", s->name), log_err(e));
    if (err_code(e) == ERR_FLOOR)
        s->floor = FLOOR_UNKNOWN; /* perhaps the number: the vault says where it stands */
    err_free(e);
    list->wanted = true;
    list->wanted_ms = wanted_ms ? wanted_ms : list->wanted_ms;
    loop_timer_set(s->timer, least(wait, RETRY_MAX_MS));
}

/* The delta list that waited for this one. */
static void follow(struct crl_state *s, const struct crl_list *list)
{
    struct crl_list *delta = lists_find(s, LEDGER_DELTA);
    if (list->scope != LEDGER_WHOLE || !delta || !delta->follows)
        return;
    delta->follows = false;
    delta->wanted = true;
}

static void published(struct crl_job *job)
{
    struct crl_state *s = job->state;
    struct crl_list *list = job->list;
    char name[CRL_NAME_BYTES];
    s->failures = 0;
    list->made_ms = job->begun_ms;
    list->this_update = job->crl.this_update;
    list->next_update = job->crl.next_update;
    list->bytes = job->built.bytes;
    metric_add(METRIC_CRLS_PUBLISHED, 1);
    if (job->wanted_ms)
        metric_observe_us(METRIC_REVOCATION_VISIBLE, (uint64_t)(world_mono_ms() - job->wanted_ms) * 1000);
    follow(s, list);
    lists_name(s, list->scope, name);
    log_info("crl.published", log_text("issuer", s->name), log_text("list", name),
             log_num("number", (long long)job->crl.number), log_num("entries", (long long)job->built.entries),
             log_num("n", (long long)job->n));
    bind_list(s, list);
    deliver_blob(s->maker, s->name, name);
    const struct crl_issuer *issuer = maker_issuer(s->maker, s->name);
    if (issuer)
        rest(s, look_at_clocks(s, issuer));
}

void maker_done(struct crl_job *job, struct err *e)
{
    struct crl_state *s = job->state;
    struct arena *arena = job->arena;
    s->job = NULL;
    if (!e)
        published(job);
    else if (whole_first(s, job->list, e, job->wanted_ms))
        err_free(e);
    else
        failed(s, job->list, e, job->wanted_ms);
    list_drop(s->maker->shelf, &job->built);
    arena_free(arena);
    if (!s->failures)
        make(s);
}

/* --- from outside --- */

static struct crl_state *state_new(struct crl_maker *m, const struct crl_issuer *issuer)
{
    if (m->states_n == CRL_ISSUERS_MAX) {
        log_error("crl.too-many-issuers", log_text("issuer", issuer->name));
        return NULL;
    }
    struct crl_state *s = &m->states[m->states_n++];
    *s = (struct crl_state){.maker = m};
    snprintf(s->name, sizeof s->name, "%s", issuer->name);
    s->timer = loop_timer_new(m->loop, due, s);
    return s;
}

/* What lies on the shelf from before, where it is to go may be new. */
static void deliver_all(const struct crl_state *s)
{
    char name[CRL_NAME_BYTES];
    for (size_t i = 0; s->served && i < s->n; i++) {
        lists_name(s, s->lists[i]->scope, name);
        if (s->lists[i]->served && s->lists[i]->next_update)
            deliver_blob(s->maker, s->name, name);
    }
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
        lists_set(s, &issuers[i]);
        if (!s->job && !s->failures)
            due(s); /* new, or wanted more often than before */
    }
    publish_certificates(m);
    publish_given(m);
    for (size_t i = 0; i < m->states_n; i++)
        deliver_all(&m->states[i]);
}

static void courier_is_there(void *arg)
{
    deliver_go(arg);
}

void crl_maker_courier(struct crl_maker *m, struct courier *courier)
{
    m->courier = courier;
    courier_on_ready(courier, courier_is_there, m);
}

void crl_maker_go(struct crl_maker *m)
{
    for (size_t i = 0; i < m->states_n; i++) {
        struct crl_state *s = &m->states[i];
        s->failures = 0;
        if (s->served)
            make(s);
    }
}

static struct err *state_ready(struct crl_state *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct crl_list *list = s->lists[i];
        const char *which = list->scope == LEDGER_WHOLE   ? "the"
                            : list->scope == LEDGER_DELTA ? "the delta"
                                                          : "a partition's";
        if (lists_overdue(s, list))
            return err_new(ERR_STARTING, "%s revocation list of '%s' is %s", which, s->name,
                           list->next_update ? "overdue" : "being made");
    }
    return NULL;
}

struct err *crl_maker_ready(struct crl_maker *m)
{
    struct err *e = NULL;
    for (size_t i = 0; i < m->n; i++)
        if (m->issuers[i].offline && m->issuers[i].given_until <= world_now_s())
            return err_new(ERR_STARTING,
                           "the revocation list of the offline CA '%s' is %s: a ceremony makes it",
                           m->issuers[i].name, m->issuers[i].given.n ? "overdue" : "missing");
    for (size_t i = 0; !e && i < m->states_n; i++)
        if (m->states[i].served)
            e = state_ready(&m->states[i]);
    return e;
}

struct err *crl_maker_new(struct loop *loop, struct ledger *ledger, struct shelf *shelf, struct hsm *hsm,
                          struct crl_maker **ret)
{
    struct err *e = NULL;
    struct crl_maker *m = calloc(1, sizeof *m);
    if (!m)
        return err_new(ERR_NOMEM, "no memory for the list maker");
    *m = (struct crl_maker){
        .loop = loop, .ledger = ledger, .shelf = shelf, .hsm = hsm, .small_bytes = SHELF_INLINE_BYTES - 4096};
    TRY(worker_start("crl-builder", 2 * CRL_ISSUERS_MAX, &m->builder));
    TRY(worker_start("crl-binder", 4 * CRL_ISSUERS_MAX, &m->binder));
    ledger_watch(ledger, seen, m);
    deliver_new(m);
    *ret = m;
    m = NULL;
out:
    if (m)
        worker_stop(m->builder);
    free(m);
    return e;
}

void crl_maker_stop(struct crl_maker *m)
{
    if (!m)
        return;
    worker_stop(m->builder);
    worker_stop(m->binder);
    m->builder = m->binder = NULL;
}

void crl_maker_free(struct crl_maker *m)
{
    if (!m)
        return;
    crl_maker_stop(m);
    bind_free(m);
    deliver_free(m);
    for (size_t i = 0; i < m->states_n; i++) {
        loop_timer_free(m->states[i].timer);
        for (size_t k = 0; k < m->states[i].n; k++)
            free(m->states[i].lists[k]);
        free(m->states[i].lists);
    }
    free(m);
}
