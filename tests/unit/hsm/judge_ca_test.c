/* Floors of CA certificates, which ceremonies alone ask for; each with its control. */
#include <openssl/x509.h>

#include "cert/csr.h"
#include "cert/name.h"
#include "judge_scene.h"

static const uint8_t serial[SERIAL_BYTES] = {0x42, 1};

struct ca {
    struct view spki; /* of the key "new" in the token */
    struct cert_tbs tbs;
};

static struct ca sub_ca(struct judge_scene *s)
{
    struct ca ca = {.spki = shape_spki(s->arena)};
    ca.tbs = shape_tbs(&(struct shape_ask){.templates = s->house->templates,
                                           .template = "sub-ca",
                                           .issuer = &s->root->facts,
                                           .spki = ca.spki,
                                           .serial = view_of(serial, sizeof serial),
                                           .cn = "New CA",
                                           .now = JUDGE_NOW},
                       s->arena);
    return ca;
}

static struct ca root(struct judge_scene *s)
{
    struct ca ca = {.spki = shape_spki(s->arena)};
    struct templates_issuer facts = shape_root("new", "New Root", ca.spki, CERT_ALG_ECDSA_SHA256, s->arena);
    ca.tbs = shape_tbs(&(struct shape_ask){.templates = s->house->templates,
                                           .template = "root",
                                           .issuer = &facts,
                                           .spki = ca.spki,
                                           .serial = view_of(serial, sizeof serial),
                                           .cn = "New Root",
                                           .now = JUDGE_NOW},
                       s->arena);
    return ca;
}

static enum err_code verdict(struct judge_scene *s, const struct ca *ca, const struct house_issuer *issuer,
                             const char *template)
{
    struct judge_cert_found found;
    struct judge_ca_case c = {.house = s->house,
                              .responders = s->responders,
                              .issuer = issuer,
                              .name = "new",
                              .spki = ca->spki,
                              .template = view_str(template),
                              .tbs = shape_bytes(&ca->tbs, s->arena),
                              .now = JUDGE_NOW};
    struct err *e = judge_ca(&c, s->arena, &found);
    if (e)
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
    return code_of(e);
}

static void roots_and_subordinates_pass(void **state)
{
    struct judge_scene *s = *state;
    struct ca one = sub_ca(s), two = root(s);
    assert_int_equal(verdict(s, &one, s->root, "sub-ca"), ERR__COUNT);
    assert_int_equal(verdict(s, &two, NULL, "root"), ERR__COUNT);
}

static void the_key_is_in_the_token(void **state)
{
    struct judge_scene *s = *state;
    struct ca ca = sub_ca(s);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR__COUNT);
    ca.tbs.spki = shape_spki(s->arena);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
}

static void a_path_length_holds(void **state)
{
    struct judge_scene *s = *state;
    struct ca ca = sub_ca(s);
    struct cert_ext ext;
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR__COUNT);
    good(cert_ext_write_basic((struct cert_basic){true, 1}, true, s->arena, &ext));
    shape_put_ext(&ca.tbs, ext);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR); /* the root's own is 1 */
    good(cert_ext_write_basic((struct cert_basic){true, -1}, true, s->arena, &ext));
    shape_put_ext(&ca.tbs, ext);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
    /* and nothing stands below the issuing one */
    ca.tbs = shape_tbs(&(struct shape_ask){.templates = s->house->templates,
                                           .template = "sub-ca",
                                           .issuer = &s->issuing->facts,
                                           .spki = ca.spki,
                                           .serial = view_of(serial, sizeof serial),
                                           .cn = "New CA",
                                           .now = JUDGE_NOW},
                       s->arena);
    assert_int_equal(verdict(s, &ca, s->issuing, "sub-ca"), ERR_FLOOR);
    s->issuing->path_len = -1;
    assert_int_equal(verdict(s, &ca, s->issuing, "sub-ca"), ERR__COUNT);
}

