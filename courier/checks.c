/*
 * The checks under way and how they are decided: one attempt from each vantage, valid where enough of them
 * are, invalid as soon as that cannot be any more. Knows nothing of what an attempt does. The loop's thread.
 */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>

#include "attempt.h"
#include "base/check.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"

enum { ARENA_BYTES = 32 << 20, ATTEMPTS_MAX = 512 };

struct check {
    struct checks *all;
    struct check *next;
    uint64_t id;
    struct arena *arena;
    struct courier_check what;
    struct attempt attempts[COURIER_VANTAGES_MAX];
    size_t n, needed;
    struct loop_timer *deadline, *settle;
    int64_t began_ms;
};

struct checks {
    struct loop *loop;
    struct transfers *transfers;
    checks_found *found;
    void *arg;
    const struct courier_checking *how;
    struct check *first;
    size_t attempts;
};

static const struct attempt_kind *const kinds[COURIER_CHECK_KINDS] = {
    [COURIER_HTTP_01] = &attempt_http01,
    [COURIER_DNS_01] = &attempt_dns01,
    [COURIER_TLS_ALPN_01] = &attempt_alpn01,
    [COURIER_DNS_PERSIST] = &attempt_persist,
    [COURIER_CAA] = &attempt_caa,
};

const char *courier_problem_type(enum courier_problem p)
{
    static const char *const types[COURIER_PROBLEMS] = {
        [COURIER_NO_PROBLEM] = "",
        [COURIER_UNAUTHORIZED] = "unauthorized",
        [COURIER_INCORRECT_RESPONSE] = "incorrectResponse",
        [COURIER_CONNECTION] = "connection",
        [COURIER_DNS] = "dns",
        [COURIER_TLS] = "tls",
        [COURIER_CAA_FORBIDS] = "caa",
        [COURIER_REJECTED] = "rejectedIdentifier",
    };
    CHECK(p < COURIER_PROBLEMS);
    return types[p];
}

struct checks *checks_new(struct loop *loop, struct transfers *transfers, checks_found *found, void *arg)
{
    struct checks *c = calloc(1, sizeof *c);
    CHECK(c);
    *c = (struct checks){.loop = loop, .transfers = transfers, .found = found, .arg = arg};
    return c;
}

static void check_free(struct check *k)
{
    struct check **at = &k->all->first;
    while (*at && *at != k)
        at = &(*at)->next;
    if (*at)
        *at = k->next;
    for (size_t i = 0; i < k->n; i++) {
        struct attempt *a = &k->attempts[i];
        if (a->kind->cut)
            a->kind->cut(a);
        resolver_free(a->resolver);
    }
    k->all->attempts -= k->n;
    loop_timer_free(k->deadline);
    loop_timer_free(k->settle);
    arena_free(k->arena);
    free(k);
}

void checks_drop(struct checks *c)
{
    while (c && c->first)
        check_free(c->first);
}

void checks_free(struct checks *c)
{
    checks_drop(c);
    free(c);
}

void checks_set(struct checks *c, const struct courier_checking *how)
{
    c->how = how;
}

/* --- deciding --- */

static void count(const struct check *k, const struct courier_finding *f)
{
    static const enum metric_id verdicts[] = {[COURIER_VALID] = METRIC_CHECKS_VALID,
                                              [COURIER_INVALID] = METRIC_CHECKS_INVALID,
                                              [COURIER_UNTRIED] = METRIC_CHECKS_UNTRIED};
    metric_add(verdicts[f->verdict], 1);
    metric_observe_us(METRIC_CHECK_TIME, (uint64_t)(world_mono_ms() - k->began_ms) * 1000);
}

static void decide(struct check *k, const struct courier_finding *f)
{
    struct checks *all = k->all;
    struct courier_finding copy = *f;
    char detail[1024];
    uint64_t id = k->id;
    snprintf(detail, sizeof detail, "%s", f->detail);
    copy.detail = detail;
    count(k, f);
    check_free(k);
    all->found(all->arg, id, &copy);
}

