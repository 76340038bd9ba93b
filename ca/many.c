/*
 * Jobs that revoke many: a step takes some of those chosen, revokes them, waits until all of them are
 * durable, and rests before the next, so that the queue to the ledger never holds more than a step of them.
 * Never asks the vault for a signature; needs neither it nor the clock, but for what stands in the seal roll.
 * On the loop's thread.
 */
#include "many.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"

enum { RUNNING_MAX = 4, KEPT_MAX = 16, REST_MS = 5, LOOK_REST_MS = 1, PAGE_ARENA_BYTES = 64 << 20 };

/* --- life --- */

static void job_free(struct many_job *job)
{
    if (!job)
        return;
    loop_timer_free(job->timer);
    arena_free(job->page);
    arena_free(job->arena);
    free(job);
}

void many_free(struct ca *ca)
{
    while (ca->many) {
        struct many_job *job = ca->many;
        ca->many = job->next;
        job_free(job);
    }
}

static void end(struct many_job *job, enum ca_many_state state, const char *why)
{
    struct ca_many_report *r = &job->report;
    r->state = state;
    r->why = arena_str(job->arena, view_str(why));
    r->ended_s = world_now_s();
    loop_timer_clear(job->timer);
    log_info("revoke.many", log_text("job", r->id), log_text("what", r->dry_run ? "looked" : "revoked"),
             log_num("n", (int64_t)r->hit), log_num("already", (int64_t)r->already), log_text("why", r->why));
}

void many_fail(struct many_job *job, struct err *e)
{
    if (job->report.state == CA_MANY_RUNNING)
        end(job, CA_MANY_FAILED, err_detail(e));
    err_free(e);
}

/* --- steps --- */

static int64_t rest_ms(const struct many_job *job)
{
    uint64_t pace = job->ask.per_second;
    if (job->report.dry_run)
        return LOOK_REST_MS;
    return pace && job->struck ? (int64_t)(job->struck * 1000 / pace) : REST_MS;
}

static void go_on(struct many_job *job)
{
    if (job->report.state != CA_MANY_RUNNING || job->waiting > 0)
        return;
    if (job->more)
        loop_timer_set(job->timer, rest_ms(job));
    else
        end(job, CA_MANY_DONE, "");
}

static void due(void *arg)
{
    struct many_job *job = arg;
    arena_reset(job->page);
    job->struck = 0;
    many_fetch(job);
}

static void struck(void *arg, struct err *e, const struct ledger_result *r)
{
    struct many_job *job = arg;
    job->waiting--;
    if (!e && r->outcome == LEDGER_WRITTEN)
        metric_add(METRIC_CERTS_REVOKED, 1);
    if (!e && r->outcome == LEDGER_ALREADY) { /* somebody else was quicker */
        job->report.hit--;
        job->report.already++;
    }
    if (e)
        many_fail(job, e);
    go_on(job);
}

static struct err *strike(struct many_job *job, const struct many_item *item)
{
    const struct ca_asker *asker = &job->asker;
    struct ledger_entry entry = {
        .kind = LEDGER_REVOKE,
        .actor = asker->id,
        .door = asker->door,
        .peer = asker->peer,
        .request = asker->request_id,
        .issuer = item->issuer,
        .serial = item->serial,
        .body.revoke = {.reason = job->ask.what.reason, .invalidity = job->ask.what.invalidity}};
    if (!item->known) {
        entry.kind = LEDGER_STRAY;
        entry.body.stray = (struct ledger_stray){.n = item->n,
                                                 .sealed_at = item->sealed_at,
                                                 .template = item->template,
                                                 .tbs_sha256 = item->tbs_sha256};
    }
    struct err *e = ledger_append(job->ca->ledger, &entry, struck, job, NULL);
    if (!e) {
        job->waiting++;
        job->struck++;
    }
    return e;
}

/* --- one of them --- */

