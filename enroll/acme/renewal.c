/*
 * When to renew (RFC 9773): a window in the last third of a certificate's life, wide enough that all that
 * hang on its issuer can be renewed within it at a part of the rate at which they were seen to be made; over
 * at once where it is revoked.
 */
#include "acme.h"

#include "base/hex.h"
#include "base/world.h"

enum { ASK_AGAIN_S = 6 * 3600, SLOWEST_PER_S = 20, SHARE = 4 };

struct err *renewal_find(struct enroll *en, struct view id, struct arena *arena, struct ledger_cert *ret)
{
    struct err *e = NULL;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    struct view aki, serial;
    size_t dot = view_find(id, '.');
    if (dot == id.n)
        TRY(err_new(ERR_BAD_FIELD,
                    "a certificate is named by base64url(AKI).base64url(serial) (RFC 9773 4.1)"));
    TRY(base64url_parse(arena, view_of(id.p, dot), &aki));
    TRY(base64url_parse(arena, view_from(id, dot + 1), &serial));
    for (size_t i = 0; i < setup->issuers_n; i++)
        if (view_eq(setup->issuers[i].facts.key_id, aki) && serial.n == SERIAL_BYTES)
            return ledger_find(en->setup.ledger, setup->issuers[i].name, serial, arena, ret);
    e = err_new(ERR_NOT_FOUND, "no certificate of this name is on record");
out:
    return e;
}

/* The most that were seen to be made in one second since the start; a slow token's rate until more were. */
static uint64_t rate_of(const struct acme *a)
{
    return a->best_per_s > SLOWEST_PER_S ? a->best_per_s : SLOWEST_PER_S;
}

static void window_of(const struct enroll *en, const struct ledger_cert *c, int64_t *ret_start,
                      int64_t *ret_end)
{
    struct ledger_census census = {.unexpired = 0};
    int64_t life = c->decision.not_after - c->decision.not_before, third = life / 3, width = life / 12;
    if (ca_census(en->setup.ca, c->issuer, &census)) {
        int64_t needed = (int64_t)(census.unexpired * SHARE / rate_of(en->acme));
        width = needed > width ? needed : width;
    }
    width = width > third / 2 ? third / 2 : width;
    *ret_start = c->decision.not_after - third;
    *ret_end = *ret_start + (width > 0 ? width : 1);
    if (c->state == LEDGER_STATE_REVOKED) {
        *ret_end = world_now_s() - 1;
        *ret_start = *ret_end - 3600;
    }
}

void renewal_info(struct http_request *r)
{
    struct err *e = NULL;
    struct ledger_cert record;
    struct acme_ask ask = {.r = r, .en = r->app};
    int64_t start, end;
    e = acme_directory_of(r, &ask.config, &ask.template);
    if (e) {
        http_problem(r, e);
        return;
    }
    TRY(renewal_find(ask.en, http_segment(r, "cert"), r->arena, &record));
    if (record.state != LEDGER_STATE_RECORDED && record.state != LEDGER_STATE_REVOKED)
        TRY(err_new(ERR_NOT_FOUND, "no certificate of this name is on record"));
    window_of(ask.en, &record, &start, &end);
    http_add(r, "Retry-After", "%d", ASK_AGAIN_S);
    answer_json(
        r, 200,
        json_pack("{s:{s:o, s:o}}", "suggestedWindow", "start", answer_time(start), "end", answer_time(end)));
out:
    if (e)
        acme_problem(&ask, e);
}
