/* Floors of OCSP answers, and of the lane that adds a nonce; each with its control. */
#include "cert/ocsp.h"

#include "judge_scene.h"

static const uint8_t serial[SERIAL_BYTES] = {0x41, 9};

struct answer {
    struct cert_ocsp_data data;
    struct cert_ocsp_single single;
};

static struct answer fine(struct judge_scene *s)
{
    struct answer a = {
        .single = {.id = cert_ocsp_id_for(&s->issuing->ocsp, CERT_OCSP_SHA1, view_of(serial, sizeof serial)),
                   .status = CERT_OCSP_GOOD,
                   .this_update = JUDGE_NOW,
                   .has_next_update = true,
                   .next_update = JUDGE_NOW + 3 * 86400},
        .data = {.responder_key_sha1 = view_of(s->responder->spki_sha1, SHA1_BYTES),
                 .produced_at = JUDGE_NOW,
                 .n = 1}};
    return a;
}

static struct view bytes_of(struct judge_scene *s, struct answer *a)
{
    struct view tbs;
    a->data.singles = &a->single;
    good(cert_ocsp_data_write(&a->data, s->arena, &tbs));
    return tbs;
}

static enum err_code told(struct err *e)
{
    if (e)
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
    return code_of(e);
}

static enum err_code verdict(struct judge_scene *s, struct answer *a)
{
    bool revoked;
    return told(judge_ocsp(s->issuing, s->responder, bytes_of(s, a), JUDGE_NOW, s->arena, &revoked));
}

static void a_fine_answer_passes(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    assert_int_equal(verdict(s, &a), ERR__COUNT);
    a.single.status = CERT_OCSP_REVOKED;
    a.single.revoked_at = JUDGE_NOW - 5;
    a.single.reason = CERT_REASON_KEY_COMPROMISE;
    assert_int_equal(verdict(s, &a), ERR__COUNT);
    a = fine(s);
    a.single.id = cert_ocsp_id_for(&s->issuing->ocsp, CERT_OCSP_SHA256, view_of(serial, sizeof serial));
    assert_int_equal(verdict(s, &a), ERR__COUNT);
}

static void the_key_is_the_issuers_responder(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    uint8_t other[SHA1_BYTES] = {1};
    a.data.responder_key_sha1 = view_of(other, sizeof other);
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
    a = fine(s);
    bool revoked;
    assert_int_equal(told(judge_ocsp(s->root, s->responder, bytes_of(s, &a), JUDGE_NOW, s->arena, &revoked)),
                     ERR_FLOOR);
    assert_int_equal(verdict(s, &a), ERR__COUNT);
}

static void the_certificate_is_the_issuers(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    a.single.id = cert_ocsp_id_for(&s->root->ocsp, CERT_OCSP_SHA1, view_of(serial, sizeof serial));
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
}

static void dates_are_held_to_our_clock(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    a.single.this_update = JUDGE_NOW + JUDGE_AHEAD_S + 1;
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
    a.single.this_update = JUDGE_NOW - JUDGE_STATUS_BACK_S - 1;
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
    a = fine(s);
    a.single.has_next_update = false;
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
    a = fine(s);
    a.single.next_update = JUDGE_NOW + JUDGE_OCSP_S + 1;
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
    a = fine(s);
    a.data.produced_at = JUDGE_NOW - JUDGE_STATUS_BACK_S - 1;
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
    a.data.produced_at = JUDGE_NOW + JUDGE_AHEAD_S + 1;
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
    a = fine(s);
    a.single.status = CERT_OCSP_REVOKED;
    a.single.revoked_at = JUDGE_NOW + JUDGE_AHEAD_S + 1;
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
}

static void no_nonce_in_a_ready_answer(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    a.data.nonce = view_str("12345678");
    assert_int_equal(verdict(s, &a), ERR_FLOOR);
}

/* --- the nonce lane --- */

static struct view sealed(struct judge_scene *s, struct answer *a, EVP_PKEY *key)
{
    struct view der, tbs = bytes_of(s, a), cert = view_str("\x30\x00");
    cert.n = 2;
    good(cert_ocsp_seal(tbs, CERT_ALG_ECDSA_SHA256, judge_scene_sign(key, tbs, s->arena), &cert, 1, s->arena,
                        &der));
    return der;
}

