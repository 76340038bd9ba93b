/*
 * Revocation, and the end of a hold: one entry in the ledger, durable before anyone is told. It needs neither
 * the vault nor a trusted clock; the rooms crl and ocsp see the entry and do their part. On the loop's
 * thread.
 */
#include "asker.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "ca_revoke.h"
#include "house.h"

#include <stdlib.h>

struct revoking {
    ca_revoked *done;
    void *arg;
    char serial[2 * SERIAL_BYTES + 1];
    char asker[128];
    bool release;
};

static void log_revoked(const struct revoking *rv, const struct ledger_result *r)
{
    if (rv->release) {
        log_info("cert.released", log_text("serial", rv->serial), log_text("asker", rv->asker));
        return;
    }
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

    const struct ca_issuer *known = ca_issuer_find(ca->setup, issuer);
    if (known)
        TRY(hsm_state_check(issuer, ca_issuer_state(ca, known), HSM_WORKS_REVOKE));
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

static struct err *write(struct ca *ca, struct ledger_entry *entry, const struct ca_asker *asker,
                         ca_revoked *done, void *arg)
{
    struct err *e = NULL;
    struct revoking *rv = NULL;
    entry->actor = asker->id;
    entry->door = asker->door;
    entry->peer = asker->peer;
    entry->request = asker->request_id;
    if (entry->serial.n != SERIAL_BYTES)
        return err_new(ERR_NOT_FOUND, "no certificate of this serial is on record");
    TRY(check(ca, asker, entry->issuer, entry->serial));
    rv = revoking_new(asker, entry->serial, done, arg);
    rv->release = entry->kind == LEDGER_RELEASE;
    TRY(ledger_append(ca->ledger, entry, revoked, rv, NULL));
    rv = NULL;
out:
    free(rv);
    return e;
}

struct err *ca_revocation_check(const struct ca_revocation *what)
{
    if (what->invalidity <= world_now_s())
        return NULL;
    return err_at(err_new(ERR_BAD_FIELD, "the invalidity date lies in the future (RFC 5280 5.3.2)"),
                  "/invalidity_date");
}

struct err *ca_revoke(struct ca *ca, const struct ca_asker *asker, const char *issuer, struct view serial,
                      const struct ca_revocation *what, ca_revoked *done, void *arg)
{
    struct err *e = NULL;
    struct ledger_entry entry = {
        .kind = LEDGER_REVOKE,
        .issuer = issuer,
        .serial = serial,
        .body.revoke = {.reason = what->reason, .invalidity = what->invalidity},
    };
    TRY(ca_revocation_check(what));
    TRY(write(ca, &entry, asker, done, arg));
out:
    return e;
}

struct err *ca_release(struct ca *ca, const struct ca_asker *asker, const char *issuer, struct view serial,
                       const char *why, ca_revoked *done, void *arg)
{
    struct ledger_entry entry = {
        .kind = LEDGER_RELEASE,
        .issuer = issuer,
        .serial = serial,
        .body.note = {.what = why},
    };
    if (asker->role != CA_ROLE_ADMIN && asker->role != CA_ROLE_OPERATOR)
        return err_new(ERR_FORBIDDEN, "administrators and operators end a hold");
    return write(ca, &entry, asker, done, arg);
}
