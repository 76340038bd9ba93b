/* Tests of hsm/signer.c and mechanism.c: every algorithm verified by OpenSSL and by cert; the pool on a real
 * loop. */
#include <stdlib.h>

#include "base/world.h"
#include "mechanism.h"
#include "signer.h"
#include "token_scene.h"
#include "token_state.h"

static struct view message = {(const uint8_t *)"to be signed", 12};

static void check(const struct token_key *key, enum cert_alg alg, struct view signature)
{
    struct cert_key public;

    good(cert_key_parse(key->spki, &public));
    good(cert_key_verify(&public, alg, message, signature));
}

static void one(const struct token_key *key, enum cert_alg alg)
{
    uint8_t to[SIGNER_MAX_BYTES];
    size_t n = 0;

    for (int i = 0; i < 3; i++) {
        struct view parts[] = {view_of(message.p, 5), view_of(NULL, 0), view_from(message, 5)};

        good(signer_sign(key, alg, parts, 3, SIGNER_VERIFY, to, &n));
        check(key, alg, view_of(to, n));
    }
}

static void every_algorithm_verifies(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *keys[CERT_KEY__COUNT] = {
        [CERT_KEY_RSA] = token_scene_key(s, CERT_KEY_RSA, 2048),
        [CERT_KEY_P256] = token_scene_key(s, CERT_KEY_P256, 0),
        [CERT_KEY_P384] = token_scene_key(s, CERT_KEY_P384, 0),
        [CERT_KEY_P521] = token_scene_key(s, CERT_KEY_P521, 0),
    };
    int pairs = 0;

    for (int kind = 0; kind < CERT_KEY__COUNT; kind++)
        for (int alg = 0; alg < CERT_ALG__COUNT; alg++)
            if (keys[kind] && cert_alg_fits((enum cert_alg)alg, (enum cert_key_kind)kind)) {
                one(keys[kind], (enum cert_alg)alg);
                pairs++;
            }
    assert_true(pairs >= 9);
}

/* DER's INTEGERs change length with their leading octets: many signatures, each read back strictly. */
static void ecdsa_is_strict_der(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0);
    size_t shortest = SIZE_MAX, longest = 0;

    for (int i = 0; i < 300; i++) {
        uint8_t to[SIGNER_MAX_BYTES];
        size_t n = 0;

        good(signer_sign(key, CERT_ALG_ECDSA_SHA256, &message, 1, 0, to, &n));
        check(key, CERT_ALG_ECDSA_SHA256, view_of(to, n));
        shortest = n < shortest ? n : shortest;
        longest = n > longest ? n : longest;
    }
    assert_true(shortest < longest);
    assert_true(longest <= 72);
}

static void refuses_what_does_not_fit(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0);
    uint8_t to[SIGNER_MAX_BYTES], digest[64] = {0};
    size_t n = 0;

    assert_int_equal(code_of(signer_sign(key, CERT_ALG_RSA_SHA256, &message, 1, 0, to, &n)), ERR_INTERNAL);
    assert_int_equal(code_of(signer_sign(key, CERT_ALG_ED25519, &message, 1, 0, to, &n)), ERR_INTERNAL);
    assert_int_equal(code_of(mechanism_sign(key, CERT_ALG_ECDSA_SHA256, view_of(digest, 31), false, to, &n)),
                     ERR_INTERNAL);
    assert_int_equal(code_of(mechanism_sign(key, CERT_ALG_ECDSA_SHA256, view_of(digest, 64), false, to, &n)),
                     ERR_INTERNAL);
}

/* The first signature of a key is verified: here its private half is exchanged for another's. */
static void a_wrong_private_half_is_seen_at_once(void **state)
{
    struct token_scene *s = *state;
    const struct token_key *key = token_scene_key(s, CERT_KEY_P256, 0),
                           *other = token_scene_key(s, CERT_KEY_P256, 1);
    struct token_entry *entry = (struct token_entry *)(uintptr_t)key;
    CK_OBJECT_HANDLE right = entry->handle;
    uint8_t to[SIGNER_MAX_BYTES];
    size_t n = 0;

    entry->handle = ((const struct token_entry *)other)->handle;
    assert_int_equal(code_of(signer_sign(key, CERT_ALG_ECDSA_SHA256, &message, 1, 0, to, &n)), ERR_INTERNAL);
    assert_false(token_key_is_proven(key));
    entry->handle = right;
    good(signer_sign(key, CERT_ALG_ECDSA_SHA256, &message, 1, 0, to, &n));
    assert_true(token_key_is_proven(key));
}

struct pool {
    struct loop *loop;
    const struct token_key *key;
    int wanted, done, signed_, cancelled;
    int order[64];
};

struct call {
    struct pool *pool;
    int number;
};

