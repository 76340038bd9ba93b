/*
 * Floors of certificates. Each test takes a request that passes, does the one thing that is forbidden, and
 * sees the refusal; the request without it passing is the control.
 */
#include "judge_scene.h"

#define DAY 86400

static const char server[] = "server";

static void passes(struct judge_scene *s, const char *template, const struct cert_tbs *tbs)
{
    assert_int_equal(judge_scene_cert(s, template, tbs), ERR__COUNT);
}

static void crosses(struct judge_scene *s, const char *template, const struct cert_tbs *tbs)
{
    assert_int_equal(judge_scene_cert(s, template, tbs), ERR_FLOOR);
}

static void what_templates_shape_passes(void **state)
{
    struct judge_scene *s = *state;
    static const char *const names[] = {"server", "client", "device", "code-signing", "self", "ocsp-signing"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct cert_tbs tbs = judge_scene_tbs(s, names[i]);
        passes(s, names[i], &tbs);
    }
}

static void dates_are_held_to_our_clock(void **state)
{
    struct judge_scene *s = *state;
    const struct cert_tbs fine = judge_scene_tbs(s, server);
    struct cert_tbs tbs = fine;
    passes(s, server, &tbs);
    tbs.not_before = JUDGE_NOW - JUDGE_BACKDATE_S - 1;
    crosses(s, server, &tbs);
    tbs.not_before = JUDGE_NOW + JUDGE_AHEAD_S + 1;
    crosses(s, server, &tbs);
    tbs = fine;
    tbs.not_after = JUDGE_NOW;
    crosses(s, server, &tbs);
    s->issuing->facts.not_after = INT64_MAX;
    tbs = fine;
    tbs.not_after = fine.not_before + JUDGE_LEAF_S + 1;
    crosses(s, server, &tbs);
}

static void nothing_outlives_its_issuer(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, server);
    s->issuing->facts.not_after = tbs.not_after;
    passes(s, server, &tbs);
    s->issuing->facts.not_after = tbs.not_after - 1;
    crosses(s, server, &tbs);
}

static void no_ca_comes_this_way(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, server);
    struct cert_ext ext;
    passes(s, server, &tbs);
    good(cert_ext_write_basic((struct cert_basic){true, -1}, true, s->arena, &ext));
    shape_put_ext(&tbs, ext);
    crosses(s, server, &tbs);
}

static void no_key_that_signs_certificates_or_lists(void **state)
{
    struct judge_scene *s = *state;
    static const unsigned bits[] = {CERT_KU_KEY_CERT_SIGN, CERT_KU_CRL_SIGN};
    for (size_t i = 0; i < 2; i++) {
        struct cert_tbs tbs = judge_scene_tbs(s, server);
        struct cert_ext ext;
        good(cert_ext_write_key_usage(CERT_KU_DIGITAL_SIGNATURE, true, s->arena, &ext));
        shape_put_ext(&tbs, ext);
        passes(s, server, &tbs);
        good(cert_ext_write_key_usage(CERT_KU_DIGITAL_SIGNATURE | bits[i], true, s->arena, &ext));
        shape_put_ext(&tbs, ext);
        crosses(s, server, &tbs);
    }
}

static void put_eku(struct judge_scene *s, struct cert_tbs *tbs, const char *usage)
{
    struct view oid;
    struct cert_ext ext;
    const struct cert_ext *was = cert_tbs_ext(tbs, CERT_EXT_EXT_KEY_USAGE);
    good(cert_ext_eku_parse(usage, s->arena, &oid));
    good(cert_ext_write_eku((struct cert_views){&oid, 1}, was->critical, s->arena, &ext));
    shape_put_ext(tbs, ext);
}

static void ocsp_signing_only_for_responder_keys(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, "ocsp-signing");
    passes(s, "ocsp-signing", &tbs);
    tbs.spki = shape_spki(s->arena);
    crosses(s, "ocsp-signing", &tbs);
    tbs = judge_scene_tbs(s, server);
    passes(s, server, &tbs);
    put_eku(s, &tbs, "OCSPSigning");
    crosses(s, server, &tbs);
    put_eku(s, &tbs, "anyExtendedKeyUsage");
    crosses(s, server, &tbs);
    put_eku(s, &tbs, "serverAuth");
    passes(s, server, &tbs);
}

static void a_responder_key_is_for_its_own_issuer(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, "ocsp-signing");
    passes(s, "ocsp-signing", &tbs);
    struct view of_root = shape_spki(s->arena);
    good(responder_add(s->responders, view_str("root"), "ocsp-root-1", JUDGE_NOW, of_root, NULL));
    tbs.spki = of_root;
    crosses(s, "ocsp-signing", &tbs);
}

static void no_check_only_for_responders(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, server);
    struct cert_ext ext;
    passes(s, server, &tbs);
    good(cert_ext_write_no_check(s->arena, &ext));
    shape_put_ext(&tbs, ext);
    crosses(s, server, &tbs);
}

static void issuer_key_and_algorithm_fit(void **state)
{
    struct judge_scene *s = *state;
    const struct cert_tbs fine = judge_scene_tbs(s, server);
    struct cert_tbs tbs = fine;
    struct cert_ext ext;
    passes(s, server, &tbs);
    tbs.issuer = s->root->facts.subject;
    crosses(s, server, &tbs);
    tbs = fine;
    tbs.alg = CERT_ALG_ECDSA_SHA384;
    crosses(s, server, &tbs);
    tbs = fine;
    good(cert_ext_write_aki(s->root->facts.key_id, s->arena, &ext));
    struct cert_tbs other = judge_scene_tbs(s, server);
    shape_put_ext(&other, ext);
    crosses(s, server, &other);
    shape_drop_ext(&other, CERT_EXT_AKI);
    crosses(s, server, &other);
}

