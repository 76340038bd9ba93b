/* What an owned front tries with SEAL_OCSP and OCSP_KEY, and an owned responder with NONCE. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/world.h"
#include "cert/ocsp.h"
#include "owned.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static const uint8_t some_serial[SERIAL_BYTES] = {0x43, 7, 7, 7};

/* An answer about one certificate, as a front would make it. */
struct answer {
    struct cert_key key;
    uint8_t key_sha1[SHA1_BYTES];
    struct cert_ocsp_single single;
    struct cert_ocsp_data data;
};

struct cert_key owned_responder_key(struct owned *o, const char *issuer)
{
    struct der_out out;
    struct view body, answer, spki;
    struct cert_key key;
    der_out_init(&out, o->s->arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_bool(&out, false);
    der_finish(&out, m);
    good(der_out_done(&out, &body));
    good(vault_scene_ask(o->s, o->front, FRAMES_OCSP_KEY, body, -1, &answer));
    good(frames_read_octets(answer, &spki));
    good(cert_key_parse(spki, &key));
    return key;
}

static struct answer *answer_new(struct owned *o, const char *key_of)
{
    struct answer *a = arena_alloc(o->s->arena, sizeof *a);
    int64_t now = world_now_s();
    a->key = owned_responder_key(o, key_of);
    cert_key_sha1(&a->key, a->key_sha1);
    a->single = (struct cert_ocsp_single){
        .id = cert_ocsp_id_for(&o->s->issuing->ocsp, CERT_OCSP_SHA1, view_of(some_serial, SERIAL_BYTES)),
        .status = CERT_OCSP_GOOD,
        .this_update = now,
        .has_next_update = true,
        .next_update = now + DAY};
    a->data = (struct cert_ocsp_data){.responder_key_sha1 = view_of(a->key_sha1, SHA1_BYTES),
                                      .produced_at = now,
                                      .singles = &a->single,
                                      .n = 1};
    return a;
}

static struct view written(struct owned *o, const struct answer *a)
{
    struct view ret;
    good(cert_ocsp_data_write(&a->data, o->s->arena, &ret));
    return ret;
}

static struct view seal_body(struct owned *o, const struct answer *a, struct view tbs)
{
    uint8_t hash[SHA256_BYTES];
    cert_key_sha256(&a->key, hash);
    const struct view parts[] = {view_of(hash, sizeof hash), tbs};
    return owned_body(o, (const char *const[]){"issuing", NULL}, parts, 2);
}

/* --- SEAL_OCSP --- */

struct how {
    void (*change)(struct owned *o, struct answer *a);
    const char *key_of;
};

static void aim(struct owned *o, const struct owned_attack *attack, struct owned_shot *to)
{
    const struct how *how = attack->how;
    struct answer *a = answer_new(o, how->key_of);
    how->change(o, a);
    to->kind = FRAMES_SEAL_OCSP;
    to->body = seal_body(o, a, written(o, a));
}

static void nothing(struct owned *o, struct answer *a)
{
    (void)o;
    (void)a;
}

static void other_responder(struct owned *o, struct answer *a)
{
    (void)o;
    a->key_sha1[3] ^= 1;
}

static void made_before(struct owned *o, struct answer *a)
{
    (void)o;
    a->data.produced_at -= 2 * HOUR;
}

static void made_later(struct owned *o, struct answer *a)
{
    (void)o;
    a->data.produced_at += HOUR;
}

static void with_nonce(struct owned *o, struct answer *a)
{
    (void)o;
    a->data.nonce = view_str("of a victim");
}

static void other_certificate(struct owned *o, struct answer *a)
{
    a->single.id = cert_ocsp_id_for(&o->s->root->ocsp, CERT_OCSP_SHA256, view_of(some_serial, SERIAL_BYTES));
}

static void of_before(struct owned *o, struct answer *a)
{
    (void)o;
    a->single.this_update -= 2 * HOUR;
}

static void of_tomorrow(struct owned *o, struct answer *a)
{
    (void)o;
    a->single.this_update += HOUR;
}

static void for_ever(struct owned *o, struct answer *a)
{
    (void)o;
    a->single.has_next_update = false;
    a->single.next_update = a->single.this_update;
}

static void over(struct owned *o, struct answer *a)
{
    (void)o;
    a->single.this_update -= 600;
    a->single.next_update = a->single.this_update + 300;
}

static void too_long(struct owned *o, struct answer *a)
{
    (void)o;
    a->single.next_update = a->single.this_update + 15 * DAY;
}

static void revoked_tomorrow(struct owned *o, struct answer *a)
{
    (void)o;
    a->single.status = CERT_OCSP_REVOKED;
    a->single.revoked_at = a->single.this_update + DAY;
}

/* With the issuing CA's own key, which its configuration does not have answer. */
static void aim_own(struct owned *o, const struct owned_attack *attack, struct owned_shot *to)
{
    struct answer *a = answer_new(o, "issuing");
    (void)attack;
    a->key = o->s->issuing->key;
    memcpy(a->key_sha1, o->s->issuing->ocsp.key_sha1, SHA1_BYTES);
    to->kind = FRAMES_SEAL_OCSP;
    to->body = seal_body(o, a, written(o, a));
}

static void clock_back(struct owned *o)
{
    atomic_store(&o->page->wall_offset_ms, 0);
}

/* A fresh responder key, though one was made a moment ago (its label has the second in it). */
static void aim_key(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    struct der_out out;
    (void)a;
    (void)owned_responder_key(o, "issuing");
    der_out_init(&out, o->s->arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, "issuing");
    der_put_bool(&out, true);
    der_finish(&out, m);
    good(der_out_done(&out, &to->body));
    to->kind = FRAMES_OCSP_KEY;
    atomic_store(&o->page->wall_offset_ms, 5000);
    to->undo = clock_back;
}

const struct owned_attack owned_ocsp_attacks[] = {
#define TRIES(what, change, key_of, ...)                                                                     \
    {                                                                                                        \
        what, HSM_PEER_FRONT, aim, {__VA_ARGS__}, &(const struct how){change, key_of}, false                 \
    }
    TRIES("an answer by another issuer's responder", nothing, "root", "ocsp.key_issuer"),
    {"an answer in the issuing CA's own name", HSM_PEER_FRONT, aim_own, {"ocsp.by_issuer"}, NULL, false},
    TRIES("an answer in another responder's name", other_responder, "issuing", "ocsp.responder_id"),
    TRIES("an answer made two hours ago", made_before, "issuing", "ocsp.produced_at"),
    TRIES("an answer made in an hour", made_later, "issuing", "ocsp.produced_at"),
    TRIES("a nonce smuggled into a ready answer", with_nonce, "issuing", "ocsp.nonce"),
    TRIES("an answer about another issuer's certificate", other_certificate, "issuing", "ocsp.cert_id"),
    TRIES("thisUpdate of two hours ago", of_before, "issuing", "ocsp.this_update"),
    TRIES("thisUpdate in an hour", of_tomorrow, "issuing", "ocsp.this_update"),
    TRIES("an answer without end", for_ever, "issuing", "ocsp.next_update"),
    TRIES("an answer that is over", over, "issuing", "ocsp.next_update"),
    TRIES("an answer for fifteen days", too_long, "issuing", "ocsp.too_long"),
    TRIES("a revocation to come", revoked_tomorrow, "issuing", "ocsp.revoked_ahead"),
#undef TRIES
    {"responder keys one after the other", HSM_PEER_FRONT, aim_key, {"ocsp.key_spacing"}, NULL, true},
    {0},
};

/* --- NONCE --- */

/* A ready answer, sealed by the vault at the front's request. */
static struct view ready(struct owned *o, const struct answer *a, const char *issuer)
{
    uint64_t n;
    uint8_t hash[SHA256_BYTES];
    struct view tbs = written(o, a), answer, signature, ret;
    cert_key_sha256(&a->key, hash);
    const struct view parts[] = {view_of(hash, sizeof hash), tbs};
    struct view body = owned_body(o, (const char *const[]){issuer, NULL}, parts, 2);
    good(vault_scene_ask(o->s, o->front, FRAMES_SEAL_OCSP, body, -1, &answer));
    good(frames_read_sealed(answer, &n, &signature));
    good(cert_ocsp_seal(tbs, CERT_ALG_ECDSA_SHA256, signature, NULL, 0, o->s->arena, &ret));
    return ret;
}

static struct view nonce_body(struct owned *o, struct view answer)
{
    struct der_out out;
    struct view ret;
    der_out_init(&out, o->s->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, "issuing");
    der_put_octets(&out, view_str("nonce-of-a-client"));
    size_t list = der_begin(&out, DER_SEQUENCE);
    der_put_octets(&out, answer);
    der_finish(&out, list);
    der_finish(&out, m);
    good(der_out_done(&out, &ret));
    return ret;
}

struct nonce_how {
    struct view (*make)(struct owned *o, struct owned_shot *to);
};

static void aim_nonce(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    const struct nonce_how *how = a->how;
    to->kind = FRAMES_NONCE;
    to->body = nonce_body(o, how->make(o, to));
}

/* The signature of one answer under another. */
static struct view resealed(struct owned *o, struct view of, const struct answer *with)
{
    struct cert_ocsp_answer was;
    struct view ret;
    good(cert_ocsp_open(of, o->s->arena, &was));
    good(cert_ocsp_seal(written(o, with), CERT_ALG_ECDSA_SHA256, was.sealed.sig, NULL, 0, o->s->arena, &ret));
    return ret;
}

static struct view made_good(struct owned *o, struct owned_shot *to)
{
    (void)to;
    struct answer *a = answer_new(o, "issuing");
    a->single.status = CERT_OCSP_REVOKED;
    a->single.revoked_at = a->single.this_update - HOUR;
    struct view revoked = ready(o, a, "issuing");
    a->single.status = CERT_OCSP_GOOD;
    return resealed(o, revoked, a);
}

static struct view made_longer(struct owned *o, struct owned_shot *to)
{
    (void)to;
    struct answer *a = answer_new(o, "issuing");
    struct view was = ready(o, a, "issuing");
    a->single.next_update += DAY;
    return resealed(o, was, a);
}

static struct view made_by_itself(struct owned *o, struct owned_shot *to)
{
    (void)to;
    uint8_t sig[256];
    size_t n = sizeof sig;
    struct answer *a = answer_new(o, "issuing");
    a->single.next_update += HOUR; /* what the vault has never said */
    struct view ret, tbs = written(o, a);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &n, tbs.p, tbs.n), 1);
    good(cert_ocsp_seal(tbs, CERT_ALG_ECDSA_SHA256, view_of(sig, n), NULL, 0, o->s->arena, &ret));
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ret;
}