static bool is_revoked(const struct many_job *job, const struct ledger_cert *cert)
{
    bool held = cert->state == LEDGER_STATE_REVOKED && cert->reason == CERT_REASON_CERTIFICATE_HOLD;
    return cert->state == LEDGER_STATE_SEALED_LOST ||
           (cert->state == LEDGER_STATE_REVOKED &&
            (!held || job->ask.what.reason == CERT_REASON_CERTIFICATE_HOLD));
}

/* An auditor sees what it would hit. A CA's certificate takes all below it along: it is revoked alone, by its
 * serial. */
static bool is_ours(const struct many_job *job, const struct ledger_cert *cert)
{
    bool looks = job->report.dry_run && job->asker.role == CA_ROLE_AUDITOR;
    struct err *e = looks ? NULL : asker_check_revoke(&job->asker, cert);
    bool may = e == NULL;
    err_free(e);
    bool stands = cert->state == LEDGER_STATE_RECORDED || cert->state == LEDGER_STATE_REVOKED ||
                  cert->state == LEDGER_STATE_UNRECORDED;
    return may && stands && !asker_is_ca(cert);
}

static struct err *take_one(struct many_job *job, const struct many_item *item)
{
    struct err *e = NULL;
    struct ca_many_report *r = &job->report;
    r->chosen++;
    if (!item->known && !item->sealed) {
        r->missing++;
        return NULL;
    }
    if (item->known && is_revoked(job, &item->cert)) {
        r->already++;
        return NULL;
    }
    if (item->known && !is_ours(job, &item->cert)) {
        r->refused++;
        return NULL;
    }
    if (job->ask.at_most && r->hit >= job->ask.at_most) {
        job->more = false;
        end(job, CA_MANY_STOPPED, "more are chosen than at_most: look again before you revoke them");
        return NULL;
    }
    many_count(job, item);
    if (!r->dry_run)
        TRY(strike(job, item));
out:
    return e;
}

void many_take(struct many_job *job, const struct many_item *items, size_t n, bool more)
{
    job->more = more;
    for (size_t i = 0; i < n && job->report.state == CA_MANY_RUNNING; i++) {
        struct err *e = take_one(job, &items[i]);
        if (e)
            many_fail(job, e);
    }
    go_on(job);
}

/* --- asking --- */

static const char *copy_text(struct arena *arena, const char *text)
{
    return text ? arena_str(arena, view_str(text)) : NULL;
}

static void copy_asker(struct many_job *job, const struct ca_asker *from)
{
    struct ca_asker *to = &job->asker;
    *to = (struct ca_asker){.role = from->role, .shown = from->shown};
    to->id = copy_text(job->arena, from->id);
    to->door = copy_text(job->arena, from->door);
    to->peer = copy_text(job->arena, from->peer);
    to->request_id = copy_text(job->arena, from->request_id);
}

static void copy_query(struct many_job *job, const struct ledger_query *from)
{
    struct arena *a = job->arena;
    struct ledger_query *to = &job->query;
    *to = *from;
    const char **texts[] = {&to->issuer,  &to->name,  &to->under,   &to->net,
                            &to->subject, &to->actor, &to->template};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = copy_text(a, *texts[i]);
    to->spki_sha256 = arena_dup(a, from->spki_sha256);
    to->fingerprint = arena_dup(a, from->fingerprint);
    to->cursor = NULL;
    to->limit = MANY_STEP;
}

static void copy_serials(struct many_job *job, const struct ca_many_ask *from)
{
    struct view *copies = arena_array(job->arena, from->serials_n, sizeof *copies);
    for (size_t i = 0; i < from->serials_n; i++)
        copies[i] = arena_dup(job->arena, from->serials[i]);
    job->ask.serials = copies;
}

