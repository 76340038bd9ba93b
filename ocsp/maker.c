/*
 * The making half's life: issuers set, channels to responders taken, the sweep started. On the front's loop.
 */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"

const struct ocsp_issuer *maker_issuer_of(const struct ocsp_maker *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->issuers[i].name, name) == 0)
            return &m->issuers[i];
    return NULL;
}

struct ocsp_state *maker_state(struct ocsp_maker *m, const char *name)
{
    for (size_t i = 0; name && i < m->states_n; i++)
        if (strcmp(m->states[i].name, name) == 0)
            return &m->states[i];
    return NULL;
}

static struct err *read_issuer(struct view certificate, struct ocsp_state *ret)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    struct arena *arena = arena_new(256 * 1024);
    TRY(cert_chain_read(certificate, arena, &cert));
    cert_ocsp_issuer_of(cert.tbs.subject, &cert.key, &ret->hashes);
    digest_sha256(cert.key.spki, ret->spki_sha256);
    ret->not_before = cert.tbs.not_before;
    ret->not_after = cert.tbs.not_after;
out:
    arena_free(arena);
    return e;
}

static void state_new(struct ocsp_maker *m, const struct ocsp_issuer *issuer)
{
    struct ocsp_state *s = &m->states[m->states_n];
    struct err *e = NULL;
    if (m->states_n == OCSP_ISSUERS_MAX)
        e = err_new(ERR_CONFIG, "more than %d issuers", OCSP_ISSUERS_MAX);
    if (!e) {
        *s = (struct ocsp_state){.maker = m, .served = true};
        e = read_issuer(issuer->certificate, s);
    }
    if (e) {
        log_error("ocsp.issuer", log_text("issuer", issuer->name), log_err(e));
        err_free(e);
        return;
    }
    snprintf(s->name, sizeof s->name, "%s", issuer->name);
    s->renew = loop_timer_new(m->loop, signer_due, s);
    m->states_n++;
}

void ocsp_maker_set(struct ocsp_maker *m, uint32_t generation, const struct ocsp_issuer *issuers, size_t n)
{
    m->generation = generation;
    m->issuers = issuers;
    m->n = n;
    for (size_t i = 0; i < m->states_n; i++) {
        m->states[i].served = maker_issuer_of(m, m->states[i].name) != NULL;
        m->states[i].waits = false; /* who signs may be another now */
    }
    for (size_t i = 0; i < n; i++)
        if (!maker_state(m, issuers[i].name))
            state_new(m, &issuers[i]);
    if (!m->caught_up) /* the vault may be long in coming: what is out of date is taken off the shelf now */
        sweep_catch_up(m);
    signer_next(m);
}

void ocsp_maker_go(struct ocsp_maker *m)
{
    for (size_t i = 0; i < m->states_n; i++) {
        m->states[i].failures = 0;
        m->states[i].waits = false;
    }
    signer_next(m);
}

struct err *ocsp_maker_ready(const struct ocsp_maker *m)
{
    for (size_t i = 0; i < m->states_n; i++)
        if (signer_needed(&m->states[i]) && !signer_holds(&m->states[i].signer))
            return err_new(ERR_STARTING, "'%s' has no responder certificate", m->states[i].name);
    return NULL;
}

struct err *ocsp_maker_new(struct loop *loop, struct ledger *ledger, struct shelf *shelf, struct hsm *hsm,
                           struct ocsp_certifier certifier, struct ocsp_maker **ret)
{
    struct ocsp_maker *m = calloc(1, sizeof *m);
    if (!m)
        return err_new(ERR_NOMEM, "no memory for the OCSP maker");
    *m = (struct ocsp_maker){
        .loop = loop, .ledger = ledger, .shelf = shelf, .hsm = hsm, .certifier = certifier};
    m->sweep = loop_timer_new(loop, sweep_tick, m);
    loop_timer_set(m->sweep, 1000);
    ledger_watch(ledger, sweep_seen, m);
    *ret = m;
    return NULL;
}

void ocsp_maker_stop(struct ocsp_maker *m)
{
    m->stopped = true;
    loop_timer_clear(m->sweep);
    for (size_t i = 0; i < m->states_n; i++)
        loop_timer_clear(m->states[i].renew);
}

void ocsp_maker_free(struct ocsp_maker *m)
{
    if (!m)
        return;
    answer_drop_all(m);
    peers_close(m);
    for (size_t i = 0; i < m->states_n; i++)
        loop_timer_free(m->states[i].renew);
    loop_timer_free(m->sweep);
    free(m);
}
