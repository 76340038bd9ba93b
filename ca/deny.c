/*
 * Audit entries for what was refused. They never hold the asker up: the answer goes out whether or not the
 * entry is durable yet, and a ledger that cannot take it is logged. On the loop's thread.
 */
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "house.h"

bool deny_admit(struct deny_limit *d, int64_t mono_ms, uint64_t *ret_over)
{
    *ret_over = 0;
    if (d->second != mono_ms / 1000) {
        d->second = mono_ms / 1000;
        d->written = 0;
        *ret_over = d->over;
        d->over = 0;
    }
    if (d->written < DENY_PER_SECOND) {
        d->written++;
        return true;
    }
    d->over++;
    return false;
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

static void append_over(struct ca *ca, uint64_t over)
{
    struct ledger_entry entry = {
        .kind = LEDGER_DENY,
        .body.deny = {.type = "rate", .detail = "refusals beyond those written one by one", .count = over},
    };
    if (over)
        append(ca, &entry);
}

void ca_deny(struct ca *ca, const struct ca_asker *asker, const char *template, const struct err *why)
{
    uint64_t over = 0;
    bool admitted = deny_admit(&ca->deny, world_mono_ms(), &over);
    metric_add(METRIC_CERTS_REFUSED, 1);
    metric_error(err_code(why));
    append_over(ca, over);
    if (!admitted)
        return;
    struct ledger_entry entry = {
        .kind = LEDGER_DENY,
        .actor = asker->id,
        .door = asker->door,
        .peer = asker->peer,
        .request = asker->request_id,
        .body.deny = {.type = err_row(err_code(why))->type,
                      .detail = err_detail(why),
                      .template = template,
                      .count = 1},
    };
    append(ca, &entry);
}
