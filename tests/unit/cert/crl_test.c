/* Lists: streamed, verified by OpenSSL, read in place; what the vault must refuse is refused. */
#include "fixture.h"

#include "base/limits.h"
#include "cert/crl.h"

#include <sys/resource.h>

struct buffer {
    uint8_t *p;
    size_t n, cap, calls;
};

static struct err *gather(void *arg, struct view bytes)
{
    struct buffer *b = arg;
    assert_true(bytes.n <= b->cap - b->n);
    memcpy(b->p + b->n, bytes.p, bytes.n);
    b->n += bytes.n;
    b->calls++;
    return NULL;
}

static struct err *count(void *arg, struct view bytes)
{
    *(size_t *)arg += bytes.n;
    return NULL;
}

static struct cert_crl description(struct arena *arena)
{
    return (struct cert_crl){
        .alg = CERT_ALG_ECDSA_SHA256,
        .issuer = fixture_name("CN=Issuer", arena),
        .this_update = 1795219200,
        .next_update = 1795219200 + 86400,
        .number = 7,
        .aki = view_str("01234567890123456789"),
    };
}

/* Entry i: serials ascend; reasons and dates vary. */
static struct cert_crl_entry entry_of(size_t i, uint8_t serial[SERIAL_BYTES])
{
    static const enum cert_reason reasons[] = {CERT_REASON_UNSPECIFIED, CERT_REASON_KEY_COMPROMISE,
                                               CERT_REASON_SUPERSEDED, CERT_REASON_PRIVILEGE_WITHDRAWN};
    memset(serial, 0x5a, SERIAL_BYTES);
    serial[0] = (uint8_t)(0x40 | i >> 24);
    serial[1] = (uint8_t)(i >> 16);
    serial[2] = (uint8_t)(i >> 8);
    serial[3] = (uint8_t)i;
    return (struct cert_crl_entry){
        .serial = view_of(serial, SERIAL_BYTES),
        .revoked_at = i % 5 ? 1795000000 + (int64_t)i : 2524608000 + (int64_t)i,
        .reason = reasons[i % COUNT(reasons)],
        .has_invalidity = i % 7 == 0,
        .invalid_from = 1790000000,
    };
}

static size_t bytes_of(size_t n)
{
    size_t total = 0;
    uint8_t serial[SERIAL_BYTES];
    for (size_t i = 0; i < n; i++) {
        struct cert_crl_entry entry = entry_of(i, serial);
        total += cert_crl_entry_bytes(&entry);
    }
    return total;
}

static struct view write_list(const struct cert_crl *crl, size_t n, struct arena *arena)
{
    struct cert_crl_writer w;
    size_t entries = bytes_of(n), total = 0;
    struct buffer b = {.p = arena_alloc(arena, entries + 4096), .cap = entries + 4096};
    uint8_t serial[SERIAL_BYTES];
    assert_ok(cert_crl_begin(&w, crl, entries, arena, gather, &b, &total));
    for (size_t i = 0; i < n; i++) {
        struct cert_crl_entry entry = entry_of(i, serial);
        assert_ok(cert_crl_add(&w, &entry));
    }
    assert_ok(cert_crl_end(&w));
    assert_int_equal(b.n, total);
    return view_of(b.p, b.n);
}

static X509_CRL *openssl_crl(struct view der)
{
    const uint8_t *p = der.p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(crl);
    assert_ptr_equal(p, der.p + der.n);
    return crl;
}

static void openssl_verifies_ten_thousand(void **state)
{
    struct cert_crl crl = description(*state);
    struct view der, tbs = write_list(&crl, 10000, *state);
    assert_ok(cert_seal(tbs, crl.alg, fixture_sign("p256", crl.alg, tbs, *state), *state, &der));
    X509_CRL *theirs = openssl_crl(der);
    assert_int_equal(X509_CRL_verify(theirs, fixture_key("p256")), 1);
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(theirs);
    assert_int_equal(sk_X509_REVOKED_num(revoked), 10000);
    uint8_t serial[SERIAL_BYTES];
    for (int i = 0; i < 10000; i += 911) {
        struct cert_crl_entry want = entry_of((size_t)i, serial);
        X509_REVOKED *r = sk_X509_REVOKED_value(revoked, i);
        const ASN1_INTEGER *number = X509_REVOKED_get0_serialNumber(r);
        assert_bytes(view_of(number->data, (size_t)number->length), want.serial);
        ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
        assert_int_equal(reason ? ASN1_ENUMERATED_get(reason) : 0, want.reason);
        ASN1_ENUMERATED_free(reason);
        ASN1_GENERALIZEDTIME *from = X509_REVOKED_get_ext_d2i(r, NID_invalidity_date, NULL, NULL);
        assert_int_equal(from != NULL, want.has_invalidity);
        ASN1_GENERALIZEDTIME_free(from);
    }
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(theirs, NID_crl_number, NULL, NULL);
    assert_int_equal(ASN1_INTEGER_get(number), 7);
    ASN1_INTEGER_free(number);
    X509_CRL_free(theirs);
}

