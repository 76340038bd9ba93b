/* Delta lists: OpenSSL applies them to their base; what is no delta is refused; the narrow reader takes none.
 */
#include "fixture.h"

#include "cert/crl.h"

#define NOW INT64_C(1795220000)

struct sink {
    uint8_t bytes[4096];
    size_t n;
};

static struct err *gather(void *arg, struct view bytes)
{
    struct sink *s = arg;
    assert_true(bytes.n <= sizeof s->bytes - s->n);
    memcpy(s->bytes + s->n, bytes.p, bytes.n);
    s->n += bytes.n;
    return NULL;
}

static struct cert_crl description(struct arena *arena)
{
    return (struct cert_crl){
        .alg = CERT_ALG_ECDSA_SHA256,
        .issuer = fixture_name("CN=Issuer", arena),
        .this_update = NOW - 100,
        .next_update = NOW + 86400,
        .number = 7,
        .aki = view_str("01234567890123456789"),
        .has_idp = true,
        .idp = {.uri = view_str("http://a/0.crl"), .only_user = true},
    };
}

static struct cert_crl base_list(struct arena *arena)
{
    struct cert_crl crl = description(arena);
    crl.freshest = view_str("http://a/0.delta.crl");
    return crl;
}

static struct cert_crl delta_list(struct arena *arena)
{
    struct cert_crl crl = description(arena);
    crl.is_delta = true;
    crl.base = 7;
    crl.number = 8;
    return crl;
}

static struct err *write_list(const struct cert_crl *crl, const struct cert_crl_entry *entries, size_t n,
                              struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    struct cert_crl_writer w;
    struct sink *s = arena_alloc(arena, sizeof *s);
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += cert_crl_entry_bytes(&entries[i]);
    TRY(cert_crl_begin(&w, crl, bytes, arena, gather, s, NULL));
    for (size_t i = 0; i < n; i++)
        TRY(cert_crl_add(&w, &entries[i]));
    TRY(cert_crl_end(&w));
    *ret = view_of(s->bytes, s->n);
out:
    return e;
}

static void what_was_written_is_read(void **state)
{
    struct cert_crl read, base = base_list(*state), delta = delta_list(*state);
    struct cert_crl_entry removed = {
        .serial = fixture_hex("01", *state), .revoked_at = NOW - 200, .reason = CERT_REASON_REMOVE_FROM_CRL};
    struct view tbs;
    size_t n = 0;
    assert_ok(write_list(&delta, &removed, 1, *state, &tbs));
    assert_ok(cert_crl_read_any(tbs, &read));
    assert_true(read.is_delta && read.base == 7 && read.number == 8 && !read.freshest.p);
    assert_true(read.has_idp && read.idp.only_user);
    assert_ok(cert_crl_check(&read, &n));
    assert_int_equal(n, 1);
    read.is_delta = false;
    assert_refused(cert_crl_check(&read, &n), ERR_BAD_EXTENSION, "removeFromCRL in a full list");
    assert_refused(cert_crl_read(tbs, &read), ERR_BAD_EXTENSION, "unknown, repeated");
    assert_ok(write_list(&base, NULL, 0, *state, &tbs));
    assert_ok(cert_crl_read_any(tbs, &read));
    assert_false(read.is_delta);
    assert_bytes(read.freshest, base.freshest);
    assert_refused(cert_crl_read(tbs, &read), ERR_BAD_EXTENSION, "unknown, repeated");
}

static void openssl_writes_the_same(void **state)
{
    struct cert_ext ext;
    uint64_t number = 0;
    assert_ok(cert_ext_write_delta(300, *state, &ext));
    assert_true(ext.critical);
    ASN1_INTEGER *theirs = ASN1_INTEGER_new();
    assert_int_equal(ASN1_INTEGER_set(theirs, 300), 1);
    X509_EXTENSION *x = X509V3_EXT_i2d(NID_delta_crl, 1, theirs);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(x);
    assert_bytes(ext.value, view_of(value->data, (size_t)value->length));
    assert_bytes(ext.oid, view_of(OBJ_get0_data(X509_EXTENSION_get_object(x)),
                                  OBJ_length(X509_EXTENSION_get_object(x))));
    X509_EXTENSION_free(x);
    ASN1_INTEGER_free(theirs);
    assert_ok(cert_ext_read_delta(ext.value, &number));
    assert_int_equal(number, 300);
    assert_refused(cert_ext_read_delta(fixture_hex("0201ff", *state), &number), ERR_BAD_DER,
                   "RFC 5280 5.2.4");
    assert_refused(cert_ext_read_delta(fixture_hex("02010100", *state), &number), ERR_BAD_DER,
                   "RFC 5280 5.2.4");
}

static void what_is_no_delta_is_not_written(void **state)
{
    struct cert_crl delta = delta_list(*state);
    struct view tbs;
    delta.base = 8;
    assert_refused(write_list(&delta, NULL, 0, *state, &tbs), ERR_CORRUPT, "RFC 5280 5.2.4");
    delta.base = 7;
    delta.freshest = view_str("http://a");
    assert_refused(write_list(&delta, NULL, 0, *state, &tbs), ERR_CORRUPT, "RFC 5280 5.2.6");
    delta.is_delta = false;
    delta.freshest = view_str("relative");
    assert_refused(write_list(&delta, NULL, 0, *state, &tbs), ERR_BAD_NAME, "absolute");
}

/* Octets of a list exchanged for as many others. */
static struct err *read_changed(const struct cert_crl *crl, const char *from, const char *to,
                                struct arena *arena)
{
    struct cert_crl read;
    struct view tbs, a = fixture_hex(from, arena), b = fixture_hex(to, arena);
    assert_ok(write_list(crl, NULL, 0, arena, &tbs));
    uint8_t *at = memmem(tbs.p, tbs.n, a.p, a.n);
    assert_non_null(at);
    assert_int_equal(a.n, b.n);
    memcpy(at, b.p, b.n);
    return cert_crl_read_any(tbs, &read);
}