static void on_done(void *arg, struct err *e, struct view signature)
{
    struct call *c = arg;
    struct pool *p = c->pool;

    if (!e) {
        check(p->key, CERT_ALG_ECDSA_SHA256, signature);
        p->signed_++;
    }
    p->cancelled += e && err_code(e) == ERR_CANCELLED;
    err_free(e);
    if (p->done < 64)
        p->order[p->done] = c->number;
    if (++p->done == p->wanted)
        loop_stop(p->loop);
}

static struct signer_job job_of(struct call *c, enum signer_lane lane)
{
    return (struct signer_job){c->pool->key, CERT_ALG_ECDSA_SHA256, message, false, lane, on_done, c};
}

static void the_pool_answers_each_job_once(void **state)
{
    struct token_scene *s = *state;
    struct pool p = {.key = token_scene_key(s, CERT_KEY_P256, 0), .wanted = 200};
    struct signer *signer = NULL;
    struct call *calls = calloc(200, sizeof *calls);

    good(loop_new(&p.loop));
    good(signer_start(p.loop, 2, 1000, 0, &signer));
    for (int i = 0; i < 200; i++) {
        struct signer_job job;

        calls[i] = (struct call){&p, i};
        job = job_of(&calls[i], i % 3 ? SIGNER_ISSUE : SIGNER_NONCE);
        good(signer_submit(signer, &job));
    }
    loop_run(p.loop);
    assert_int_equal(p.done, 200);
    assert_int_equal(p.signed_, 200);
    signer_stop(signer);
    loop_free(p.loop);
    free(calls);
}

static void nonces_have_their_share_and_no_more(void **state)
{
    struct token_scene *s = *state;
    struct pool p = {.key = token_scene_key(s, CERT_KEY_P256, 0), .wanted = 40};
    struct signer *signer = NULL;
    struct call calls[40];
    int nonces_in_first_half = 0;

    good(loop_new(&p.loop));
    module_enter_alone(s->m); /* no thread gets on until all are queued */
    good(signer_start(p.loop, 1, 100, 0, &signer));
    for (int i = 0; i < 40; i++) {
        struct signer_job job;

        calls[i] = (struct call){&p, i};
        job = job_of(&calls[i], i < 20 ? SIGNER_NONCE : SIGNER_ISSUE);
        good(signer_submit(signer, &job));
    }
    module_leave(s->m);
    loop_run(p.loop);
    for (int i = 0; i < 20; i++)
        nonces_in_first_half += p.order[i] < 20;
    assert_true(nonces_in_first_half >= 4 &&
                nonces_in_first_half <= 5); /* 2 of 10; one came before the rest */
    signer_stop(signer);
    loop_free(p.loop);
}

static void a_full_lane_refuses(void **state)
{
    struct token_scene *s = *state;
    struct pool p = {.key = token_scene_key(s, CERT_KEY_P256, 0)};
    struct signer *signer = NULL;
    struct call c = {&p, 0};
    struct signer_job job = job_of(&c, SIGNER_ISSUE);
    enum err_code code = ERR__COUNT;

    good(loop_new(&p.loop));
    module_enter_alone(s->m);
    good(signer_start(p.loop, 1, 5, 0, &signer));
    while (code == ERR__COUNT && p.wanted < 100) {
        code = code_of(signer_submit(signer, &job));
        p.wanted += code == ERR__COUNT;
    }
    assert_int_equal(code, ERR_BUSY);
    assert_true(p.wanted == 5 || p.wanted == 6);
    module_leave(s->m);
    loop_run(p.loop);
    assert_int_equal(p.signed_, p.wanted);
    signer_stop(signer);
    loop_free(p.loop);
}

static void stopping_cancels_what_was_not_begun(void **state)
{
    struct token_scene *s = *state;
    struct pool p = {.key = token_scene_key(s, CERT_KEY_P256, 0), .wanted = 50};
    struct signer *signer = NULL;
    struct call c = {&p, 0};
    struct signer_job job = job_of(&c, SIGNER_ISSUE);

    good(loop_new(&p.loop));
    good(signer_start(p.loop, 1, 1000, 0, &signer));
    for (int i = 0; i < 50; i++)
        good(signer_submit(signer, &job));
    signer_stop(signer);
    loop_run(p.loop);
    assert_int_equal(p.done, 50);
    assert_int_equal(p.signed_ + p.cancelled, 50);
    assert_true(p.cancelled > 0);
    loop_free(p.loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, token_scene_setup, token_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_algorithm_verifies),
        TEST(ecdsa_is_strict_der),
        TEST(refuses_what_does_not_fit),
        TEST(a_wrong_private_half_is_seen_at_once),
        TEST(the_pool_answers_each_job_once),
        TEST(nonces_have_their_share_and_no_more),
        TEST(a_full_lane_refuses),
        TEST(stopping_cancels_what_was_not_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