static void no_subject_and_no_key_of_ours(void **state)
{
    struct judge_scene *s = *state;
    const struct cert_tbs fine = judge_scene_tbs(s, server);
    struct cert_tbs tbs = fine;
    passes(s, server, &tbs);
    tbs.subject = s->issuing->facts.subject;
    crosses(s, server, &tbs);
    tbs.subject = s->root->facts.subject;
    crosses(s, server, &tbs);
    const struct view ours[] = {s->issuing_spki, s->root_spki, s->responder_spki};
    for (size_t i = 0; i < 3; i++) {
        tbs = fine;
        tbs.spki = ours[i];
        crosses(s, server, &tbs);
    }
}

static void own_names_only_for_self(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, "self");
    struct cert_san san;
    struct cert_ext ext;
    const struct cert_ext *was = cert_tbs_ext(&tbs, CERT_EXT_SAN);
    passes(s, "self", &tbs);
    good(cert_san_of_text(view_str("dns:bank.example.internal"), s->arena, &san));
    good(cert_ext_write_san(&san, 1, was->critical, s->arena, &ext));
    shape_put_ext(&tbs, ext);
    crosses(s, "self", &tbs);
    shape_drop_ext(&tbs, CERT_EXT_SAN);
    crosses(s, "self", &tbs);
}

static void internal_templates_are_not_for_the_front(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, "admin");
    crosses(s, "admin", &tbs);
    struct judge_cert_found found;
    struct judge_cert_case c = {.house = s->house,
                                .responders = s->responders,
                                .issuer = s->issuing,
                                .peer = HSM_PEER_INIT,
                                .template = view_str("admin"),
                                .tbs = shape_bytes(&tbs, s->arena),
                                .now = JUDGE_NOW};
    good(judge_cert(&c, s->arena, &found)); /* init may */
    crosses(s, "sub-ca", &tbs);
    crosses(s, "root", &tbs);
    tbs = judge_scene_tbs(s, server);
    c.template = view_str(server);
    c.tbs = shape_bytes(&tbs, s->arena);
    assert_int_equal(code_of(judge_cert(&c, s->arena, &found)), ERR_FLOOR); /* and nothing else */
    c.peer = HSM_PEER_FRONT;
    good(judge_cert(&c, s->arena, &found));
    assert_int_equal(judge_scene_cert(s, "no-such", &tbs), ERR_TEMPLATE_UNKNOWN);
}

static void a_root_issues_to_its_responder_only(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, server);
    passes(s, server, &tbs);
    s->issuing->may_issue = false;
    crosses(s, server, &tbs);
    tbs = judge_scene_tbs(s, "ocsp-signing");
    passes(s, "ocsp-signing", &tbs);
}

static void a_serial_of_another_length_is_refused(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, server);
    passes(s, server, &tbs);
    tbs.serial = view_of(tbs.serial.p, 15);
    crosses(s, server, &tbs);
}

static void the_templates_rules_are_judged_too(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, server);
    passes(s, server, &tbs);
    tbs.not_after = tbs.not_before + INT64_C(400) * DAY; /* below the floor, above the template's maximum */
    assert_int_equal(judge_scene_cert(s, server, &tbs), ERR_POLICY);
    tbs = judge_scene_tbs(s, server);
    put_eku(s, &tbs, "codeSigning");
    assert_int_equal(judge_scene_cert(s, server, &tbs), ERR_POLICY);
}

static void bytes_that_are_no_tbs_are_refused(void **state)
{
    struct judge_scene *s = *state;
    struct cert_tbs tbs = judge_scene_tbs(s, server);
    struct view bytes = shape_bytes(&tbs, s->arena);
    struct judge_cert_found found;
    struct judge_cert_case c = {.house = s->house,
                                .responders = s->responders,
                                .issuer = s->issuing,
                                .peer = HSM_PEER_FRONT,
                                .template = view_str(server),
                                .now = JUDGE_NOW};
    for (size_t n = 0; n < bytes.n; n++) {
        c.tbs = view_of(bytes.p, n);
        assert_int_not_equal(code_of(judge_cert(&c, s->arena, &found)), ERR__COUNT);
    }
    c.tbs = bytes;
    good(judge_cert(&c, s->arena, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, judge_scene_setup, judge_scene_teardown)
        TEST(what_templates_shape_passes),
        TEST(dates_are_held_to_our_clock),
        TEST(nothing_outlives_its_issuer),
        TEST(no_ca_comes_this_way),
        TEST(no_key_that_signs_certificates_or_lists),
        TEST(ocsp_signing_only_for_responder_keys),
        TEST(a_responder_key_is_for_its_own_issuer),
        TEST(no_check_only_for_responders),
        TEST(issuer_key_and_algorithm_fit),
        TEST(no_subject_and_no_key_of_ours),
        TEST(own_names_only_for_self),
        TEST(internal_templates_are_not_for_the_front),
        TEST(a_root_issues_to_its_responder_only),
        TEST(a_serial_of_another_length_is_refused),
        TEST(the_templates_rules_are_judged_too),
        TEST(bytes_that_are_no_tbs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