static void a_ca_is_a_ca_and_nothing_else(void **state)
{
    struct judge_scene *s = *state;
    struct ca ca = sub_ca(s);
    struct cert_ext ext;
    struct view oid;
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR__COUNT);
    ca = root(s); /* which has no path length above it */
    good(cert_ext_write_basic((struct cert_basic){false, -1}, true, s->arena, &ext));
    shape_put_ext(&ca.tbs, ext);
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR_FLOOR);
    good(cert_ext_write_basic((struct cert_basic){true, 1}, false, s->arena, &ext));
    shape_put_ext(&ca.tbs, ext);
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR_FLOOR);
    shape_drop_ext(&ca.tbs, CERT_EXT_BASIC_CONSTRAINTS);
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR_FLOOR);
    ca = root(s);
    shape_drop_ext(&ca.tbs, CERT_EXT_KEY_USAGE);
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR_FLOOR);
    ca = sub_ca(s);
    good(cert_ext_write_key_usage(CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN | CERT_KU_KEY_ENCIPHERMENT, true,
                                  s->arena, &ext));
    shape_put_ext(&ca.tbs, ext);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
    ca = sub_ca(s);
    good(cert_ext_eku_parse("OCSPSigning", s->arena, &oid));
    good(cert_ext_write_eku((struct cert_views){&oid, 1}, false, s->arena, &ext));
    shape_put_ext(&ca.tbs, ext);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
}

static void names_and_keys_of_issuers_stay_theirs(void **state)
{
    struct judge_scene *s = *state;
    struct ca ca = sub_ca(s);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR__COUNT);
    ca.tbs.subject = s->issuing->facts.subject;
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
    ca = sub_ca(s);
    ca.spki = ca.tbs.spki = s->issuing_spki;
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
    ca = root(s);
    ca.tbs.issuer = s->root->facts.subject; /* not self-signed at all */
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR_FLOOR);
}

static void signer_name_key_and_algorithm_fit(void **state)
{
    struct judge_scene *s = *state;
    struct ca ca = sub_ca(s);
    struct cert_ext ext;
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR__COUNT);
    ca.tbs.issuer = s->issuing->facts.subject;
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
    ca = sub_ca(s);
    ca.tbs.alg = CERT_ALG_ECDSA_SHA512;
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
    ca = sub_ca(s);
    good(cert_ext_write_aki(s->issuing->facts.key_id, s->arena, &ext));
    shape_put_ext(&ca.tbs, ext);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
    shape_drop_ext(&ca.tbs, CERT_EXT_AKI);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
    ca = root(s);
    ca.tbs.alg = CERT_ALG_RSA_SHA256;
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR_FLOOR);
    ca = sub_ca(s);
    ca.tbs.serial = view_of(serial, 12);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
}

static void dates_are_bounded(void **state)
{
    struct judge_scene *s = *state;
    struct ca ca = root(s);
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR__COUNT);
    ca.tbs.not_after = ca.tbs.not_before + JUDGE_CA_S + 1;
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR_FLOOR);
    ca = root(s);
    ca.tbs.not_before = JUDGE_NOW - JUDGE_BACKDATE_S - 1;
    assert_int_equal(verdict(s, &ca, NULL, "root"), ERR_FLOOR);
    ca = sub_ca(s);
    ca.tbs.not_after = s->root->facts.not_after + 1;
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR_FLOOR);
}

/* --- keys from elsewhere --- */

static enum err_code verdict_of_other(struct judge_scene *s, const struct cert_tbs *tbs, struct view proof)
{
    struct judge_cert_found found;
    struct judge_ca_case c = {.house = s->house,
                              .responders = s->responders,
                              .issuer = s->root,
                              .name = "",
                              .proof = proof,
                              .template = view_str("sub-ca"),
                              .tbs = shape_bytes(tbs, s->arena),
                              .now = JUDGE_NOW};
    struct err *e = judge_ca(&c, s->arena, &found);
    if (e)
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
    return code_of(e);
}

