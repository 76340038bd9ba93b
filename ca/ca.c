/*
 * The engine's life: made, set up anew by a reload, asked whether it is ready. And the small look-ups that
 * every door needs: an issuer by name, a chain, a certificate from its record. On the loop's thread.
 */
#include "base/hex.h"
#include "house.h"

#include <stdlib.h>

struct err *ca_new(struct loop *loop, struct ledger *ledger, struct hsm *hsm, const struct ca_setup *setup,
                   struct ca **ret)
{
    struct err *e = NULL;
    struct ledger_head head;
    struct ca *ca = NULL;

    TRY(ledger_head(ledger, &head));
    ca = calloc(1, sizeof *ca);
    if (!ca)
        return err_new(ERR_NOMEM, "no memory for the issuing engine");
    *ca = (struct ca){.loop = loop, .ledger = ledger, .hsm = hsm};
    clock_start(&ca->clock, head.last_time_ms);
    ca_setup_set(ca, setup);
    *ret = ca;
out:
    return e;
}

void ca_free(struct ca *ca)
{
    if (!ca)
        return;
    CHECK(!ca->under_way);
    recover_free(ca);
    free(ca);
}

void ca_setup_set(struct ca *ca, const struct ca_setup *setup)
{
    ca->setup = setup;
    for (size_t i = 0; i < setup->issuers_n; i++)
        hsm_serials_for(ca->hsm, setup->issuers[i].name);
}

const struct ca_setup *ca_setup_get(const struct ca *ca)
{
    return ca->setup;
}

void ca_vault_lost(struct ca *ca)
{
    ca->recovered = false;
}

struct err *ca_ready(struct ca *ca)
{
    struct err *e = clock_check(&ca->clock);
    if (e)
        return e;
    if (!hsm_ready(ca->hsm))
        return err_new(ERR_TOKEN_AWAY, "the vault is not there");
    if (!ca->recovered)
        return err_new(ERR_STARTING, "what an earlier run left open is being closed");
    return NULL;
}

void ca_clock_confirm(struct ca *ca)
{
    clock_confirm(&ca->clock);
}

size_t ca_under_way(const struct ca *ca)
{
    return ca->under_way_n;
}

const struct ca_issuer *ca_issuer_find(const struct ca_setup *setup, const char *name)
{
    for (size_t i = 0; name && i < setup->issuers_n; i++)
        if (strcmp(setup->issuers[i].name, name) == 0)
            return &setup->issuers[i];
    return NULL;
}

size_t ca_chain(const struct ca_setup *setup, const char *issuer, struct view *ret, size_t max)
{
    size_t n = 0;
    const struct ca_issuer *i = ca_issuer_find(setup, issuer);
    for (; i && !i->root && n < max; i = ca_issuer_find(setup, i->parent_name))
        ret[n++] = i->certificate;
    return n;
}

struct err *ca_certificate_of(const struct ledger_cert *record, struct arena *arena,
                              struct ca_certificate *ret)
{
    struct err *e = NULL;
    enum cert_alg alg;
    struct ca_certificate cert = {
        .issuer = record->issuer,
        .template = record->decision.template,
        .not_before = record->decision.not_before,
        .not_after = record->decision.not_after,
    };

    if (record->state != LEDGER_STATE_RECORDED && record->state != LEDGER_STATE_REVOKED)
        return err_new(ERR_WRONG_STATE, "this issuance did not end in a certificate");
    TRY(cert_alg_parse(view_str(record->seal.alg), &alg));
    TRY(cert_seal(record->decision.tbs, alg, record->seal.signature, arena, &cert.der));
    cert.serial = hex_of(arena, record->serial);
    *ret = cert;
out:
    return e;
}