static void an_empty_list_is_well_formed(void **state)
{
    struct cert_crl read, crl = description(*state);
    struct view der, tbs = write_list(&crl, 0, *state);
    size_t n = 1;
    assert_ok(cert_seal(tbs, crl.alg, fixture_sign("p256", crl.alg, tbs, *state), *state, &der));
    X509_CRL *theirs = openssl_crl(der);
    assert_int_equal(X509_CRL_verify(theirs, fixture_key("p256")), 1);
    assert_null(X509_CRL_get_REVOKED(theirs));
    X509_CRL_free(theirs);
    assert_ok(cert_crl_open(der, NULL, &read));
    assert_ok(cert_crl_check(&read, &n));
    assert_int_equal(n, 0);
}

static void what_was_written_is_read(void **state)
{
    struct cert_crl read, crl = description(*state);
    crl.has_idp = true;
    crl.idp = (struct cert_idp){.uri = view_str("http://a/x.crl"), .only_ca = true};
    struct view entries, tbs = write_list(&crl, 500, *state);
    size_t n = 0;
    assert_ok(cert_crl_read(tbs, &read));
    assert_bytes(read.issuer, crl.issuer);
    assert_bytes(read.aki, crl.aki);
    assert_int_equal(read.number, 7);
    assert_int_equal(read.this_update, crl.this_update);
    assert_int_equal(read.next_update, crl.next_update);
    assert_true(read.has_idp && read.idp.only_ca && !read.idp.only_user);
    assert_bytes(read.idp.uri, crl.idp.uri);
    assert_ok(cert_crl_check(&read, &n));
    assert_int_equal(n, 500);
    entries = read.entries;
    for (size_t i = 0; i < 500; i++) {
        uint8_t serial[SERIAL_BYTES];
        struct cert_crl_entry got, want = entry_of(i, serial);
        assert_ok(cert_crl_next(&entries, &got));
        assert_bytes(got.serial, want.serial);
        assert_int_equal(got.revoked_at, want.revoked_at);
        assert_int_equal(got.reason, want.reason);
        assert_int_equal(got.has_invalidity, want.has_invalidity);
        assert_int_equal(got.invalid_from, want.has_invalidity ? want.invalid_from : 0);
    }
    assert_int_equal(entries.n, 0);
}

static void look_ups_find_what_is_there(void **state)
{
    struct cert_crl read, crl = description(*state);
    struct cert_crl_entry entry;
    uint8_t serial[SERIAL_BYTES];
    bool found = false;
    assert_ok(cert_crl_read(write_list(&crl, 100, *state), &read));
    struct cert_crl_entry want = entry_of(42, serial);
    assert_ok(cert_crl_find(&read, want.serial, &found, &entry));
    assert_true(found);
    assert_int_equal(entry.reason, want.reason);
    serial[15] ^= 1;
    assert_ok(cert_crl_find(&read, want.serial, &found, &entry));
    assert_false(found);
}