static struct view request(struct judge_scene *s, EVP_PKEY *key, struct view spki)
{
    struct cert_name_part cn = {"CN", "New CA"};
    struct view subject, cri, der;
    good(cert_name_write(&cn, 1, s->arena, &subject));
    good(cert_csr_write(subject, spki, s->arena, &cri));
    good(cert_seal(cri, CERT_ALG_ECDSA_SHA256, judge_scene_sign(key, cri, s->arena), s->arena, &der));
    return der;
}

static struct view spki_of(struct judge_scene *s, EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    assert_true(n > 0);
    struct view copy = arena_dup(s->arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    return copy;
}

static void a_key_from_elsewhere_has_shown_itself(void **state)
{
    struct judge_scene *s = *state;
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    struct view spki = spki_of(s, key);
    struct ca ca = sub_ca(s);
    ca.tbs.spki = spki;
    struct cert_ext ski;
    uint8_t id[SHA1_BYTES];
    struct cert_key parsed;
    good(cert_key_parse(spki, &parsed));
    cert_key_sha1(&parsed, id);
    good(cert_ext_write_ski(view_of(id, sizeof id), s->arena, &ski));
    shape_put_ext(&ca.tbs, ski);
    assert_int_equal(verdict_of_other(s, &ca.tbs, request(s, key, spki)), ERR__COUNT);
    /* signed by another key than it names, for another key, and with nothing at all */
    assert_int_equal(verdict_of_other(s, &ca.tbs, request(s, other, spki)), ERR_BAD_SIGNATURE);
    assert_int_equal(verdict_of_other(s, &ca.tbs, request(s, other, spki_of(s, other))), ERR_FLOOR);
    assert_int_not_equal(verdict_of_other(s, &ca.tbs, view_str("nothing")), ERR__COUNT);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void a_request_is_for_its_own_key_under_its_own_name(void **state)
{
    struct judge_scene *s = *state;
    struct view spki = shape_spki(s->arena), subject, cri;
    struct cert_name_part cn = {"CN", "New CA"};
    good(cert_name_write(&cn, 1, s->arena, &subject));
    good(cert_csr_write(subject, spki, s->arena, &cri));
    struct judge_cri_case c = {.house = s->house, .name = "new", .spki = spki, .cri = cri};
    assert_int_equal(code_of(judge_cri(&c, s->arena)), ERR__COUNT);
    c.spki = s->issuing_spki;
    assert_int_equal(code_of(judge_cri(&c, s->arena)), ERR_FLOOR);
    c.spki = spki;
    good(cert_csr_write(s->issuing->facts.subject, spki, s->arena, &c.cri));
    assert_int_equal(code_of(judge_cri(&c, s->arena)), ERR_FLOOR);
    good(cert_csr_write(view_of("\x30\x00", 2), spki, s->arena, &c.cri));
    assert_int_equal(code_of(judge_cri(&c, s->arena)), ERR_FLOOR);
    c.cri = view_from(cri, 1);
    assert_int_not_equal(code_of(judge_cri(&c, s->arena)), ERR__COUNT);
}

static void the_template_is_for_cas(void **state)
{
    struct judge_scene *s = *state;
    struct ca ca = sub_ca(s);
    assert_int_equal(verdict(s, &ca, s->root, "sub-ca"), ERR__COUNT);
    assert_int_equal(verdict(s, &ca, s->root, "server"), ERR_FLOOR);
    assert_int_equal(verdict(s, &ca, s->root, "no-such"), ERR_FLOOR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, judge_scene_setup, judge_scene_teardown)
        TEST(roots_and_subordinates_pass),
        TEST(the_key_is_in_the_token),
        TEST(a_path_length_holds),
        TEST(a_ca_is_a_ca_and_nothing_else),
        TEST(names_and_keys_of_issuers_stay_theirs),
        TEST(dates_are_bounded),
        TEST(the_template_is_for_cas),
        TEST(signer_name_key_and_algorithm_fit),
        TEST(a_key_from_elsewhere_has_shown_itself),
        TEST(a_request_is_for_its_own_key_under_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