/* With one vantage its own words; with more, how many said so. */
static const struct courier_finding *said_of(struct check *k, const struct attempt *a, size_t failed)
{
    struct courier_finding *f = ARENA_NEW(k->arena, struct courier_finding);
    *f = a->finding;
    if (k->n > 1)
        f->detail = arena_printf(k->arena, "%s (from %zu of %zu vantages; %zu must agree)", f->detail, failed,
                                 k->n, k->needed);
    return f;
}

static void settle(void *arg)
{
    static const struct courier_finding valid = {COURIER_VALID, COURIER_NO_PROBLEM, ""};
    struct check *k = arg;
    const struct attempt *failed = NULL;
    size_t valid_n = 0, failed_n = 0;
    for (size_t i = 0; i < k->n; i++) {
        const struct attempt *a = &k->attempts[i];
        bool well = a->over && a->finding.verdict == COURIER_VALID;
        valid_n += well;
        if (!a->over || well)
            continue;
        failed_n++;
        if (!failed || failed->finding.verdict == COURIER_UNTRIED)
            failed = a;
    }
    if (valid_n >= k->needed)
        decide(k, &valid);
    else if (failed && k->n - failed_n < k->needed)
        decide(k, said_of(k, failed, failed_n));
}

static void on_deadline(void *arg)
{
    struct check *k = arg;
    for (size_t i = 0; i < k->n; i++)
        attempt_timed_out(&k->attempts[i]);
}

/* --- beginning --- */

static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_str(arena, view_str(text)) : NULL;
}

static struct check *check_new(struct checks *c, uint64_t id, const struct courier_check *from)
{
    struct check *k = calloc(1, sizeof *k);
    CHECK(k);
    *k = (struct check){.all = c, .next = c->first, .id = id, .arena = arena_new(ARENA_BYTES), .what = *from};
    k->what.identifier = copy(k->arena, from->identifier);
    k->what.token = copy(k->arena, from->token);
    k->what.key_authorization = copy(k->arena, from->key_authorization);
    k->what.account = copy(k->arena, from->account);
    k->what.method = copy(k->arena, from->method);
    k->deadline = loop_timer_new(c->loop, on_deadline, k);
    k->settle = loop_timer_new(c->loop, settle, k);
    k->began_ms = world_mono_ms();
    c->first = k;
    return k;
}

static void attempt_begin(struct check *k, const char *servers)
{
    struct checks *c = k->all;
    struct attempt *a = &k->attempts[k->n++];
    *a = (struct attempt){.kind = kinds[k->what.kind],
                          .check = &k->what,
                          .how = (const struct courier_checking *const *)&c->how,
                          .loop = c->loop,
                          .transfers = c->transfers,
                          .arena = k->arena,
                          .settle = k->settle};
    c->attempts++;
    attempt_doing(a, COURIER_CONNECTION, "beginning");
    struct err *e = resolver_new(c->loop, servers, c->how->trial, &a->resolver);
    if (e)
        attempt_untried(a, e);
    else
        a->kind->begin(a);
}

void checks_begin(struct checks *c, uint64_t id, const struct courier_check *check)
{
    struct check *k = check_new(c, id, check);
    size_t n = c->how && c->how->vantages_n ? c->how->vantages_n : 1;
    if (!c->how || c->attempts + n > ATTEMPTS_MAX) {
        decide(k, &(struct courier_finding){COURIER_UNTRIED, COURIER_NO_PROBLEM,
                                            "too many checks are under way; ask again later"});
        return;
    }
    CHECK(n <= COURIER_VANTAGES_MAX);
    k->needed = c->how->agree ? c->how->agree : n;
    loop_timer_set(k->deadline, c->how->deadline_s * 1000);
    for (size_t i = 0; i < n; i++)
        attempt_begin(k, c->how->vantages_n ? c->how->vantages[i] : NULL);
}
