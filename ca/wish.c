/*
 * One approved wish on its way: act, shape, intend, seal, record. Judges nothing that the vault does not
 * judge again. On the loop's thread.
 */
#include <stdlib.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "ca_wish.h"
#include "cert/chain.h"
#include "cert/name.h"
#include "house.h"
#include "hsm_freeze.h"
#include "hsm_house.h"

enum { SERIAL_TRY_MS = 50, SERIAL_TRIES = 200 };

struct wishing {
    struct ca *ca;
    struct hsm *hsm; /* the vault that the act is for: it makes the key and signs */
    struct arena *arena;
    struct ca_asker asker;
    uint32_t generation;
    struct hsm_wish wish;
    struct view spki, cri;
    struct templates_issuer facts; /* of who signs */
    struct view subject;           /* exactly so, DER */
    uint8_t serial[SERIAL_BYTES];
    struct loop_timer *timer; /* until the first serial of a new name is leased */
    unsigned tries;
    struct templates_shaped shaped;
    struct view tbs, signature;
    uint64_t intent, n;
    struct ca_wished result;
    ca_wished_fn *done;
    void *arg;
};

static void end(struct wishing *w, struct err *e)
{
    if (e)
        log_warn("wish.failed", log_text("name", w->wish.name), log_text("issuer", w->wish.issuer),
                 log_err(e));
    if (e && w->intent)
        recover_soon(w->ca, w->wish.issuer);
    w->done(w->arg, e, e ? NULL : &w->result);
    loop_timer_free(w->timer);
    arena_free(w->arena);
}

static struct ledger_entry entry_of(const struct wishing *w, unsigned kind)
{
    return (struct ledger_entry){.kind = kind,
                                 .actor = w->asker.id,
                                 .door = w->asker.door,
                                 .peer = w->asker.peer,
                                 .request = w->asker.request_id};
}

/* --- record --- */

static void recorded(void *arg, struct err *e, const struct ledger_result *r)
{
    struct wishing *w = arg;
    (void)r;
    if (!e)
        e = cert_seal(w->tbs, w->facts.alg, w->signature, w->arena, &w->result.certificate);
    if (!e)
        log_info("issuer.certified", log_text("name", w->wish.name), log_text("issuer", w->wish.issuer),
                 log_text("subject", w->shaped.subject));
    end(w, e);
}

static void sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    struct wishing *w = arg;
    if (!e) {
        w->signature = arena_dup(w->arena, signature);
        struct ledger_entry entry = entry_of(w, LEDGER_RECORD);
        entry.ref = w->intent;
        entry.body.record =
            (struct ledger_record){.n = n, .alg = cert_alg_name(w->facts.alg), .signature = w->signature};
        e = ledger_append(w->ca->ledger, &entry, recorded, w, NULL);
    }
    if (e)
        end(w, e);
}

/* --- intend --- */

static void intended(void *arg, struct err *e, const struct ledger_result *r)
{
    struct wishing *w = arg;
    if (!e) {
        w->intent = r->seq;
        e = hsm_seal_granted(w->hsm, w->generation, w->tbs, sealed, w, NULL);
    }
    if (e)
        end(w, e);
}

static struct err *intend(struct wishing *w)
{
    uint8_t spki[SHA256_BYTES];
    struct ledger_entry entry = entry_of(w, LEDGER_INTENT);
    digest_sha256(w->spki, spki);
    entry.issuer = w->wish.issuer;
    entry.serial = view_of(w->serial, SERIAL_BYTES);
    entry.body.intent = (struct ledger_intent){
        .template = w->wish.template,
        .generation = w->generation,
        .names = {w->shaped.names_n, w->shaped.names},
        .subject = w->shaped.subject,
        .not_before = w->shaped.tbs->not_before,
        .not_after = w->shaped.tbs->not_after,
        .spki_sha256 = view_of(spki, sizeof spki),
        .roll_floor = hsm_roll_n(w->hsm),
        .tbs = w->tbs,
    };
    return ledger_append(w->ca->ledger, &entry, intended, w, NULL);
}