static struct view expired(struct owned *o, struct owned_shot *to)
{
    struct answer *a = answer_new(o, "issuing");
    a->single.next_update = a->single.this_update + 60;
    struct view ret = ready(o, a, "issuing");
    atomic_store(&o->page->wall_offset_ms, 120000);
    to->undo = clock_back;
    return ret;
}

static struct view of_the_root(struct owned *o, struct owned_shot *to)
{
    (void)to;
    struct answer *a = answer_new(o, "root");
    a->single.id = cert_ocsp_id_for(&o->s->root->ocsp, CERT_OCSP_SHA1, view_of(some_serial, SERIAL_BYTES));
    return ready(o, a, "root");
}

/* Such a one exists only where the front's floor has failed before. */
static struct view about_the_roots(struct owned *o, struct owned_shot *to)
{
    (void)to;
    struct answer *a = answer_new(o, "issuing");
    other_certificate(o, a);
    int at = owned_off(o, "ocsp.cert_id");
    struct view ret = ready(o, a, "issuing");
    world_page_clear(o->page, at);
    return ret;
}

static struct view nonced_already(struct owned *o, struct owned_shot *to)
{
    (void)to;
    struct view body, ret;
    struct view first = ready(o, answer_new(o, "issuing"), "issuing");
    good(vault_scene_ask(o->s, o->responder, FRAMES_NONCE, nonce_body(o, first), -1, &body));
    good(frames_read_octets(body, &ret));
    return ret;
}