static void the_writer_refuses_what_does_not_fit(void **state)
{
    struct cert_crl crl = description(*state);
    struct cert_crl_writer w;
    uint8_t a[SERIAL_BYTES], b[SERIAL_BYTES];
    struct cert_crl_entry first = entry_of(1, a), second = entry_of(2, b);
    size_t got = 0, one = cert_crl_entry_bytes(&first), both = one + cert_crl_entry_bytes(&second);

    assert_ok(cert_crl_begin(&w, &crl, both, *state, count, &got, NULL));
    assert_ok(cert_crl_add(&w, &second));
    assert_refused(cert_crl_add(&w, &second), ERR_CORRUPT, "ascend");
    assert_refused(cert_crl_add(&w, &first), ERR_CORRUPT, "ascend");
    assert_refused(cert_crl_end(&w), ERR_CORRUPT, "fewer");
    assert_ok(cert_crl_begin(&w, &crl, one, *state, count, &got, NULL));
    assert_ok(cert_crl_add(&w, &first));
    assert_refused(cert_crl_add(&w, &second), ERR_CORRUPT, "more entries");
    assert_ok(cert_crl_end(&w));

    assert_ok(cert_crl_begin(&w, &crl, 1000, *state, count, &got, NULL));
    second.reason = (enum cert_reason)7;
    assert_refused(cert_crl_add(&w, &second), ERR_CORRUPT, "reason");
    second.reason = CERT_REASON_UNSPECIFIED;
    second.revoked_at = INT64_MAX / 2;
    assert_refused(cert_crl_add(&w, &second), ERR_CORRUPT, "time");
    second.revoked_at = -700000000; /* 1947 */
    assert_refused(cert_crl_add(&w, &second), ERR_CORRUPT, "time");
    b[0] = 0x80;
    assert_refused(cert_crl_add(&w, &second), ERR_CORRUPT, "serial");
}

static struct err *full(void *arg, struct view bytes)
{
    (void)arg;
    (void)bytes;
    return err_new(ERR_NO_SPACE, "full");
}

static void an_error_of_the_sink_comes_out(void **state)
{
    struct cert_crl crl = description(*state);
    struct cert_crl_writer w;
    assert_ok(cert_crl_begin(&w, &crl, 0, *state, full, NULL, NULL));
    assert_refused(cert_crl_end(&w), ERR_NO_SPACE, "full");
}

/* One entry with this body in hex, in an otherwise good list. */
static struct err *check_entries(const char *hex, struct arena *arena)
{
    struct cert_crl crl = {.entries = fixture_hex(hex, arena)};
    size_t n = 0;
    return cert_crl_check(&crl, &n);
}

#define E1                                                                                                   \
    "301202"                                                                                                 \
    "0101"                                                                                                   \
    "170d3236313132313030303030305a"
#define E2                                                                                                   \
    "301202"                                                                                                 \
    "0102"                                                                                                   \
    "170d3236313132313030303030305a"

static void bad_entries_are_refused(void **state)
{
    static const struct {
        const char *hex, *why;
    } rows[] = {
        {E1 E1, "entry 1: the serials do not ascend"},
        {E2 E1, "entry 1: the serials do not ascend"},
        {E1 "3000", "entry 1: "},
        {"301202"
         "0100"
         "170d3236313132313030303030305a",
         "not positive"},
        {"301202"
         "0181"
         "170d3236313132313030303030305a",
         "not positive"},
        {"301402"
         "0101"
         "180f32303236313132313030303030305a",
         "before 2050"},
        {"301402"
         "0101"
         "170d3236313132313030303030305a"
         "3000",
         "empty list"},
        {"302002"
         "0101"
         "170d3236313132313030303030305a"
         "300c300a0603551d1504030a0100",
         "left out"},
        {"302002"
         "0101"
         "170d3236313132313030303030305a"
         "300c300a0603551d1504030a0107",
         "does not exist"},
        {"302002"
         "0101"
         "170d3236313132313030303030305a"
         "300c300a0603551d1504030a010b",
         "entry 0"},
        {"302302"
         "0101"
         "170d3236313132313030303030305a"
         "300f300d0603551d150101ff04030a0101",
         "not expected"},
        {"302c02"
         "0101"
         "170d3236313132313030303030305a"
         "3018300a0603551d1504030a0101300a0603551d1504030a0101",
         "not expected"},
        /* certificateIssuer: an indirect list */
        {"301f02"
         "0101"
         "170d3236313132313030303030305a"
         "300b30090603551d1d04023000",
         "not expected"},
    };
    assert_ok(check_entries(E1 E2, *state));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err *e = check_entries(rows[i].hex, *state);
        assert_non_null(e);
        if (!strstr(err_detail(e), rows[i].why))
            print_error("row %zu: %s\n", i, err_detail(e));
        assert_non_null(strstr(err_detail(e), rows[i].why));
        err_free(e);
    }
}

static struct err *read_changed(const char *from, const char *to, struct arena *arena)
{
    struct cert_crl read, crl = description(arena);
    struct view der = write_list(&crl, 0, arena), a = fixture_hex(from, arena);
    struct view body = view_from(der, 2);
    assert_true(der.p[1] < 0x80);
    const uint8_t *at = memmem(body.p, body.n, a.p, a.n);
    assert_non_null(at);
    size_t before = (size_t)(at - body.p);
    struct view parts[] = {view_of(body.p, before), fixture_hex(to, arena), view_from(body, before + a.n)};
    return cert_crl_read(fixture_wrap(0x30, fixture_join(arena, 3, parts), arena), &read);
}