static enum err_code nonce_for(struct judge_scene *s, const struct house_issuer *issuer,
                               const struct view *ders, size_t n, struct view nonce, int64_t now,
                               struct judge_nonce_found *found)
{
    struct known *known = known_new();
    const struct judge_nonce_case c = {issuer, s->responders, known, ders, n, nonce, now};
    enum err_code code = told(judge_nonce(&c, s->arena, found));
    known_free(known);
    return code;
}

static enum err_code nonce_at(struct judge_scene *s, struct view der, int64_t now,
                              struct judge_nonce_found *found)
{
    return nonce_for(s, s->issuing, &der, 1, view_str("a-nonce"), now, found);
}

static void a_nonce_changes_nothing_but_time_and_nonce(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    struct judge_nonce_found found;
    struct cert_ocsp_data now;
    a.single.status = CERT_OCSP_REVOKED;
    a.single.revoked_at = JUDGE_NOW - 5;
    assert_int_equal(nonce_at(s, sealed(s, &a, s->responder_key), JUDGE_NOW + 100, &found), ERR__COUNT);
    good(cert_ocsp_data_read(found.tbs, s->arena, &now));
    assert_int_equal(now.produced_at, JUDGE_NOW + 100);
    assert_true(view_eq_str(now.nonce, "a-nonce"));
    assert_int_equal(now.n, 1);
    assert_int_equal(now.singles[0].status, CERT_OCSP_REVOKED);
    assert_int_equal(now.singles[0].this_update, JUDGE_NOW);
    assert_true(view_eq(now.singles[0].id.serial, view_of(serial, sizeof serial)));
    assert_int_equal(found.cert_count, 1);
}

static void only_what_the_vault_made_gets_a_nonce(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    struct judge_nonce_found found;
    struct view der = sealed(s, &a, s->responder_key), bad = arena_dup(s->arena, der);
    assert_int_equal(nonce_at(s, der, JUDGE_NOW, &found), ERR__COUNT);
    assert_int_equal(nonce_at(s, sealed(s, &a, s->issuing_key), JUDGE_NOW, &found), ERR_BAD_SIGNATURE);
    uint8_t *status = memmem(bad.p, bad.n, serial, sizeof serial);
    status[5] ^= 1; /* another serial under the same signature */
    assert_int_equal(nonce_at(s, bad, JUDGE_NOW, &found), ERR_BAD_SIGNATURE);
    assert_int_equal(nonce_for(s, s->root, &der, 1, view_str("x"), JUDGE_NOW, &found), ERR_FLOOR);
}

static void a_stale_or_nonced_answer_gets_none(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    struct judge_nonce_found found;
    assert_int_equal(nonce_at(s, sealed(s, &a, s->responder_key), a.single.next_update - 1, &found),
                     ERR__COUNT);
    assert_int_equal(nonce_at(s, sealed(s, &a, s->responder_key), a.single.next_update, &found), ERR_FLOOR);
    a.data.nonce = view_str("one already");
    assert_int_equal(nonce_at(s, sealed(s, &a, s->responder_key), JUDGE_NOW, &found), ERR_FLOOR);
    assert_int_not_equal(nonce_at(s, cert_ocsp_error(CERT_OCSP_TRY_LATER), JUDGE_NOW, &found), ERR__COUNT);
}

