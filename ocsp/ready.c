/*
 * Answers ready before anybody asks: for responders on other hosts, which can ask nobody. A walk along the
 * issuer's certificates makes what is missing, in the bulk lane; each new certificate gets its answer after
 * it was recorded, never inside its issuance. On the front's loop.
 */
#include <stdio.h>

#include "base/log.h"
#include "base/world.h"
#include "maker.h"

static bool is_wanted(const struct ocsp_state *s)
{
    const struct ocsp_issuer *issuer = maker_issuer_of(s->maker, s->name);
    return issuer && issuer->ready && s->served && signer_holds(&s->signer);
}

static void make(struct ocsp_state *s, const uint8_t serial[SERIAL_BYTES])
{
    struct want w = {.hash = CERT_OCSP_SHA1};
    snprintf(w.issuer, sizeof w.issuer, "%s", s->name);
    memcpy(w.serial, serial, SERIAL_BYTES);
    if (!sweep_lies_there(s->maker, &w))
        answer_make(s->maker, &w, ANSWER_DUE, NULL, NULL);
}

bool ready_step(struct ocsp_state *s)
{
    struct ledger_status page[OCSP_LOOK];
    size_t n = 0, i = 0;
    int64_t now = world_now_s();
    if (!is_wanted(s))
        return false;
    struct err *e =
        ledger_status_page(s->maker->ledger, s->name, view_of(s->readied, s->readied_n), page, OCSP_LOOK, &n);
    if (e)
        log_warn("ocsp.ready", log_text("issuer", s->name), log_err(e));
    err_free(e);
    for (; i < n && s->maker->making_n < OCSP_BULK_MAX; i++) {
        memcpy(s->readied, page[i].serial, SERIAL_BYTES);
        s->readied_n = SERIAL_BYTES;
        if (page[i].not_after >= now)
            make(s, page[i].serial);
    }
    if (n < OCSP_LOOK && i == n)
        s->readied_n = 0;
    return i < n || n == OCSP_LOOK;
}

/* Where too many are under way the walk comes by it. */
void ready_seen(struct ocsp_state *s, struct view serial)
{
    if (serial.n == SERIAL_BYTES && s->maker->making_n < OCSP_BULK_MAX && is_wanted(s))
        make(s, serial.p);
}
