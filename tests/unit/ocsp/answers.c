/* See answers.h. */
#include "answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/world.h"
#include "cert/key.h"

/* --- certificates for responders, as the daemon has them made --- */

struct certifying {
    ocsp_certified *answer;
    void *arg;
};

static void on_certified(void *arg, struct err *e, const struct ca_certificate *cert)
{
    struct certifying *c = arg;
    c->answer(c->arg, e, e ? view_of(NULL, 0) : cert->der);
    free(c);
}

static void certify(void *arg, const char *issuer, struct view spki, ocsp_certified *answer, void *answer_arg)
{
    static const struct ca_asker asker = {
        .role = CA_ROLE_SELF, .id = "self", .door = "self", .peer = "", .request_id = "ocsp"};
    const struct templates_rdn subject = {"CN", "OCSP responder"};
    struct house *h = arg;
    struct certifying *c = calloc(1, sizeof *c);
    *c = (struct certifying){answer, answer_arg};
    ((struct answers *)h->more)->certified++;
    const struct ca_request request = {.asker = &asker,
                                       .template = "ocsp-signing",
                                       .issuer = issuer,
                                       .token_spki = spki,
                                       .has_subject = true,
                                       .subject = &subject,
                                       .subject_n = 1};
    ca_issue(h->ca, &request, on_certified, c);
}

/* --- the room in the house --- */

static void on_open(struct house *h)
{
    struct answers *a = h->more;
    a->maker = NULL;
    if (a->sit_out)
        return;
    for (int i = 0; i < 2; i++)
        a->issuers[i] = (struct ocsp_issuer){.name = h->issuers[i].name,
                                             .certificate = h->issuers[i].certificate,
                                             .lifetime_s = ANSWERS_LIFETIME_S,
                                             .alg = CERT_ALG_ECDSA_SHA256,
                                             .sign_unknown = a->sign_unknown};
    OK(ocsp_maker_new(h->loop, h->ledger, h->shelf, h->hsm, (struct ocsp_certifier){certify, h}, &a->maker));
    ocsp_maker_set(a->maker, 1, a->issuers, 2);
}

static void on_recovered(struct house *h)
{
    struct answers *a = h->more;
    if (a->maker && !a->no_vault_yet)
        ocsp_maker_go(a->maker);
}

static void on_close(struct house *h)
{
    ocsp_maker_free(((struct answers *)h->more)->maker);
}

static bool is_quiet(struct house *h)
{
    const struct ocsp_maker *m = ((struct answers *)h->more)->maker;
    for (size_t i = 0; m && i < m->states_n; i++)
        if (m->states[i].renewing)
            return false;
    return !m || m->making_n == 0;
}

struct house *answers_house(struct answers *a)
{
    struct house *h = house_build();
    h->more = a;
    h->on_open = on_open;
    h->on_recovered = on_recovered;
    h->on_close = on_close;
    h->is_quiet = is_quiet;
    return h;
}

static bool is_ready(void *arg)
{
    struct err *e = ocsp_maker_ready(((struct answers *)((struct house *)arg)->more)->maker);
    bool ready = e == NULL;
    err_free(e);
    return ready;
}

void answers_ready(struct house *h)
{
    house_wait(h, is_ready, h);
    house_quiet(h);
}

/* --- answers --- */

static struct want want_of(struct view serial, enum cert_ocsp_hash hash)
{
    struct want w = {.issuer = "issuing", .hash = hash};
    memcpy(w.serial, serial.p, SERIAL_BYTES);
    return w;
}

static void check(struct house *h, struct answer *a, struct view serial, enum cert_ocsp_hash hash)
{
    struct cert_chain_cert issuer;
    struct cert_ocsp_issuer hashes;
    OK(cert_ocsp_open(a->item.bytes, h->arena, &a->ocsp));
    assert_int_equal(a->ocsp.status, CERT_OCSP_SUCCESSFUL);
    assert_int_equal(a->ocsp.cert_count, 1);
    OK(cert_chain_read(a->ocsp.certs[0], h->arena, &a->signer));
    OK(cert_chain_read(h->issuing, h->arena, &issuer));
    OK(cert_chain_link(&a->signer, &issuer, 0, INT64_MIN));
    OK(cert_key_verify(&a->signer.key, a->ocsp.sealed.alg, a->ocsp.sealed.tbs, a->ocsp.sealed.sig));
    assert_int_equal(a->ocsp.data.n, 1);
    const struct cert_ocsp_single *one = &a->ocsp.data.singles[0];
    cert_ocsp_issuer_of(issuer.tbs.subject, &issuer.key, &hashes);
    assert_true(cert_ocsp_fits(&hashes, &one->id));
    assert_int_equal(one->id.hash, hash);
    assert_true(view_eq(one->id.serial, serial));
    a->status = one->status;
    a->this_update = one->this_update;
    a->next_update = one->next_update;
    assert_int_equal(a->item.next_update, one->next_update);
    assert_int_equal(a->item.this_update, one->this_update);
}

struct answer answers_of(struct house *h, struct view serial, enum cert_ocsp_hash hash)
{
    struct answer a = {.there = false};
    struct want w = want_of(serial, hash);
    uint8_t id[SHELF_ID_BYTES];
    OK(shelf_get_answer(h->shelf, "issuing", want_id(&w, id), h->arena, &a.item));
    a.there = a.item.bytes.p != NULL;
    if (a.there)
        check(h, &a, serial, hash);
    return a;
}

struct wanting {
    bool done;
    enum want_outcome outcome;
};

static void on_made(void *arg, const struct want_done *done)
{
    struct wanting *w = arg;
    assert_false(w->done);
    *w = (struct wanting){true, done->outcome};
}

enum want_outcome answers_want(struct house *h, struct view serial, enum cert_ocsp_hash hash)
{
    struct wanting w = {.done = false};
    struct want want = want_of(serial, hash);
    answer_make(((struct answers *)h->more)->maker, &want, ANSWER_ASKED, on_made, &w);
    house_await(h, &w.done);
    return w.outcome;
}

struct awaited {
    struct house *h;
    struct view serial;
    enum cert_ocsp_hash hash;
    enum cert_ocsp_cert_status status;
};

static bool has_come(void *arg)
{
    const struct awaited *a = arg;
    struct answer answer = answers_of(a->h, a->serial, a->hash);
    return answer.there && answer.status == a->status;
}

void answers_await(struct house *h, struct view serial, enum cert_ocsp_hash hash,
                   enum cert_ocsp_cert_status status)
{
    struct awaited a = {h, serial, hash, status};
    house_wait(h, has_come, &a);
}

struct view answers_fresh(struct house *h)
{
    struct house_issued *got = ARENA_NEW(h->arena, struct house_issued);
    house_good(h, "o.example.internal", got);
    return view_of(got->serial_bytes, SERIAL_BYTES);
}

void answers_revoke(struct house *h, struct view serial, enum cert_reason reason)
{
    struct house_revoked gone;
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_ADMIN, "roster:a"), serial, reason, &gone),
                     ERR__COUNT);
}