static void several_answers_become_one(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s), b = fine(s);
    struct judge_nonce_found found;
    struct cert_ocsp_data now;
    const uint8_t other[SERIAL_BYTES] = {0x41, 10};
    b.single.id = cert_ocsp_id_for(&s->issuing->ocsp, CERT_OCSP_SHA256, view_of(other, sizeof other));
    b.single.status = CERT_OCSP_REVOKED;
    b.single.revoked_at = JUDGE_NOW - 5;
    const struct view ders[] = {sealed(s, &a, s->responder_key), sealed(s, &b, s->responder_key)};
    assert_int_equal(nonce_for(s, s->issuing, ders, 2, view_of(NULL, 0), JUDGE_NOW + 100, &found),
                     ERR__COUNT);
    good(cert_ocsp_data_read(found.tbs, s->arena, &now));
    assert_int_equal(now.n, 2);
    assert_null(now.nonce.p);
    assert_int_equal(now.produced_at, JUDGE_NOW + 100);
    assert_int_equal(now.singles[0].status, CERT_OCSP_GOOD);
    assert_int_equal(now.singles[1].status, CERT_OCSP_REVOKED);
    assert_true(view_eq(now.singles[1].id.serial, view_of(other, sizeof other)));
    const struct view mixed[] = {ders[0], sealed(s, &b, s->issuing_key)}; /* one of them not ours */
    assert_int_equal(nonce_for(s, s->issuing, mixed, 2, view_str("x"), JUDGE_NOW, &found), ERR_BAD_SIGNATURE);
}

/* What is known by what it says needs no signature; whatever else it says is not known. */
static void what_is_known_is_not_verified_again(void **state)
{
    struct judge_scene *s = *state;
    struct answer a = fine(s);
    struct judge_nonce_found found;
    struct cert_ocsp_answer read;
    struct known *known = known_new();
    struct view der = sealed(s, &a, s->issuing_key);
    struct judge_nonce_case c = {s->issuing, s->responders, known, &der, 1, view_str("x"), JUDGE_NOW};
    uint8_t hash[SHA256_BYTES];
    assert_int_equal(code_of(judge_nonce(&c, s->arena, &found)), ERR_BAD_SIGNATURE);
    assert_int_equal(code_of(judge_nonce(&c, s->arena, &found)),
                     ERR_BAD_SIGNATURE); /* not learnt by failing */
    der = sealed(s, &a, s->responder_key);
    assert_int_equal(code_of(judge_nonce(&c, s->arena, &found)), ERR__COUNT);
    good(cert_ocsp_open(der, s->arena, &read));
    digest_sha256(read.sealed.tbs, hash);
    assert_true(known_has(known, hash));
    a.single.next_update++;
    der = sealed(s, &a, s->issuing_key);
    assert_int_equal(code_of(judge_nonce(&c, s->arena, &found)), ERR_BAD_SIGNATURE);
    known_free(known);
}

static void an_issuer_answers_itself_where_configured(void **state)
{
    struct judge_scene *s = *state;
    bool revoked;
    struct answer a = fine(s);
    struct judge_nonce_found found;
    struct responder_key own = responder_of_issuer(s->issuing);
    a.data.responder_key_sha1 = view_of(own.spki_sha1, SHA1_BYTES);
    assert_int_equal(told(judge_ocsp(s->issuing, &own, bytes_of(s, &a), JUDGE_NOW, s->arena, &revoked)),
                     ERR__COUNT);
    assert_int_equal(told(judge_ocsp(s->root, &own, bytes_of(s, &a), JUDGE_NOW, s->arena, &revoked)),
                     ERR_FLOOR);
    struct view der = sealed(s, &a, s->issuing_key);
    assert_int_equal(nonce_at(s, der, JUDGE_NOW, &found), ERR_FLOOR);
    s->issuing->ocsp_by_issuer = true;
    assert_int_equal(nonce_at(s, der, JUDGE_NOW, &found), ERR__COUNT);
    assert_ptr_equal(found.key.roll_key, s->issuing->name);
    assert_int_equal(nonce_at(s, sealed(s, &a, s->responder_key), JUDGE_NOW, &found), ERR_BAD_SIGNATURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, judge_scene_setup, judge_scene_teardown)
        TEST(a_fine_answer_passes),
        TEST(the_key_is_the_issuers_responder),
        TEST(the_certificate_is_the_issuers),
        TEST(dates_are_held_to_our_clock),
        TEST(no_nonce_in_a_ready_answer),

        TEST(a_nonce_changes_nothing_but_time_and_nonce),
        TEST(only_what_the_vault_made_gets_a_nonce),
        TEST(a_stale_or_nonced_answer_gets_none),
        TEST(several_answers_become_one),
        TEST(what_is_known_is_not_verified_again),
        TEST(an_issuer_answers_itself_where_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
