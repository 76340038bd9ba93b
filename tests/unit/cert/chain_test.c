/* Chains: what OpenSSL would take is taken; each rule broken is refused by its own name. */
#include "fixture.h"

#include "cert/chain.h"

enum { ROOT, SUB, LEAF, CERTS };

struct made {
    struct cert_tbs tbs[CERTS];
    struct view ders[CERTS]; /* leaf first */
};

static const char *const keys[CERTS] = {"p256", "p384", "p256b"};
static const char *const names[CERTS] = {"CN=Root", "CN=Sub", "CN=Leaf"};

static struct view key_id(const char *key, struct arena *arena)
{
    struct cert_key k;
    uint8_t *id = arena_alloc(arena, SHA1_BYTES);
    assert_ok(cert_key_parse(fixture_spki(key, arena), &k));
    cert_key_sha1(&k, id);
    return view_of(id, SHA1_BYTES);
}

/* change: what to spoil before signing; NULL: nothing. */
static struct made make(void (*change)(struct cert_tbs tbs[CERTS], struct arena *arena), struct arena *arena)
{
    struct made m;
    for (int i = 0; i < CERTS; i++) {
        struct cert_ext *exts = arena_array(arena, 4, sizeof *exts);
        int parent = i ? i - 1 : 0;
        bool ca = i != LEAF;
        assert_ok(cert_ext_write_basic((struct cert_basic){ca, i == SUB ? 0 : -1}, true, arena, &exts[0]));
        assert_ok(cert_ext_write_key_usage(ca ? CERT_KU_KEY_CERT_SIGN : CERT_KU_DIGITAL_SIGNATURE, true,
                                           arena, &exts[1]));
        assert_ok(cert_ext_write_ski(key_id(keys[i], arena), arena, &exts[2]));
        assert_ok(cert_ext_write_aki(key_id(keys[parent], arena), arena, &exts[3]));
        m.tbs[i] = fixture_tbs(arena);
        m.tbs[i].issuer = fixture_name(names[parent], arena);
        m.tbs[i].subject = fixture_name(names[i], arena);
        m.tbs[i].spki = fixture_spki(keys[i], arena);
        m.tbs[i].exts = exts;
        m.tbs[i].ext_count = 4;
    }
    if (change)
        change(m.tbs, arena);
    for (int i = 0; i < CERTS; i++)
        m.ders[CERTS - 1 - i] = fixture_issue(&m.tbs[i], keys[i ? i - 1 : 0], arena);
    return m;
}

static struct err *verify(void (*change)(struct cert_tbs tbs[CERTS], struct arena *arena), int64_t at,
                          struct arena *arena)
{
    struct made m = make(change, arena);
    return cert_chain_verify(m.ders, CERTS, at, arena);
}

#define NOW INT64_C(1795220000)

static void a_good_chain_is_taken(void **state)
{
    struct made m = make(NULL, *state);
    assert_ok(cert_chain_verify(m.ders, CERTS, NOW, *state));
    assert_ok(cert_chain_verify(m.ders, CERTS, INT64_MIN, *state));
    assert_ok(cert_chain_verify(m.ders + 2, 1, NOW, *state)); /* the root alone */
}

static void openssl_takes_it_too(void **state)
{
    struct made m = make(NULL, *state);
    X509 *x[CERTS];
    for (int i = 0; i < CERTS; i++)
        x[i] = fixture_x509(m.ders[i]);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    sk_X509_push(between, x[1]);
    X509_STORE_add_cert(store, x[2]);
    X509_STORE_CTX_init(ctx, store, x[0], between);
    X509_STORE_CTX_set_time(ctx, 0, NOW);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx),
                                X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    assert_int_equal(X509_verify_cert(ctx), 1);
    sk_X509_free(between);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    for (int i = 0; i < CERTS; i++)
        X509_free(x[i]);
}

static void dates_are_judged(void **state)
{
    assert_refused(verify(NULL, 1795219199, *state), ERR_POLICY, "not valid yet");
    assert_refused(verify(NULL, 1826755201, *state), ERR_POLICY, "no longer valid");
    assert_ok(verify(NULL, 1826755200, *state));
}

static void sub_is_no_ca(struct cert_tbs tbs[CERTS], struct arena *arena)
{
    assert_ok(cert_ext_write_basic((struct cert_basic){false, -1}, true, arena,
                                   (struct cert_ext *)&tbs[SUB].exts[0]));
}

static void sub_may_not_sign(struct cert_tbs tbs[CERTS], struct arena *arena)
{
    assert_ok(cert_ext_write_key_usage(CERT_KU_CRL_SIGN, true, arena, (struct cert_ext *)&tbs[SUB].exts[1]));
}

static void root_allows_none_below(struct cert_tbs tbs[CERTS], struct arena *arena)
{
    assert_ok(cert_ext_write_basic((struct cert_basic){true, 0}, true, arena,
                                   (struct cert_ext *)&tbs[ROOT].exts[0]));
}

static void leaf_names_another_issuer(struct cert_tbs tbs[CERTS], struct arena *arena)
{
    tbs[LEAF].issuer = fixture_name("CN=Other", arena);
}

static void leaf_names_another_key(struct cert_tbs tbs[CERTS], struct arena *arena)
{
    assert_ok(cert_ext_write_aki(key_id("p256", arena), arena, (struct cert_ext *)&tbs[LEAF].exts[3]));
}

static void leaf_has_a_critical_unknown(struct cert_tbs tbs[CERTS], struct arena *arena)
{
    struct cert_ext *ext = (struct cert_ext *)&tbs[LEAF].exts[2];
    *ext = (struct cert_ext){.oid = fixture_hex("2a0304", arena), .critical = true, .value = view_str("x")};
}

static void each_rule_is_named(void **state)
{
    static const struct {
        void (*change)(struct cert_tbs tbs[CERTS], struct arena *arena);
        const char *why;
    } rows[] = {
        {sub_is_no_ca, "no CA"},
        {sub_may_not_sign, "may not sign certificates"},
        {root_allows_none_below, "pathLenConstraint 0"},
        {leaf_names_another_issuer, "is not the subject"},
        {leaf_names_another_key, "subjectKeyIdentifier"},
        {leaf_has_a_critical_unknown, "not understood"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(verify(rows[i].change, NOW, *state), ERR_POLICY, rows[i].why);
}

static void another_signer_is_refused(void **state)
{
    struct made m = make(NULL, *state);
    m.ders[0] = fixture_issue(&m.tbs[LEAF], "p384b", *state);
    m.tbs[LEAF].alg = CERT_ALG_ECDSA_SHA256;
    assert_refused(cert_chain_verify(m.ders, CERTS, NOW, *state), ERR_BAD_SIGNATURE, "certificate 0");
    m = make(NULL, *state);
    m.ders[2] = fixture_issue(&m.tbs[ROOT], "p256b", *state); /* a root that did not sign itself */
    assert_refused(cert_chain_verify(m.ders, CERTS, NOW, *state), ERR_BAD_SIGNATURE, "certificate 2");
    assert_refused(cert_chain_verify(m.ders, 2, NOW, *state), ERR_POLICY, "certificate 1");
    assert_refused(cert_chain_verify(m.ders, 0, NOW, *state), ERR_TOO_MANY, "1 to 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_chain_is_taken), TEST(openssl_takes_it_too),      TEST(dates_are_judged),
        TEST(each_rule_is_named),    TEST(another_signer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