const struct owned_attack owned_nonce_attacks[] = {
#define TRIES(what, make, ...)                                                                               \
    {                                                                                                        \
        what, HSM_PEER_RESPONDER, aim_nonce, {__VA_ARGS__}, &(const struct nonce_how){make}, false           \
    }
    TRIES("revoked made good", made_good, "nonce.signature"),
    TRIES("an end put off", made_longer, "nonce.signature"),
    TRIES("an answer of its own making", made_by_itself, "nonce.signature"),
    TRIES("an answer that has run out", expired, "nonce.valid"),
    TRIES("an answer of another issuer", of_the_root, "ocsp.key_issuer", "nonce.cert_id"),
    TRIES("an answer about another issuer's certificate", about_the_roots, "nonce.cert_id"),
    TRIES("an answer that has a nonce", nonced_already, "nonce.twice"),
    {0},
};

/* --- questions of other peers --- */

static void seal_as_responder(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    (void)a;
    struct answer *answer = answer_new(o, "issuing");
    to->kind = FRAMES_SEAL_OCSP;
    to->body = seal_body(o, answer, written(o, answer));
}

static void nonce_as_front(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    (void)a;
    to->kind = FRAMES_NONCE;
    to->body = nonce_body(o, ready(o, answer_new(o, "issuing"), "issuing"));
}

