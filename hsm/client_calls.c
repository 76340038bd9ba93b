/*
 * The client's questions: each writes its body, asks, and reads its answer into the caller's `done`. Never
 * retries. One loop's thread.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "client.h"
#include "proof.h"

enum { BODY_MAX = FRAME_BODY_MAX, FIND_MAX = 256 };

/* --- seals --- */

bool client_sealed(struct client_call *c, struct err *e, struct view body)
{
    uint64_t n = 0;
    struct view signature = {NULL, 0};
    client_end(c);
    if (!e)
        e = frames_read_sealed(body, &n, &signature);
    if (!e)
        client_saw(c->h, n);
    c->done.sealed(c->arg, e, n, signature);
    return false;
}

static struct err *ask_cert(struct hsm *h, const struct client_call *call, enum frames_kind kind,
                            const struct hsm_cert *what, ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    h = hsm_for(h, what->issuer);
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, what->issuer);
    der_put_text(&out, what->template);
    der_put_octets(&out, what->tbs);
    if (kind == FRAMES_SEAL_PROVED)
        proof_put(&out, what->proofs, what->proofs_n);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    TRY(client_ask(h, call, kind, what->generation, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

struct err *hsm_seal_cert(struct hsm *h, const struct hsm_cert *what, hsm_sealed_fn *done, void *arg,
                          ticket_id *ret)
{
    struct client_call call = {.finish = client_sealed, .done.sealed = done, .arg = arg};
    return ask_cert(h, &call, what->proofs_n ? FRAMES_SEAL_PROVED : FRAMES_SEAL_CERT, what, ret);
}

static bool judged_finish(struct client_call *c, struct err *e, struct view body)
{
    uint64_t ceiling = 0, sealed = 0;
    struct view in;
    client_end(c);
    if (!e)
        e = der_read(&body, DER_SEQUENCE, &in);
    if (!e)
        e = der_read_uint(&in, INT64_MAX, &ceiling);
    if (!e)
        e = der_read_uint(&in, INT64_MAX, &sealed);
    c->done.judged(c->arg, e, ceiling, sealed);
    return false;
}

struct err *hsm_judge_cert(struct hsm *h, const struct hsm_cert *what, hsm_judged_fn *done, void *arg,
                           ticket_id *ret)
{
    struct client_call call = {.finish = judged_finish, .done.judged = done, .arg = arg};
    return ask_cert(h, &call, FRAMES_JUDGE_CERT, what, ret);
}

struct err *hsm_seal_granted(struct hsm *h, uint32_t generation, struct view tbs, hsm_sealed_fn *done,
                             void *arg, ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    der_out_init(&out, client_scratch(h), BODY_MAX);
    der_put_octets(&out, tbs);
    TRY(der_out_done(&out, &body));
    struct client_call call = {.finish = client_sealed, .done.sealed = done, .arg = arg};
    TRY(client_ask(h, &call, FRAMES_SEAL_GRANTED, generation, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

struct err *hsm_seal_csr(struct hsm *h, uint32_t generation, const char *name, struct view cri,
                         hsm_sealed_fn *done, void *arg, ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, name);
    der_put_octets(&out, cri);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    struct client_call call = {.finish = client_sealed, .done.sealed = done, .arg = arg};
    TRY(client_ask(h, &call, FRAMES_SEAL_CSR, generation, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

static struct err *issuer_body(struct hsm *h, const char *issuer, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *hsm_seal_crl(struct hsm *h, uint32_t generation, const char *issuer, int tbs_fd, uint64_t at,
                         hsm_sealed_fn *done, void *arg, ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    struct client_call call = {.finish = client_sealed, .done.sealed = done, .arg = arg};
    h = hsm_for(h, issuer);
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_uint(&out, at);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    TRY(client_ask(h, &call, FRAMES_SEAL_CRL, generation, body, tbs_fd, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

static bool floor_finish(struct client_call *c, struct err *e, struct view body)
{
    uint64_t number = 0;
    struct view in;
    client_end(c);
    if (!e)
        e = der_read(&body, DER_SEQUENCE, &in);
    if (!e)
        e = der_read_uint(&in, UINT64_MAX, &number);
    c->done.floor(c->arg, e, number);
    return false;
}

struct err *hsm_crl_floor(struct hsm *h, uint32_t generation, const char *issuer, hsm_crl_floor_fn *done,
                          void *arg, ticket_id *ret)
{
    struct err *e = NULL;
    struct view body;
    struct client_call call = {.finish = floor_finish, .done.floor = done, .arg = arg};
    h = hsm_for(h, issuer);
    TRY(issuer_body(h, issuer, &body));
    TRY(client_ask(h, &call, FRAMES_CRL_FLOOR, generation, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

struct err *hsm_seal_ocsp(struct hsm *h, const struct hsm_ocsp *what, hsm_sealed_fn *done, void *arg,
                          ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    h = hsm_for(h, what->issuer);
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, what->issuer);
    der_put_octets(&out, view_of(what->key_sha256, SHA256_BYTES));
    der_put_octets(&out, what->tbs);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    struct client_call call = {.finish = client_sealed, .done.sealed = done, .arg = arg};
    TRY(client_ask(h, &call, FRAMES_SEAL_OCSP, what->generation, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

/* --- responder keys, nonces --- */

bool client_spki(struct client_call *c, struct err *e, struct view body)
{
    struct view spki = {NULL, 0};
    client_end(c);
    if (!e)
        e = frames_read_octets(body, &spki);
    c->done.spki(c->arg, e, spki);
    return false;
}

struct err *hsm_ocsp_key(struct hsm *h, const char *issuer, bool fresh, hsm_spki_fn *done, void *arg,
                         ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    h = hsm_for(h, issuer);
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_bool(&out, fresh);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    struct client_call call = {.finish = client_spki, .done.spki = done, .arg = arg};
    TRY(client_ask(h, &call, FRAMES_OCSP_KEY, 0, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

static bool answer_finish(struct client_call *c, struct err *e, struct view body)
{
    struct view answer = {NULL, 0};
    client_end(c);
    if (!e)
        e = frames_read_octets(body, &answer);
    c->done.answer(c->arg, e, answer);
    return false;
}

struct err *hsm_nonce(struct hsm *h, const struct hsm_nonce *what, hsm_answer_fn *done, void *arg,
                      ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    h = hsm_for(h, what->issuer);
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, what->issuer);
    der_put_octets(&out, what->nonce);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < what->n; i++)
        der_put_octets(&out, what->answers[i]);
    der_finish(&out, list);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    struct client_call call = {.finish = answer_finish, .done.answer = done, .arg = arg};
    TRY(client_ask(h, &call, FRAMES_NONCE, 0, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

/* --- the roll --- */

static struct err *read_range(struct view in, uint64_t *ret_next, struct view *ret_entries)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_uint(&body, UINT64_MAX, ret_next));
    TRY(der_read(&body, DER_OCTET_STRING, ret_entries));
    TRY(der_end(body));
out:
    return e;
}

static bool roll_finish(struct client_call *c, struct err *e, struct view body)
{
    uint64_t next = 0;
    struct view entries = {NULL, 0};
    client_end(c);
    if (!e)
        e = read_range(body, &next, &entries);
    c->done.roll(c->arg, e, entries, next);
    return false;
}

struct err *hsm_roll_read(struct hsm *h, uint64_t from, uint64_t max, hsm_roll_fn *done, void *arg,
                          ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, from);
    der_put_uint(&out, max);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    struct client_call call = {.finish = roll_finish, .done.roll = done, .arg = arg};
    TRY(client_ask(h, &call, FRAMES_ROLL_READ, 0, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}

/* A search goes on, question by question, until the roll's end. */
struct search {
    uint64_t from;
    size_t n;
    uint64_t ns[FIND_MAX];
    uint8_t hashes[FIND_MAX][SHA256_BYTES];
};

static struct err *search_body(const struct search *s, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, s->from);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < s->n; i++)
        der_put_octets(&out, view_of(s->hashes[i], SHA256_BYTES));
    der_finish(&out, list);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

static struct err *read_found(struct view in, struct search *s)
{
    struct err *e = NULL;
    struct view body, list;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_uint(&body, UINT64_MAX, &s->from));
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(der_end(body));
    for (size_t i = 0; i < s->n; i++) {
        uint64_t n;
        TRY(der_read_uint(&list, UINT64_MAX, &n));
        if (s->ns[i] == 0)
            s->ns[i] = n;
    }
    TRY(der_end(list));
out:
    return e;
}

static bool found_finish(struct client_call *c, struct err *e, struct view body)
{
    struct search *s = c->state;
    struct view question;
    if (!e)
        e = read_found(body, s);
    if (!e && s->from != 0) {
        e = search_body(s, client_scratch(c->h), &question);
        if (!e)
            e = client_ask_on(c, FRAMES_ROLL_FIND, question);
        arena_reset(client_scratch(c->h));
        if (!e)
            return true;
    }
    client_end(c);
    c->done.found(c->arg, e, s->ns, s->n);
    return false;
}

struct err *hsm_roll_find(struct hsm *h, uint64_t from, const uint8_t (*tbs_sha256)[SHA256_BYTES], size_t n,
                          hsm_found_fn *done, void *arg, ticket_id *ret)
{
    struct err *e = NULL;
    struct view body;
    CHECK(n <= FIND_MAX);
    struct search *s = calloc(1, sizeof *s);
    CHECK(s != NULL);
    s->from = from;
    s->n = n;
    if (n > 0)
        memcpy(s->hashes, tbs_sha256, n * SHA256_BYTES);
    TRY(search_body(s, client_scratch(h), &body));
    struct client_call call = {.finish = found_finish, .done.found = done, .arg = arg, .state = s};
    TRY(client_ask(h, &call, FRAMES_ROLL_FIND, 0, body, -1, ret));
    s = NULL;
out:
    free(s);
    arena_reset(client_scratch(h));
    return e;
}
