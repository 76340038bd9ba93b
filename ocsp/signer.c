/*
 * The delegated responder certificate of an issuer: its key lives in the token, the engine certifies it, and
 * it is renewed with a new key when a third of its life is left. Answers carry the certificate they were
 * sealed under, so old ones stay good while the new one takes over.
 */
#include "base/log.h"
#include "base/world.h"
#include "maker.h"

enum { RETRY_MS = 500, RETRY_MAX_MS = 60 * 1000, LOOK_BACK = 32 };

bool signer_holds(const struct ocsp_signer *s)
{
    int64_t now = world_now_s();
    return s->der_n && s->not_before <= now && now < s->not_after;
}

static bool is_due(const struct ocsp_signer *s)
{
    return !signer_holds(s) || s->not_after - world_now_s() < (s->not_after - s->not_before) / 3;
}

static void again_later(struct ocsp_state *s, struct err *e)
{
    int64_t wait = RETRY_MS << (s->failures < 7 ? s->failures : 7);
    s->failures++;
    s->renewing = false;
    log_warn("ocsp.no-certificate", log_text("issuer", s->name), log_err(e));
    err_free(e);
    loop_timer_set(s->renew, wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
}

static struct err *take_certificate(struct ocsp_state *s, struct view der)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    struct arena *arena = arena_new(256 * 1024);
    struct ocsp_signer next = {.der_n = der.n};

    if (der.n > OCSP_CERT_BYTES)
        TRY(err_new(ERR_TOO_LARGE, "a responder certificate of %zu octets", der.n));
    TRY(cert_chain_read(der, arena, &cert));
    memcpy(next.der, der.p, der.n);
    next.not_before = cert.tbs.not_before;
    next.not_after = cert.tbs.not_after;
    digest_sha256(cert.key.spki, next.key_sha256);
    cert_key_sha1(&cert.key, next.key_sha1);
    s->signer = next;
out:
    arena_free(arena);
    return e;
}

static void settled(struct ocsp_state *s)
{
    int64_t life = s->signer.not_after - s->signer.not_before;
    int64_t left = s->signer.not_after - world_now_s() - life / 3;
    s->failures = 0;
    s->renewing = false;
    loop_timer_set(s->renew, (left > 1 ? left : 1) * 1000);
    log_info("ocsp.certificate", log_text("issuer", s->name), log_num("days", (long long)(life / 86400)));
    sweep_catch_up(s->maker);
}

static void certified(void *arg, struct err *e, struct view certificate)
{
    struct ocsp_state *s = arg;
    if (!e)
        e = take_certificate(s, certificate);
    if (e)
        again_later(s, e);
    else
        settled(s);
}

/* A certificate for this key that the ledger knows and that is not soon due. */
static struct err *on_record(struct ocsp_state *s, struct view spki, bool *ret_found)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(8u << 20);
    struct ledger_page page;
    uint8_t id[SHA256_BYTES];
    const struct ledger_query q = {
        .issuer = s->name,
        .template = "ocsp-signing",
        .status = LEDGER_VALID,
        .now = world_now_s(),
        .limit = LOOK_BACK,
    };

    *ret_found = false;
    digest_sha256(spki, id);
    TRY(ledger_search(s->maker->ledger, &q, arena, &page));
    for (size_t i = 0; i < page.n && !*ret_found; i++) {
        const struct ledger_cert *c = &page.certs[i];
        struct view der;
        enum cert_alg alg;
        if (!view_eq(c->decision.spki_sha256, view_of(id, sizeof id)))
            continue;
        TRY(cert_alg_parse(view_str(c->seal.alg), &alg));
        TRY(cert_seal(c->decision.tbs, alg, c->seal.signature, arena, &der));
        TRY(take_certificate(s, der));
        *ret_found = !is_due(&s->signer);
    }
out:
    arena_free(arena);
    return e;
}

static void key_there(void *arg, struct err *e, struct view spki)
{
    struct ocsp_state *s = arg;
    struct ocsp_maker *m = s->maker;
    bool found = false;
    if (!e)
        e = on_record(s, spki, &found);
    if (e) {
        again_later(s, e);
        return;
    }
    if (found) {
        settled(s);
        return;
    }
    m->certifier.certify(m->certifier.ca, s->name, spki, certified, s);
}

void signer_go(struct ocsp_state *s)
{
    if (s->renewing || !s->served || !hsm_ready(s->maker->hsm) || !is_due(&s->signer))
        return;
    s->renewing = true;
    /* one that holds is renewed with a new key, ahead of its end */
    struct err *e = hsm_ocsp_key(s->maker->hsm, s->name, signer_holds(&s->signer), key_there, s, NULL);
    if (e)
        again_later(s, e);
}

void signer_due(void *state)
{
    signer_go(state);
}