static void hostile_deltas_are_refused(void **state)
{
    struct cert_crl base = base_list(*state), delta = delta_list(*state);
    static const struct {
        bool delta;
        const char *from, *to, *why;
    } rows[] = {
        {true, "0403020107", "0403020108", "not below it"}, /* the base */
        {true, "0403020108", "0403020107", "not below it"}, /* the number */
        {true, "0403020107", "04030201ff", "negative"},
        {true, "0603551d1b0101ff", "0603551d1c0101ff", ""},
        {true, "0603551d1c0101ff", "0603551d1b0101ff", "unknown, repeated"}, /* twice */
        {false, "0603551d2e", "0603551d2f", "unknown, repeated"},
        {false, "8614687474703a2f2f612f30", "8614687474702f2f2f612f30", "absolute"},
        {false, "8614687474703a2f2f612f30", "8214687474703a2f2f612f30", "freshestCRL"},
        {false, "0603551d14", "0603551d2e", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err *e = read_changed(rows[i].delta ? &delta : &base, rows[i].from, rows[i].to, *state);
        assert_non_null(e);
        if (!strstr(err_detail(e), rows[i].why))
            print_error("row %zu: %s\n", i, err_detail(e));
        assert_non_null(strstr(err_detail(e), rows[i].why));
        err_free(e);
    }
}

/* --- OpenSSL applies them --- */

static X509 *certificate(bool ca, const char *subject, const char *key, const char *serial,
                         struct arena *arena)
{
    struct cert_ext exts[4];
    struct cert_tbs tbs = fixture_tbs(arena);
    struct view point = view_str("http://a/0.crl");
    size_t n = 0;
    tbs.serial = fixture_hex(serial, arena);
    tbs.subject = fixture_name(subject, arena);
    tbs.spki = fixture_spki(key, arena);
    assert_ok(cert_ext_write_basic((struct cert_basic){ca, -1}, true, arena, &exts[n++]));
    if (ca)
        assert_ok(
            cert_ext_write_key_usage(CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN, true, arena, &exts[n++]));
    if (!ca)
        assert_ok(cert_ext_write_cdp((struct cert_views){&point, 1}, arena, &exts[n++]));
    tbs.exts = exts;
    tbs.ext_count = n;
    return fixture_x509(fixture_issue(&tbs, "p256", arena));
}

static void add_list(X509_STORE *store, const struct cert_crl *crl, const struct cert_crl_entry *entries,
                     size_t n, struct arena *arena)
{
    struct view tbs, der;
    assert_ok(write_list(crl, entries, n, arena, &tbs));
    assert_ok(cert_seal(tbs, crl->alg, fixture_sign("p256", crl->alg, tbs, arena), arena, &der));
    const uint8_t *p = der.p;
    X509_CRL *theirs = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(theirs);
    assert_int_equal(X509_STORE_add_crl(store, theirs), 1);
    X509_CRL_free(theirs);
}

static int verdict(X509_STORE *store, X509 *leaf)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, store, leaf, NULL);
    X509_STORE_CTX_set_time(ctx, 0, NOW);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_CRL_CHECK |
                                                                    X509_V_FLAG_EXTENDED_CRL_SUPPORT |
                                                                    X509_V_FLAG_USE_DELTAS);
    int taken = X509_verify_cert(ctx), error = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    return taken == 1 ? X509_V_OK : error;
}

/* Serials 1 to 3: good, revoked in the delta, held in the base and released by the delta. */
static void openssl_applies_a_delta(void **state)
{
    struct cert_crl base = base_list(*state), delta = delta_list(*state);
    struct cert_crl_entry held = {.serial = fixture_hex("03", *state),
                                  .revoked_at = NOW - 1000,
                                  .reason = CERT_REASON_CERTIFICATE_HOLD};
    struct cert_crl_entry changes[] = {
        {.serial = fixture_hex("02", *state), .revoked_at = NOW - 300, .reason = CERT_REASON_KEY_COMPROMISE},
        {.serial = fixture_hex("03", *state),
         .revoked_at = NOW - 300,
         .reason = CERT_REASON_REMOVE_FROM_CRL}};
    X509 *ca = certificate(true, "CN=Issuer", "p256", "7f", *state);
    X509 *leaves[3];
    for (size_t i = 0; i < COUNT(leaves); i++)
        leaves[i] = certificate(false, "CN=leaf", "p256b", arena_printf(*state, "0%zu", i + 1), *state);
    for (int with_delta = 0; with_delta < 2; with_delta++) {
        X509_STORE *store = X509_STORE_new();
        X509_STORE_add_cert(store, ca);
        add_list(store, &base, &held, 1, *state);
        if (with_delta)
            add_list(store, &delta, changes, 2, *state);
        assert_int_equal(verdict(store, leaves[0]), X509_V_OK);
        assert_int_equal(verdict(store, leaves[1]), with_delta ? X509_V_ERR_CERT_REVOKED : X509_V_OK);
        assert_int_equal(verdict(store, leaves[2]), with_delta ? X509_V_OK : X509_V_ERR_CERT_REVOKED);
        X509_STORE_free(store);
    }
    for (size_t i = 0; i < COUNT(leaves); i++)
        X509_free(leaves[i]);
    X509_free(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read),        TEST(openssl_writes_the_same),
        TEST(what_is_no_delta_is_not_written), TEST(hostile_deltas_are_refused),
        TEST(openssl_applies_a_delta),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