/* --- shape --- */

static struct err *subject_parts(struct wishing *w, const struct templates_rdn **ret, size_t *ret_n)
{
    struct err *e = NULL;
    struct cert_name name;
    const struct cert_name_part *parts;
    TRY(cert_name_parse(w->subject, w->arena, &name));
    TRY(cert_name_split_text(cert_name_text(&name, w->arena), w->arena, &parts, ret_n));
    struct templates_rdn *to = arena_array(w->arena, *ret_n, sizeof *to);
    for (size_t i = 0; i < *ret_n; i++)
        to[i] = (struct templates_rdn){parts[i].type, parts[i].value};
    *ret = to;
out:
    return e;
}

static struct err *shape(struct wishing *w)
{
    struct err *e = NULL;
    const struct template *t = templates_find(w->ca->setup->templates, view_str(w->wish.template));
    if (!t)
        return err_new(ERR_TEMPLATE_UNKNOWN, "no template '%.100s'", w->wish.template);
    struct templates_request want = {.spki = w->spki,
                                     .serial = view_of(w->serial, SERIAL_BYTES),
                                     .now = world_now_s(),
                                     .has_subject = true};
    TRY(subject_parts(w, &want.subject, &want.subject_n));
    TRY(templates_shape(t, &want, &w->facts, w->arena, &w->shaped));
    struct cert_tbs exact = *w->shaped.tbs;
    exact.subject = w->subject;
    TRY(cert_tbs_write(&exact, w->arena, &w->tbs));
    TRY(intend(w));
out:
    return e;
}

/* A new root's name has no serials on lease yet: they come within a moment. */
static void take_serial(void *arg)
{
    struct wishing *w = arg;
    struct err *e = hsm_serial(w->hsm, w->wish.issuer, w->serial);
    if (e && err_code(e) == ERR_BUSY && w->tries++ < SERIAL_TRIES) {
        err_free(e);
        loop_timer_set(w->timer, SERIAL_TRY_MS);
        return;
    }
    if (!e)
        e = shape(w);
    if (e)
        end(w, e);
}

/* Who signs: one of ours, or the new key itself. */
static struct err *find_signer(struct wishing *w)
{
    struct err *e = NULL;
    struct cert_key key;
    const struct ca_setup *setup = w->ca->setup;
    const struct ca_issuer *i = ca_issuer_find(setup, w->wish.issuer);
    if (i) { /* copied: a reload may come between */
        w->facts = i->facts;
        w->facts.name = w->wish.issuer;
        w->facts.subject = arena_dup(w->arena, i->facts.subject);
        w->facts.key_id = arena_dup(w->arena, i->facts.key_id);
        w->facts.base_url = arena_str(w->arena, view_str(i->facts.base_url));
        return NULL;
    }
    if (strcmp(w->wish.issuer, w->wish.name) != 0)
        return err_new(ERR_ISSUER_UNKNOWN, "no issuer '%.64s'", w->wish.issuer);
    uint8_t *id = arena_alloc(w->arena, SHA1_BYTES);
    TRY(cert_key_parse(w->spki, &key));
    cert_key_sha1(&key, id);
    w->facts = (struct templates_issuer){.name = w->wish.name,
                                         .subject = w->subject,
                                         .key_id = view_of(id, SHA1_BYTES),
                                         .alg = cert_alg_default(key.kind),
                                         .not_after = INT64_MAX,
                                         .base_url =
                                             arena_str(w->arena, view_str(setup->issuers[0].facts.base_url))};
out:
    return e;
}

/* Key and subject that the proof brings: a request's subject gives way to the wish's, a certificate's stays.
 */
