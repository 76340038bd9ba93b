/*
 * Who signs an issuer's answers: its own key where that is configured, or where it has expired and nothing is
 * certified under it any more; else a delegated responder, whose key lives in the token, the engine certifies
 * it, and it is renewed with a new key when a third of its life is left. Answers carry the certificate they
 * were sealed under, so old ones stay good while the new one takes over. One issuer at a time: the vault
 * makes one key after the other. On the front's loop.
 */
#include "base/log.h"
#include "base/world.h"
#include "hsm_house.h"
#include "maker.h"

enum { RETRY_MS = 500, RETRY_MAX_MS = 60 * 1000, LOOK_S = 3600 };

bool signer_holds(const struct ocsp_signer *s)
{
    int64_t now = world_now_s();
    return s->there && s->not_before <= now && now < s->not_after;
}

static int64_t due_at(const struct ocsp_signer *s)
{
    return s->not_after - (s->not_after - s->not_before) / 3;
}

static bool is_own(const struct ocsp_state *s)
{
    const struct ocsp_issuer *issuer = maker_issuer_of(s->maker, s->name);
    return (issuer && issuer->by_issuer) || s->not_after <= world_now_s();
}

bool signer_needed(const struct ocsp_state *s)
{
    return s->served && s->not_after > world_now_s();
}

static bool is_due(const struct ocsp_state *s)
{
    const struct ocsp_signer *now = &s->signer;
    if (now->own || is_own(s))
        return now->own != is_own(s) || !signer_holds(now);
    return !signer_holds(now) || world_now_s() >= due_at(now);
}

/* --- whose turn it is --- */

/* One at a time in each vault. */
static bool is_busy(const struct ocsp_maker *m, const struct ocsp_state *s)
{
    const struct hsm *vault = hsm_for(m->hsm, s->name);
    for (size_t i = 0; i < m->states_n; i++)
        if (m->states[i].renewing && hsm_for(m->hsm, m->states[i].name) == vault)
            return true;
    return false;
}

void signer_next(struct ocsp_maker *m)
{
    for (size_t i = 0; i < m->states_n; i++)
        if (!m->states[i].waits)
            signer_go(&m->states[i]);
}

/* From here on its timer decides. */
static void wait_for(struct ocsp_state *s, int64_t ms)
{
    s->renewing = false;
    s->waits = true;
    loop_timer_set(s->renew, ms);
}

static void again_later(struct ocsp_state *s, struct err *e)
{
    int64_t wait = RETRY_MS << (s->failures < 7 ? s->failures : 7);
    s->failures++;
    log_warn("ocsp.no-certificate", log_text("issuer", s->name), log_err(e));
    err_free(e);
    wait_for(s, wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
    signer_next(s->maker);
}

/* Until it is due; looked at each hour, since the wall clock that says so may be moved. */
static void rest(struct ocsp_state *s)
{
    int64_t left = s->signer.own ? LOOK_S : due_at(&s->signer) - world_now_s();
    left = left < 1 ? 1 : left > LOOK_S ? LOOK_S : left;
    s->failures = 0;
    wait_for(s, left * 1000);
}

/* --- a certificate comes into use --- */

static struct err *take_certificate(struct ocsp_state *s, struct view der)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    struct arena *arena = arena_new(256 * 1024);
    struct ocsp_signer next = {.there = true, .der_n = der.n};

    if (der.n > OCSP_CERT_BYTES)
        TRY(err_new(ERR_TOO_LARGE, "a responder certificate of %zu octets", der.n));
    TRY(cert_chain_read(der, arena, &cert));
    memcpy(next.der, der.p, der.n);
    next.not_before = cert.tbs.not_before;
    next.not_after = cert.tbs.not_after;
    if (cert.tbs.serial.n == SERIAL_BYTES)
        memcpy(next.serial, cert.tbs.serial.p, SERIAL_BYTES);
    digest_sha256(cert.key.spki, next.key_sha256);
    cert_key_sha1(&cert.key, next.key_sha1);
    next.alg = cert_alg_default(cert.key.kind);
    s->signer = next;
out:
    arena_free(arena);
    return e;
}

/* No certificate goes along: who asks has the issuer's. */
static void take_own(struct ocsp_state *s)
{
    const struct ocsp_issuer *issuer = maker_issuer_of(s->maker, s->name);
    struct ocsp_signer own = {
        .there = issuer != NULL, .own = true, .not_before = s->not_before, .not_after = INT64_MAX};
    own.alg = issuer ? issuer->alg : CERT_ALG_ECDSA_SHA256;
    memcpy(own.key_sha256, s->spki_sha256, SHA256_BYTES);
    memcpy(own.key_sha1, s->hashes.key_sha1, SHA1_BYTES);
    s->signer = own;
    log_info("ocsp.by-issuer", log_text("issuer", s->name));
}

static void noted(void *arg, struct err *e, const struct ledger_result *r)
{
    (void)arg, (void)r;
    if (e)
        log_error("ocsp.key-unnoted", log_err(e));
    err_free(e);
}