static void other_lists_are_refused(void **state)
{
    static const struct {
        const char *from, *to, *why;
    } rows[] = {
        {"020101", "020100", "version other than 2"},
        {"170d3236313132323030303030305a", "170d3236313132313030303030305a", "nextUpdate does not lie after"},
        {"170d3236313132323030303030305a", "", "expected a time"},
        {"a02f", "3000a02f", "empty revokedCertificates"},
        {"0603551d14", "0603551d1b", "unknown, repeated"}, /* deltaCRLIndicator */
        {"0603551d14040302", "0603551d14040304", ""},
        {"0603551d23", "0603551d24", "unknown, repeated"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err *e = read_changed(rows[i].from, rows[i].to, *state);
        assert_non_null(e);
        if (!strstr(err_detail(e), rows[i].why))
            print_error("row %zu: %s\n", i, err_detail(e));
        assert_non_null(strstr(err_detail(e), rows[i].why));
        err_free(e);
    }
}

static void cut_or_flipped_never_crashes(void **state)
{
    struct cert_crl read, crl = description(*state);
    size_t n = 0;
    struct view tbs = write_list(&crl, 8, *state);
    for (size_t end = 0; end < tbs.n; end++)
        assert_any_error(cert_crl_read(arena_dup(*state, view_of(tbs.p, end)), &read));
    for (size_t bit = 0; bit < tbs.n * 8; bit++) {
        uint8_t *bad = (uint8_t *)arena_str(*state, tbs);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct err *e = cert_crl_read(view_of(bad, tbs.n), &read);
        err_free(e ? e : cert_crl_check(&read, &n));
    }
}

static void a_million_take_no_memory(void **state)
{
    enum { MILLION = 1000000 };
    struct cert_crl crl = description(*state);
    struct cert_crl_writer w;
    struct rusage before, after;
    uint8_t serial[SERIAL_BYTES];
    size_t entries = bytes_of(MILLION), total = 0, got = 0;
    getrusage(RUSAGE_SELF, &before);
    assert_ok(cert_crl_begin(&w, &crl, entries, *state, count, &got, &total));
    for (size_t i = 0; i < MILLION; i++) {
        struct cert_crl_entry entry = entry_of(i, serial);
        assert_ok(cert_crl_add(&w, &entry));
    }
    assert_ok(cert_crl_end(&w));
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(got, total);
    assert_true(after.ru_maxrss - before.ru_maxrss < 1024); /* KiB */
}

static void reasons_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        enum cert_reason reason = CERT_REASON_UNSPECIFIED;
        const char *name = cert_crl_reason_name((enum cert_reason)i);
        assert_int_equal(name != NULL, i != 7 && i != 11);
        if (!name)
            continue;
        assert_ok(cert_crl_reason_parse(view_str(name), &reason));
        assert_int_equal(reason, i);
    }
    enum cert_reason reason;
    assert_refused(cert_crl_reason_parse(view_str("lost"), &reason), ERR_BAD_FIELD, "keyCompromise");
}

static void serials_are_compared_as_numbers(void **state)
{
    static const char *const ascending[] = {"01", "7f", "0080", "00ff", "0100", "400000", "7fffff"};
    for (size_t i = 0; i < COUNT(ascending); i++) {
        for (size_t j = 0; j < COUNT(ascending); j++) {
            int cmp =
                cert_crl_serial_cmp(fixture_hex(ascending[i], *state), fixture_hex(ascending[j], *state));
            assert_int_equal((cmp > 0) - (cmp < 0), (i > j) - (i < j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(openssl_verifies_ten_thousand),
        TEST(an_empty_list_is_well_formed),
        TEST(what_was_written_is_read),
        TEST(look_ups_find_what_is_there),
        TEST(the_writer_refuses_what_does_not_fit),
        TEST(an_error_of_the_sink_comes_out),
        TEST(bad_entries_are_refused),
        TEST(other_lists_are_refused),
        TEST(cut_or_flipped_never_crashes),
        TEST(a_million_take_no_memory),
        TEST(reasons_have_names),
        TEST(serials_are_compared_as_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