static struct err *read_proof(struct wishing *w)
{
    struct err *e = NULL;
    struct cert_csr csr;
    struct cert_tbs tbs;
    w->subject = w->wish.subject;
    if (w->wish.proof.n == 0)
        return NULL;
    e = cert_tbs_open(w->wish.proof, w->arena, NULL, &tbs);
    if (!e) {
        w->spki = tbs.spki;
        w->subject = tbs.subject;
        return NULL;
    }
    err_free(e);
    TRY(cert_csr_parse(w->wish.proof, w->arena, &csr));
    w->spki = csr.key.spki;
    if (w->subject.n == 0)
        TRY(cert_name_of_text(cert_name_text(&csr.subject, w->arena), w->arena, &w->subject));
out:
    return e;
}

static struct err *certify(struct wishing *w)
{
    struct err *e = NULL;
    const struct ca_issuer *own = ca_issuer_find(w->ca->setup, w->wish.name);
    TRY(read_proof(w));
    if (w->subject.n == 0 && own) /* renewed */
        w->subject = arena_dup(w->arena, own->facts.subject);
    TRY(find_signer(w));
    hsm_serials_for(w->hsm, w->wish.issuer);
    w->timer = loop_timer_new(w->ca->loop, take_serial, w);
    loop_timer_set(w->timer, 1);
out:
    return e;
}

/* --- a request that goes out --- */

static void requested(void *arg, struct err *e, uint64_t n, struct view signature)
{
    struct wishing *w = arg;
    struct cert_key key;
    (void)n;
    if (!e)
        e = cert_key_parse(w->spki, &key);
    if (!e)
        e = cert_seal(w->cri, cert_alg_default(key.kind), signature, w->arena, &w->result.csr);
    end(w, e);
}

static struct err *request(struct wishing *w)
{
    struct err *e = cert_csr_write(w->wish.subject, w->spki, w->arena, &w->cri);
    return e ? e : hsm_seal_csr(w->hsm, w->generation, w->wish.name, w->cri, requested, w, NULL);
}

/* --- the act --- */

static void acted(void *arg, struct err *e, uint64_t n, struct view result)
{
    struct wishing *w = arg;
    w->result.n = n;
    if (!e) {
        w->spki = arena_dup(w->arena, result);
        e = w->wish.issuer[0] ? certify(w) : request(w);
    }
    if (e)
        end(w, e);
}

static struct wishing *wishing_new(struct ca *ca, const struct ca_asker *asker, ca_wished_fn *done, void *arg)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct wishing *w = ARENA_NEW(arena, struct wishing);
    *w = (struct wishing){.ca = ca, .arena = arena, .done = done, .arg = arg};
    w->generation = (uint32_t)ca->setup->generation;
    w->asker.id = arena_str(arena, view_str(asker->id));
    w->asker.door = arena_str(arena, view_str(asker->door));
    w->asker.peer = arena_str(arena, view_str(asker->peer));
    w->asker.request_id = arena_str(arena, view_str(asker->request_id));
    return w;
}

struct err *ca_wish_do(struct ca *ca, const struct ca_asker *asker, enum hsm_act_kind kind, struct view vault,
                       struct view approved, struct view payload, ca_wished_fn *done, void *arg)
{
    struct err *e = NULL;
    struct wishing *w = wishing_new(ca, asker, done, arg);
    w->hsm = hsm_of_roll(ca->hsm, vault);
    if (!w->hsm)
        TRY(err_new(ERR_TOKEN_AWAY, "the vault that the request is for is not there"));
    TRY(hsm_wish_read(arena_dup(w->arena, payload), kind, w->arena, &w->wish));
    w->result.name = w->wish.name;
    w->result.issuer = w->wish.issuer;
    if (!ca_issuer_find(ca->setup, w->wish.name))
        hsm_holds(w->hsm, w->wish.name); /* also where it signs itself */
    TRY(ca_ready(ca, w->wish.issuer[0] ? w->wish.issuer : w->wish.name));
    TRY(hsm_act(w->hsm, approved, payload, acted, w, NULL));
    return NULL;
out:
    arena_free(w->arena);
    return e;
}