/* Which key answers from now on stands in the ledger. */
static void note_key(const struct ocsp_state *s)
{
    const struct ledger_entry entry = {
        .kind = LEDGER_OCSP_KEY,
        .actor = "self",
        .door = "self",
        .issuer = s->name,
        .body.note = {.what = "responder key", .hash = view_of(s->signer.key_sha256, SHA256_BYTES)},
    };
    struct err *e = ledger_append(s->maker->ledger, &entry, noted, NULL, NULL);
    if (e)
        noted(NULL, e, NULL);
}

static void settled(struct ocsp_state *s)
{
    log_info("ocsp.certificate", log_text("issuer", s->name),
             log_num("days", (long long)((s->signer.not_after - s->signer.not_before) / 86400)));
    rest(s);
    signer_next(s->maker);
}

static void certified(void *arg, struct err *e, struct view certificate)
{
    struct ocsp_state *s = arg;
    uint8_t before[SHA256_BYTES];
    memcpy(before, s->signer.key_sha256, sizeof before);
    if (!e)
        e = take_certificate(s, certificate);
    if (e) {
        again_later(s, e);
        return;
    }
    if (memcmp(before, s->signer.key_sha256, sizeof before) != 0)
        note_key(s);
    settled(s);
}

/* --- the key --- */

static bool is_current(const struct ocsp_state *s, struct view key_sha256)
{
    return signer_holds(&s->signer) && view_eq(key_sha256, view_of(s->signer.key_sha256, SHA256_BYTES));
}

/* The newest certificate for this key that the ledger knows and that holds, if any. */
static struct err *take_recorded(struct ocsp_state *s, struct view key_sha256, struct arena *arena)
{
    struct err *e = NULL;
    struct ledger_page page;
    struct view der;
    enum cert_alg alg;
    const struct ledger_query q = {
        .issuer = s->name,
        .template = "ocsp-signing",
        .spki_sha256 = key_sha256,
        .status = LEDGER_VALID,
        .now = world_now_s(),
        .limit = 1,
    };
    TRY(ledger_search(s->maker->ledger, &q, arena, &page));
    if (page.n == 0)
        return NULL;
    const struct ledger_cert *c = &page.certs[0];
    TRY(cert_alg_parse(view_str(c->seal.alg), &alg));
    TRY(cert_seal(c->decision.tbs, alg, c->seal.signature, arena, &der));
    TRY(take_certificate(s, der));
out:
    return e;
}

/* Whether this key has had its time: another one must take its place. */
static struct err *look_up(struct ocsp_state *s, struct view spki, bool *ret_spent)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(8u << 20);
    struct ledger_key key;
    uint8_t id[SHA256_BYTES];
    struct view hash = view_of(id, sizeof id);
    digest_sha256(spki, id);
    TRY(ledger_key_find(s->maker->ledger, hash, arena, &key));
    if (!key.compromised && !is_current(s, hash))
        TRY(take_recorded(s, hash, arena));
    *ret_spent = key.compromised || is_current(s, hash);
out:
    arena_free(arena);
    return e;
}

static void ask_key(struct ocsp_state *s, bool fresh);

static void key_there(void *arg, struct err *e, struct view spki)
{
    struct ocsp_state *s = arg;
    struct ocsp_maker *m = s->maker;
    bool spent = false;
    if (!e)
        e = look_up(s, spki, &spent);
    if (e)
        again_later(s, e);
    else if (!is_due(s))
        settled(s);
    else if (spent && !s->fresh)
        ask_key(s, true);
    else
        m->certifier.certify(m->certifier.ca, s->name, spki, certified, s);
}

/* First the newest there is: a key that was made and not certified is not wasted. */
static void ask_key(struct ocsp_state *s, bool fresh)
{
    s->fresh = fresh;
    struct err *e = hsm_ocsp_key(s->maker->hsm, s->name, fresh, key_there, s, NULL);
    if (e)
        again_later(s, e);
}

void signer_lost(struct ocsp_maker *m, const char *issuer, const uint8_t key_sha256[SHA256_BYTES])
{
    struct ocsp_state *s = maker_state(m, issuer);
    if (!s || s->renewing || s->signer.own || !signer_holds(&s->signer) || !hsm_signs(m->hsm, issuer) ||
        memcmp(s->signer.key_sha256, key_sha256, SHA256_BYTES) != 0)
        return;
    log_warn("ocsp.key-away", log_text("issuer", issuer));
    s->signer.there = false;
    s->waits = false;
    signer_go(s);
}

void signer_go(struct ocsp_state *s)
{
    if (s->maker->stopped || !s->served || !hsm_ready(hsm_for(s->maker->hsm, s->name)) ||
        is_busy(s->maker, s))
        return;
    if (is_due(s) && is_own(s))
        take_own(s);
    if (!is_due(s)) {
        rest(s);
        return;
    }
    s->renewing = true;
    ask_key(s, false);
}

void signer_due(void *state)
{
    struct ocsp_state *s = state;
    s->waits = false; /* and its turn comes, if not now */
    signer_go(s);
}

void signer_revoked(struct ocsp_state *s, struct view serial)
{
    if (!s->signer.der_n || !view_eq(serial, view_of(s->signer.serial, SERIAL_BYTES)))
        return;
    log_warn("ocsp.certificate-revoked", log_text("issuer", s->name));
    s->signer = (struct ocsp_signer){.there = false};
    s->waits = false;
    signer_go(s);
}
