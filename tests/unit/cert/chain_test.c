/* Chains: what OpenSSL would take is taken; each rule broken is refused by its own name. */
#include "fixture.h"

#include "cert/chain.h"
#include "cert/ext_policy.h"

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

/* --- name constraints and policies: extra extensions for each certificate --- */

struct extra {
    const char *constraints[CERTS];                  /* a permitted subtree */
    const char *policies[CERTS];                     /* dotted OIDs with a blank between */
    int require_explicit[CERTS], inhibit_any[CERTS]; /* skip and 1; 0: none */
    const char *san;                                 /* of the leaf */
    const char *why;                                 /* NULL: taken */
};

static size_t add_policies(const char *texts, struct cert_ext *to, struct arena *arena)
{
    struct cert_policy *list = arena_array(arena, 8, sizeof *list);
    size_t n = 0;
    for (const char *p = texts; p && *p; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");
        assert_ok(der_oid_of_text(arena_str(arena, view_of(p, length)), arena, &list[n++].oid));
        p += length;
    }
    if (n)
        assert_ok(cert_ext_write_policies((struct cert_policies){list, n}, true, arena, to));
    return n > 0;
}

static void add_extra(struct cert_tbs *tbs, const struct extra *x, int i, struct arena *arena)
{
    struct cert_ext *exts = arena_array(arena, 12, sizeof *exts);
    size_t n = tbs->ext_count;
    memcpy(exts, tbs->exts, n * sizeof *exts);
    if (x->constraints[i]) {
        struct cert_subtree subtree;
        struct cert_constraints c = {.permitted = {&subtree, 1}};
        assert_ok(cert_ext_subtree_of_text(view_str(x->constraints[i]), arena, &subtree));
        assert_ok(cert_ext_write_constraints(&c, true, arena, &exts[n++]));
    }
    n += add_policies(x->policies[i], &exts[n], arena);
    if (x->require_explicit[i])
        assert_ok(cert_ext_write_policy_constraints(
            (struct cert_policy_constraints){x->require_explicit[i] - 1, -1}, arena, &exts[n++]));
    if (x->inhibit_any[i])
        assert_ok(cert_ext_write_inhibit_any(x->inhibit_any[i] - 1, arena, &exts[n++]));
    if (i == LEAF && x->san) {
        struct cert_san *san = arena_alloc(arena, sizeof *san);
        assert_ok(cert_san_of_text(view_str(x->san), arena, san));
        assert_ok(cert_ext_write_san(san, 1, false, arena, &exts[n++]));
    }
    tbs->exts = exts;
    tbs->ext_count = n;
}

static bool openssl_takes(const struct view *ders)
{
    X509 *x[CERTS];
    for (int i = 0; i < CERTS; i++)
        x[i] = fixture_x509(ders[i]);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    sk_X509_push(between, x[1]);
    X509_STORE_add_cert(store, x[2]);
    X509_STORE_CTX_init(ctx, store, x[0], between);
    X509_STORE_CTX_set_time(ctx, 0, NOW);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx),
                                X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK);
    X509_VERIFY_PARAM_add0_policy(X509_STORE_CTX_get0_param(ctx), OBJ_nid2obj(NID_any_policy));
    bool taken = X509_verify_cert(ctx) == 1;
    sk_X509_free(between);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    for (int i = 0; i < CERTS; i++)
        X509_free(x[i]);
    return taken;
}

#define ANY "2.5.29.32.0"