static struct many_job *job_new(struct ca *ca, const struct ca_many_ask *ask)
{
    uint8_t id[16];
    struct many_job *job = calloc(1, sizeof *job);
    CHECK(job);
    job->ca = ca;
    job->arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    job->page = arena_new(PAGE_ARENA_BYTES);
    job->timer = loop_timer_new(ca->loop, due, job);
    job->ask = *ask;
    job->ask.issuer = copy_text(job->arena, ask->issuer);
    job->ask.question = copy_text(job->arena, ask->question);
    copy_asker(job, ask->asker);
    copy_serials(job, ask);
    if (ask->query)
        copy_query(job, ask->query);
    job->report = (struct ca_many_report){.state = CA_MANY_RUNNING,
                                          .why = "",
                                          .dry_run = ask->dry_run,
                                          .question = job->ask.question,
                                          .reason = ask->what.reason,
                                          .started_s = world_now_s()};
    world_random(id, sizeof id);
    hex_put(job->report.id, view_of(id, sizeof id));
    return job;
}

static void forget_old(struct ca *ca)
{
    size_t n = 0;
    for (struct many_job **at = &ca->many; *at;) {
        struct many_job *job = *at;
        if (++n < KEPT_MAX || job->report.state == CA_MANY_RUNNING || job->waiting > 0) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job_free(job);
    }
}

static struct err *check_ask(struct ca *ca, const struct ca_many_ask *ask)
{
    size_t running = 0;
    for (const struct many_job *job = ca->many; job; job = job->next)
        running += job->report.state == CA_MANY_RUNNING;
    if (ask->asker->role == CA_ROLE_AUDITOR && !ask->dry_run)
        return err_new(ERR_FORBIDDEN, "an auditor may look, not revoke");
    if (ask->source == CA_MANY_ROLL &&
        (ask->asker->role == CA_ROLE_REQUESTER || ask->asker->role == CA_ROLE_ENROLL_AGENT))
        return err_new(ERR_FORBIDDEN, "the seal roll is for the house's own people");
    if (running >= RUNNING_MAX)
        return err_new(ERR_BUSY, "%zu of these are under way", running);
    return NULL;
}

static void write_down(struct many_job *job)
{
    const struct ledger_entry entry = {
        .kind = LEDGER_REVOKE_MANY,
        .actor = job->asker.id,
        .door = job->asker.door,
        .peer = job->asker.peer,
        .request = job->asker.request_id,
        .body.note = {.what = arena_printf(job->arena, "%s: %s", cert_crl_reason_name(job->ask.what.reason),
                                           job->ask.question),
                      .number = job->ask.at_most},
    };
    ca_note(job->ca, &entry);
}

struct err *ca_many_start(struct ca *ca, const struct ca_many_ask *ask, const struct ca_many_report **ret)
{
    struct err *e = check_ask(ca, ask);
    if (e)
        return e;
    forget_old(ca);
    struct many_job *job = job_new(ca, ask);
    job->next = ca->many;
    ca->many = job;
    if (!ask->dry_run)
        write_down(job);
    loop_timer_set(job->timer, 0);
    *ret = &job->report;
    return NULL;
}

static struct err *job_find(struct ca *ca, const struct ca_asker *asker, const char *id,
                            struct many_job **ret)
{
    for (struct many_job *job = ca->many; job; job = job->next) {
        bool own = (asker->role != CA_ROLE_REQUESTER && asker->role != CA_ROLE_ENROLL_AGENT) ||
                   strcmp(asker->id, job->asker.id) == 0;
        if (!own || strcmp(job->report.id, id) != 0)
            continue;
        *ret = job;
        return NULL;
    }
    return err_new(ERR_NOT_FOUND, "no such revocation is under way or was lately");
}

struct err *ca_many_find(struct ca *ca, const struct ca_asker *asker, const char *id,
                         const struct ca_many_report **ret)
{
    struct many_job *job;
    struct err *e = job_find(ca, asker, id, &job);
    if (!e)
        *ret = &job->report;
    return e;
}

struct err *ca_many_stop(struct ca *ca, const struct ca_asker *asker, const char *id)
{
    struct many_job *job;
    struct err *e = job_find(ca, asker, id, &job);
    if (!e && job->report.state == CA_MANY_RUNNING)
        end(job, CA_MANY_STOPPED, "it was told to stop");
    return e;
}
