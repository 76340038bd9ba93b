/*
 * Who still hangs on an issuer, and whose end is near: counted again and again on a thread of its own, the
 * more seldom the longer it takes; a warning in the log each day from the last third of a life on. The loop's
 * thread, but for count_all.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/when.h"
#include "base/worker.h"
#include "base/world.h"
#include "census.h"
#include "house.h"

enum { ISSUERS_MAX = 64, NAME_BYTES = 64, LEAST_MS = 10 * 1000, LOOK_MS = 50, REST = 20, DAY_S = 86400 };

struct row {
    char name[NAME_BYTES];
    struct ledger_census found;
    bool counted;
};

struct census {
    struct ca *ca;
    struct worker *worker;
    struct loop_timer *timer;
    struct row rows[ISSUERS_MAX]; /* as last counted */
    size_t n;
    int64_t warned_day;
    /* the count under way: the worker's until `counted` */
    bool busy;
    atomic_bool counted;
    struct row next[ISSUERS_MAX];
    size_t next_n;
    int64_t now, begun_ms;
};

/* On the worker's thread. */
static void count_all(void *arg)
{
    struct census *c = arg;
    for (size_t i = 0; i < c->next_n; i++) {
        struct row *r = &c->next[i];
        struct err *e = ledger_census(c->ca->ledger, r->name, c->now, &r->found);
        r->counted = e == NULL;
        err_free(e);
    }
    atomic_store(&c->counted, true);
}

static void warn(struct census *c, int64_t now)
{
    const struct ca_setup *setup = c->ca->setup;
    if (now / DAY_S == c->warned_day)
        return;
    c->warned_day = now / DAY_S;
    for (size_t i = 0; i < setup->issuers_n; i++) {
        const struct templates_issuer *f = &setup->issuers[i].facts;
        if (hsm_life_warns(f->not_before, f->not_after, now))
            log_warn("issuer.lapsing", log_text("issuer", f->name),
                     log_num("days_left", (long long)((f->not_after - now) / DAY_S)));
    }
}

static void take_over(struct census *c)
{
    int64_t took_ms = world_mono_ms() - c->begun_ms;
    memcpy(c->rows, c->next, sizeof c->rows);
    c->n = c->next_n;
    c->busy = false;
    warn(c, c->now);
    loop_timer_set(c->timer, took_ms * REST > LEAST_MS ? took_ms * REST : LEAST_MS);
}

static void begin(struct census *c)
{
    const struct ca_setup *setup = c->ca->setup;
    c->next_n = 0;
    c->now = world_now_s();
    c->begun_ms = world_mono_ms();
    atomic_store(&c->counted, false);
    for (size_t i = 0; i < setup->issuers_n && i < ISSUERS_MAX; i++) {
        struct row *r = &c->next[c->next_n++];
        *r = (struct row){.counted = false};
        snprintf(r->name, NAME_BYTES, "%s", setup->issuers[i].name);
    }
    struct err *e = worker_submit(c->worker, count_all, NULL, NULL, c);
    c->busy = e == NULL;
    err_free(e);
    loop_timer_set(c->timer, LOOK_MS);
}

/* Looks whether the count is done rather than being told: so it can end at any moment. */
static void look(void *arg)
{
    struct census *c = arg;
    if (!c->busy)
        begin(c);
    else if (atomic_load(&c->counted))
        take_over(c);
    else
        loop_timer_set(c->timer, LOOK_MS);
}

struct err *census_open(struct ca *ca)
{
    struct err *e = NULL;
    struct census *c = calloc(1, sizeof *c);
    CHECK(c);
    c->ca = ca;
    TRY(worker_start("ca-census", 2, &c->worker));
    c->timer = loop_timer_new(ca->loop, look, c);
    loop_timer_set(c->timer, 1);
    ca->census = c;
    c = NULL;
out:
    free(c);
    return e;
}

void census_close(struct ca *ca)
{
    struct census *c = ca->census;
    if (!c)
        return;
    ca->census = NULL;
    worker_stop(c->worker);
    loop_timer_free(c->timer);
    free(c);
}

bool ca_census(const struct ca *ca, const char *issuer, struct ledger_census *ret)
{
    const struct census *c = ca->census;
    for (size_t i = 0; c && i < c->n; i++)
        if (strcmp(c->rows[i].name, issuer) == 0 && c->rows[i].counted) {
            *ret = c->rows[i].found;
            return true;
        }
    return false;
}