static const struct extra extras[] = {
    /* constraints: of the root, of both, of the one between */
    {.constraints = {"dns:example", NULL, NULL}, .san = "dns:a.example"},
    {.constraints = {"dns:example", NULL, NULL}, .san = "dns:a.test", .why = "certificate 0"},
    {.constraints = {"dns:example", "dns:a.example", NULL}, .san = "dns:a.example"},
    {.constraints = {"dns:example", "dns:a.example", NULL}, .san = "dns:b.example", .why = "outside"},
    {.constraints = {"dns:a.example", "dns:example", NULL}, .san = "dns:b.example", .why = "outside"},
    {.constraints = {NULL, "dns:example", NULL}, .san = "ip:10.0.0.1"},
    {.constraints = {"dir:CN=Leaf", NULL, NULL}, .san = "dns:a", .why = "dir:CN=Sub lies outside"},
    {.constraints = {NULL, "dir:CN=Leaf", NULL}, .san = "dns:a"},
    /* policies: nothing required, so nothing refused */
    {.policies = {NULL, "1.2.3", "1.2.4"}},
    {.policies = {NULL, NULL, "1.2.4"}},
    /* the root's do not count, the sub's count for the leaf */
    {.policies = {NULL, "1.2.3", "1.2.3"}, .require_explicit = {0, 1, 0}},
    {.policies = {NULL, "1.2.3", "1.2.4"}, .require_explicit = {0, 1, 0}, .why = "explicit policy"},
    {.policies = {NULL, "1.2.3", NULL}, .require_explicit = {0, 1, 0}, .why = "explicit policy"},
    {.policies = {NULL, NULL, "1.2.3"}, .require_explicit = {0, 1, 0}, .why = "explicit policy"},
    {.policies = {NULL, "1.2.3 1.2.5", "1.2.4 1.2.5"}, .require_explicit = {0, 1, 0}},
    {.policies = {NULL, ANY, "1.2.4"}, .require_explicit = {0, 1, 0}},
    {.policies = {NULL, "1.2.3", ANY}, .require_explicit = {0, 1, 0}},
    {.policies = {NULL, ANY, ANY}, .require_explicit = {0, 1, 0}},
    {.policies = {NULL, "1.2.3", ANY},
     .require_explicit = {0, 1, 0},
     .inhibit_any = {0, 1, 0},
     .why = "explicit policy"},
    {.policies = {NULL, ANY, ANY}, .require_explicit = {0, 1, 0}, .inhibit_any = {0, 2, 0}},
    {.policies = {NULL, ANY, "1.2.4"}, .require_explicit = {0, 1, 0}, .inhibit_any = {0, 1, 0}},
    /* skips */
    {.policies = {NULL, "1.2.3", "1.2.4"}, .require_explicit = {0, 2, 0}, .why = "explicit policy"},
    {.policies = {NULL, "1.2.3", "1.2.4"}, .require_explicit = {0, 3, 0}},
    {.policies = {NULL, "1.2.3", "1.2.4"}, .require_explicit = {0, 0, 1}, .why = "explicit policy"},
    {.policies = {NULL, "1.2.3", "1.2.4"}, .require_explicit = {1, 0, 0}}, /* the root's */
};

static void constraints_and_policies_are_judged(void **state)
{
    for (size_t k = 0; k < COUNT(extras); k++) {
        struct made m = make(NULL, *state);
        for (int i = 0; i < CERTS; i++) {
            add_extra(&m.tbs[i], &extras[k], i, *state);
            m.ders[CERTS - 1 - i] = fixture_issue(&m.tbs[i], keys[i ? i - 1 : 0], *state);
        }
        struct err *e = cert_chain_verify(m.ders, CERTS, NOW, *state);
        if (openssl_takes(m.ders) == (extras[k].why != NULL) || !e == (extras[k].why != NULL))
            print_error("row %zu: %s\n", k, e ? err_detail(e) : "taken");
        assert_int_equal(openssl_takes(m.ders), extras[k].why == NULL);
        if (!extras[k].why)
            assert_ok(e);
        if (extras[k].why)
            assert_refused(e, ERR_POLICY, extras[k].why);
    }
}

/* A link sees the constraints of its parent, and passes over a self-issued CA. */
static void a_link_has_its_parents_constraints(void **state)
{
    struct extra x = {.constraints = {"dir:CN=Leaf", "dns:example", NULL}, .san = "dns:a.test"};
    struct made m = make(NULL, *state);
    struct cert_chain_cert certs[CERTS];
    for (int i = 0; i < CERTS; i++) {
        add_extra(&m.tbs[i], &x, i, *state);
        assert_ok(cert_chain_read(fixture_issue(&m.tbs[i], keys[i ? i - 1 : 0], *state), *state, &certs[i]));
    }
    assert_refused(cert_chain_link(&certs[LEAF], &certs[SUB], 0, NOW), ERR_POLICY, "dns:a.test");
    assert_refused(cert_chain_link(&certs[SUB], &certs[ROOT], 0, NOW), ERR_POLICY, "dir:CN=Sub");
    assert_ok(cert_chain_link(&certs[ROOT], &certs[ROOT], 1, NOW));
}

static void critical_policies_must_be_understood(void **state)
{
    struct made m = make(NULL, *state);
    struct cert_ext *ext = (struct cert_ext *)&m.tbs[LEAF].exts[2];
    *ext = (struct cert_ext){.oid = cert_ext_oid(CERT_EXT_POLICIES),
                             .critical = true,
                             .value = fixture_nest("30{30{06{2a03} 30{30{06{2a04} 0500}}}}", *state)};
    m.ders[0] = fixture_issue(&m.tbs[LEAF], keys[SUB], *state);
    assert_refused(cert_chain_verify(m.ders, CERTS, NOW, *state), ERR_BAD_EXTENSION, "other than CPS");
    ext->critical = false;
    m.ders[0] = fixture_issue(&m.tbs[LEAF], keys[SUB], *state);
    assert_ok(cert_chain_verify(m.ders, CERTS, NOW, *state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_chain_is_taken),
        TEST(openssl_takes_it_too),
        TEST(dates_are_judged),
        TEST(each_rule_is_named),
        TEST(another_signer_is_refused),
        TEST(constraints_and_policies_are_judged),
        TEST(a_link_has_its_parents_constraints),
        TEST(critical_policies_must_be_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