static void key_body(struct owned *o, const char *label, struct owned_shot *to)
{
    struct der_out out;
    der_out_init(&out, o->s->arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, label);
    der_put_text(&out, "ec-p256");
    der_put_bool(&out, false);
    der_finish(&out, m);
    good(der_out_done(&out, &to->body));
    to->kind = FRAMES_KEY_GENERATE;
}

static void key_as_front(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    (void)a;
    key_body(o, arena_printf(o->s->arena, "rogue-%u", ++o->rogues), to);
}

/* All that a CA needs is there; only the question is not the front's to ask. */
static void ca_as_front(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    struct owned_shot key = {.fd = -1};
    struct view answer, spki;
    key_as_front(o, a, &key);
    int at = owned_off(o, "peer.kind");
    good(vault_scene_ask(o->s, o->front, key.kind, key.body, -1, &answer));
    world_page_clear(o->page, at);
    good(frames_read_octets(answer, &spki));
    const char *name = arena_printf(o->s->arena, "rogue-%u", o->rogues);
    uint8_t *serial = arena_alloc(o->s->arena, SERIAL_BYTES);
    vault_scene_lease(o->s, o->front, "root", serial);
    struct cert_tbs tbs = shape_tbs(&(struct shape_ask){.templates = o->s->house->templates,
                                                        .template = "sub-ca",
                                                        .issuer = &o->s->root->facts,
                                                        .spki = spki,
                                                        .serial = view_of(serial, SERIAL_BYTES),
                                                        .cn = name,
                                                        .now = world_now_s()},
                                    o->s->arena);
    struct view bytes = shape_bytes(&tbs, o->s->arena);
    to->kind = FRAMES_SEAL_CA;
    to->body = owned_body(o, (const char *const[]){"root", name, "sub-ca", NULL}, &bytes, 1);
}

const struct owned_attack owned_peer_attacks[] = {
    {"the responder asks for an answer", HSM_PEER_RESPONDER, seal_as_responder, {"peer.kind"}, NULL, false},
    {"the front asks for a nonce", HSM_PEER_FRONT, nonce_as_front, {"peer.kind"}, NULL, false},
    {"the front asks for a key", HSM_PEER_FRONT, key_as_front, {"peer.kind"}, NULL, true},
    {"the front asks for a CA", HSM_PEER_FRONT, ca_as_front, {"peer.kind"}, NULL, false},
    {0},
};
