/*
 * Audit entries for what was refused, and for what went past the roles. They never hold the asker up: the
 * answer goes out whether or not the entry is durable yet, and a ledger that cannot take it is logged. On the
 * loop's thread.
 */
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "ca_act.h"
#include "house.h"

enum { DENY_TEMPLATE_BYTES = 64 };

bool deny_admit(struct deny_limit *d, int64_t mono_ms)
{
    const int64_t most = (int64_t)DENY_BURST * 1000;
    d->left_m = d->at_ms ? d->left_m + (mono_ms - d->at_ms) * DENY_PER_SECOND : most;
    d->left_m = d->left_m < most ? d->left_m : most;
    d->at_ms = mono_ms;
    if (d->left_m < 1000) {
        d->over++;
        return false;
    }
    d->left_m -= 1000;
    return true;
}

uint64_t deny_take_over(struct deny_limit *d)
{
    uint64_t over = d->over;
    d->over = 0;
    return over;
}

static void written(void *arg, struct err *e, const struct ledger_result *r)
{
    (void)arg, (void)r;
    if (e)
        log_error("deny.unwritten", log_err(e));
    err_free(e);
}

static void append(struct ca *ca, const struct ledger_entry *entry)
{
    struct err *e = ledger_append(ca->ledger, entry, written, NULL, NULL);
    if (e)
        written(NULL, e, NULL);
}

void deny_sum_up(struct ca *ca)
{
    uint64_t over = deny_take_over(&ca->deny);
    const struct ledger_entry entry = {
        .kind = LEDGER_DENY,
        .body.deny = {.type = "rate", .detail = "refusals beyond those written one by one", .count = over},
    };
    if (over)
        append(ca, &entry);
}

static void sum_due(void *arg)
{
    deny_sum_up(arg);
}

static void count_over(struct ca *ca)
{
    if (ca->deny.over > 1) /* the timer runs */
        return;
    if (!ca->deny_sum)
        ca->deny_sum = loop_timer_new(ca->loop, sum_due, ca);
    loop_timer_set(ca->deny_sum, DENY_SUM_MS);
}

/* What was asked for is anybody's text: an entry must not fail for it. */
static const char *plain(const char *template)
{
    return template && strlen(template) <= DENY_TEMPLATE_BYTES && view_is_utf8(view_str(template)) ? template
                                                                                                   : "";
}

void ca_break_glass(struct ca *ca, const struct ca_asker *asker, const char *what)
{
    const struct ledger_entry entry = {
        .kind = LEDGER_BREAK_GLASS,
        .actor = asker->id,
        .door = asker->door,
        .peer = asker->peer,
        .request = asker->request_id,
        .body.note = {.what = what},
    };
    metric_add(METRIC_BREAK_GLASS, 1);
    log_error("break-glass", log_text("actor", asker->id), log_text("what", what));
    append(ca, &entry);
}

void ca_deny(struct ca *ca, const struct ca_asker *asker, const char *template, const struct err *why)
{
    metric_add(METRIC_CERTS_REFUSED, 1);
    metric_error(err_code(why));
    if (!deny_admit(&ca->deny, world_mono_ms())) {
        count_over(ca);
        return;
    }
    const struct ledger_entry entry = {
        .kind = LEDGER_DENY,
        .actor = asker->id,
        .door = asker->door,
        .peer = asker->peer,
        .request = asker->request_id,
        .body.deny = {.type = err_row(err_code(why))->type,
                      .detail = err_detail(why),
                      .template = plain(template),
                      .count = 1},
    };
    append(ca, &entry);
}
