/*
 * Revocation: one entry in the ledger, durable before anyone is told. It needs neither the vault nor a
 * trusted clock; the rooms crl and ocsp see the entry and do their part. On the loop's thread.
 */
#include "asker.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "house.h"

#include <stdlib.h>

struct revoking {
    ca_revoked *done;
    void *arg;
    char serial[2 * SERIAL_BYTES + 1];
    char asker[128];
};

static void log_revoked(const struct revoking *rv, const struct ledger_result *r)
{
    metric_add(METRIC_CERTS_REVOKED, 1);
    log_info("cert.revoked", log_text("serial", rv->serial),
             log_text("reason", cert_crl_reason_name(r->reason)), log_text("asker", rv->asker));
}

static void revoked(void *arg, struct err *e, const struct ledger_result *r)
{
    struct revoking *rv = arg;
    if (!e && r->outcome == LEDGER_WRITTEN)
        log_revoked(rv, r);
    if (!e)
        world_point("ca.revoke.durable");
    if (e)
        rv->done(rv->arg, e, 0, CERT_REASON_UNSPECIFIED, false);
    else
        rv->done(rv->arg, NULL, r->revoked_at, (enum cert_reason)r->reason, r->outcome == LEDGER_ALREADY);
    free(rv);
}

static struct err *check(struct ca *ca, const struct ca_asker *asker, const char *issuer, struct view serial)
{
    struct err *e = NULL;
    struct ledger_cert record;
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);

    TRY(ledger_find(ca->ledger, issuer, serial, arena, &record));
    TRY(asker_check_revoke(asker, &record));
out:
    arena_free(arena);
    return e;
}

static struct revoking *revoking_new(const struct ca_asker *asker, struct view serial, ca_revoked *done,
                                     void *arg)
{
    struct revoking *rv = calloc(1, sizeof *rv);
    CHECK(rv);
    rv->done = done;
    rv->arg = arg;
    hex_put(rv->serial, serial);
    snprintf(rv->asker, sizeof rv->asker, "%s", asker->id);
    return rv;
}

struct err *ca_revoke(struct ca *ca, const struct ca_asker *asker, const char *issuer, struct view serial,
                      enum cert_reason reason, ca_revoked *done, void *arg)
{
    struct err *e = NULL;
    struct revoking *rv = NULL;
    const struct ledger_entry entry = {
        .kind = LEDGER_REVOKE,
        .actor = asker->id,
        .door = asker->door,
        .peer = asker->peer,
        .request = asker->request_id,
        .issuer = issuer,
        .serial = serial,
        .body.revoke = {.reason = reason},
    };

    if (serial.n != SERIAL_BYTES)
        return err_new(ERR_NOT_FOUND, "no certificate of this serial is on record");
    TRY(check(ca, asker, issuer, serial));
    rv = revoking_new(asker, serial, done, arg);
    TRY(ledger_append(ca->ledger, &entry, revoked, rv, NULL));
    rv = NULL;
out:
    free(rv);
    return e;
}
