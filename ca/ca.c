/*
 * The engine's life: made, set up anew by a reload, asked whether it is ready. And the small look-ups that
 * every door needs: an issuer by name, a chain, a certificate from its record. On the loop's thread.
 */
#include "base/hex.h"
#include "base/log.h"
#include "census.h"
#include "house.h"

#include <stdlib.h>

/* --- entries of the engine's own --- */

static void noted(void *arg, struct err *e, const struct ledger_result *r)
{
    (void)arg, (void)r;
    if (e)
        log_error("ledger.unnoted", log_err(e));
    err_free(e);
}

void ca_note(struct ca *ca, const struct ledger_entry *entry)
{
    struct err *e = ledger_append(ca->ledger, entry, noted, NULL, NULL);
    if (e)
        noted(NULL, e, NULL);
}

static bool is_listed(const struct ledger_texts *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* An issuer that the ledger has never heard of comes into use. */
static void tell_issuers(struct ca *ca)
{
    struct ledger_texts names = {.n = 0};
    struct arena *arena = arena_new(1u << 20);
    struct err *e = ledger_issuers(ca->ledger, arena, &names);
    for (size_t i = 0; !e && i < ca->setup->issuers_n; i++) {
        const struct ca_issuer *issuer = &ca->setup->issuers[i];
        const struct ledger_entry entry = {
            .kind = LEDGER_ISSUER,
            .actor = "self",
            .door = "self",
            .issuer = issuer->name,
            .body.issuer.certificate = issuer->certificate,
        };
        if (!is_listed(&names, issuer->name))
            ca_note(ca, &entry);
    }
    if (e)
        noted(NULL, e, NULL);
    arena_free(arena);
}

/* --- life --- */

struct err *ca_new(struct loop *loop, struct ledger *ledger, struct hsm *hsm, const struct ca_setup *setup,
                   struct ca **ret)
{
    struct err *e = NULL;
    struct ca *ca = calloc(1, sizeof *ca);

    if (!ca)
        return err_new(ERR_NOMEM, "no memory for the issuing engine");
    *ca = (struct ca){.loop = loop, .ledger = ledger, .hsm = hsm};
    ca->versions = versions_new(ca, loop);
    ca->quota = quota_new();
    ca->desk = cert_key_desk_new();
    TRY(clock_book_open(ca));
    ca_setup_set(ca, setup);
    TRY(census_open(ca));
    *ret = ca;
    ca = NULL;
out:
    ca_free(ca);
    return e;
}

void ca_free(struct ca *ca)
{
    if (!ca)
        return;
    CHECK(!ca->under_way);
    census_close(ca);
    recover_free(ca);
    many_free(ca);
    loop_timer_free(ca->deny_sum);
    versions_free(ca->versions);
    quota_free(ca->quota);
    cert_key_desk_free(ca->desk);
    clock_book_close(ca);
    free(ca);
}

void ca_setup_set(struct ca *ca, const struct ca_setup *setup)
{
    ca->setup = setup;
    for (size_t i = 0; i < setup->issuers_n; i++)
        if (!setup->issuers[i].offline)
            hsm_serials_for(ca->hsm, setup->issuers[i].name);
    tell_issuers(ca);
    versions_set(ca->versions, setup->templates, setup->generation);
}

const struct ca_setup *ca_setup_get(const struct ca *ca)
{
    return ca->setup;
}

void ca_quiet(struct ca *ca)
{
    census_close(ca);
}

void ca_vault_lost(struct ca *ca, struct hsm *vault)
{
    recover_lost(ca, vault);
}

struct err *ca_works(struct ca *ca, const char *issuer)
{
    struct hsm *vault = hsm_for(ca->hsm, issuer ? issuer : ca->setup->default_issuer);
    struct err *e = clock_book_check(ca);
    if (e)
        return e;
    e = ledger_ready(ca->ledger);
    if (e)
        return e;
    if (!hsm_ready(vault))
        return err_new(ERR_TOKEN_AWAY, "the vault is not there");
    if (!recover_is_done(ca, vault))
        return err_new(ERR_STARTING, "what an earlier run left open is being closed");
    return NULL;
}

struct err *ca_ready(struct ca *ca, const char *issuer)
{
    struct err *e = ca_works(ca, issuer);
    if (!e && ledger_restored_by(ca->ledger))
        e = err_new(ERR_RESTORED, "the ledger comes from a backup and its loss is not accepted yet: "
                                  "`chancery ledger accept-loss` (doc/RECOVERY.md)");
    return e;
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

enum hsm_state ca_issuer_state(const struct ca *ca, const struct ca_issuer *issuer)
{
    return hsm_issuer_state(ca->hsm, issuer->name, issuer->facts.not_after);
}

size_t ca_chain(const struct ca_setup *setup, const char *issuer, struct view *ret, size_t max)
{
    size_t n = 0;
    const struct ca_issuer *i = ca_issuer_find(setup, issuer);
    for (; i && !i->root && n < max; i = ca_issuer_find(setup, i->parent_name))
        ret[n++] = i->certificate;
    /* Who trusts another root than this one goes on from here. */
    for (size_t k = 0; i && k < i->cross_n && n < max; k++)
        ret[n++] = i->cross[k];
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

    if ((record->state != LEDGER_STATE_RECORDED && record->state != LEDGER_STATE_REVOKED) ||
        record->record == 0)
        return err_new(ERR_WRONG_STATE, "this issuance did not end in a certificate");
    TRY(cert_alg_parse(view_str(record->seal.alg), &alg));
    TRY(cert_seal(record->decision.tbs, alg, record->seal.signature, arena, &cert.der));
    cert.serial = hex_of(arena, record->serial);
    *ret = cert;
out:
    return e;
}
