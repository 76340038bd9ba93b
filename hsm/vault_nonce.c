/*
 * NONCE: the responder's narrow lane. Ready answers of ours are sealed anew as one, with the client's nonce
 * and the time, and without any change of what they say; so no responder can make a status. The lane has a
 * share of its own, and while certificates are being sealed a bound. The vault's loop.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "base/world.h"
#include "floor.h"
#include "vault_ocsp.h"
#include "vault_state.h"

/* What the answer needs besides its signature. */
struct nonced {
    struct arena *arena;
    enum cert_alg alg;
    struct view *certs;
    size_t cert_count;
};

static void nonced_forget(void *arg)
{
    struct nonced *n = arg;
    arena_free(n->arena); /* holds n too */
}

static struct err *nonced_finish(void *arg, const struct vault_sealed *sealed, struct arena *arena,
                                 struct view *ret)
{
    const struct nonced *n = arg;
    struct err *e = NULL;
    struct view response;
    struct der_out out;
    TRY(cert_ocsp_seal(sealed->tbs, n->alg, sealed->signature, n->certs, n->cert_count, arena, &response));
    der_out_init(&out, arena, FRAME_BODY_MAX);
    der_put_octets(&out, response);
    TRY(der_out_done(&out, ret));
out:
    return e;
}

static struct nonced *nonced_new(const struct judge_nonce_found *found)
{
    struct arena *arena = arena_new(256 * 1024);
    struct nonced *n = ARENA_NEW(arena, struct nonced);
    *n = (struct nonced){.arena = arena, .alg = found->key.alg, .cert_count = found->cert_count};
    n->certs = arena_array(arena, found->cert_count, sizeof *n->certs);
    for (size_t i = 0; i < found->cert_count; i++)
        n->certs[i] = arena_dup(arena, found->certs[i]);
    return n;
}

/* Before anything is parsed or verified. What the token can do is the lane's while nobody else wants it;
 * while others do, so many a second: the rest of the work a nonce makes, here and on the way, must not be
 * theirs to wait for. */
static struct err *nonce_share(struct hsm_vault *v)
{
    int64_t second = world_mono_ms() / 1000;
    if (second != v->nonce_second) {
        v->nonce_second = second;
        v->nonce_count = 0;
    }
    if (++v->nonce_count > VAULT_NONCES_PER_S && second <= v->issue_second + 1)
        return err_new(ERR_BUSY, "more than %d nonces in a second while certificates are sealed",
                       VAULT_NONCES_PER_S);
    return vault_seal_room(v, SIGNER_NONCE);
}

struct asked {
    struct view issuer, nonce;
    struct view answers[LIMIT_OCSP_REQUESTS];
    size_t n;
};

static struct err *read_answers(struct view list, struct asked *ret)
{
    struct err *e = NULL;
    for (; list.n && ret->n < LIMIT_OCSP_REQUESTS; ret->n++)
        TRY(der_read(&list, DER_OCTET_STRING, &ret->answers[ret->n]));
    TRY(der_end(list));
    if (ret->n == 0)
        e = err_new(ERR_BAD_REQUEST, "a nonce for no answer");
out:
    return e;
}

static struct err *read_asked(struct view in, struct asked *ret)
{
    struct err *e = NULL;
    struct view body, list;
    *ret = (struct asked){.n = 0};
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read(&body, DER_UTF8_STRING, &ret->issuer));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->nonce));
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(der_end(body));
    TRY(read_answers(list, ret));
    if (ret->nonce.n > CERT_OCSP_NONCE_MAX_BYTES)
        e = err_new(ERR_BAD_REQUEST, "a nonce of %zu octets (RFC 9654 2.1)", ret->nonce.n);
    if (!e && ret->nonce.n == 0 && ret->n == 1)
        e = err_new(ERR_BAD_REQUEST, "neither a nonce nor several answers");
out:
    return vault_peer_malformed(e);
}

static struct err *judge(struct vault_call *call, const struct asked *asked, struct judge_nonce_found *ret)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct house_issuer *issuer;
    TRY(vault_issuer(v->house, asked->issuer, &issuer));
    TRY(floor_held(FLOOR_STATE, vault_state_check(v, issuer, HSM_WORKS_OCSP)));
    const struct judge_nonce_case c = {.issuer = issuer,
                                       .responders = v->responders,
                                       .known = v->known,
                                       .answers = asked->answers,
                                       .n = asked->n,
                                       .nonce = asked->nonce,
                                       .now = world_now_s()};
    TRY(judge_nonce(&c, call->arena, ret));
out:
    return e;
}

struct err *vault_nonce(struct vault_call *call)
{
    struct err *e = NULL;
    struct asked asked;
    struct judge_nonce_found found;
    struct nonced *nonced = NULL;
    uint8_t hash[SHA256_BYTES];
    TRY(read_asked(call->body, &asked));
    TRY(nonce_share(call->v));
    TRY(judge(call, &asked, &found));
    digest_sha256(found.tbs, hash);
    struct vault_seal_want want = {.house = call->v->house, .tbs = found.tbs, .lane = SIGNER_NONCE};
    TRY(vault_ocsp_want(&found.key, HSM_ROLL_NONCE, hash, &want));
    nonced = nonced_new(&found);
    want.finish = nonced_finish;
    want.forget = nonced_forget;
    want.arg = nonced;
    TRY(vault_seal_start(call->v, call->peer, call->id, &want));
    nonced = NULL;
out:
    if (nonced)
        nonced_forget(nonced);
    return e;
}
