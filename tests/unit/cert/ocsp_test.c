/* OCSP: requests of OpenSSL are read, our answers verified by it; what the vault seals again is what it made.
 */
#include "fixture.h"

#include "base/limits.h"
#include "cert/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#define NOW INT64_C(1795219200)

/* An issuer "p256" and a delegated responder "p384" under it, as X509 and DER. */
struct world {
    struct view issuer_der, responder_der, leaf_der;
    X509 *issuer, *responder, *leaf;
    struct cert_key issuer_key, responder_key;
    struct cert_ocsp_issuer names;
    struct cert_tbs leaf_tbs;
};

static struct view issue(struct cert_tbs *tbs, const char *subject, const char *key, bool ca,
                         struct arena *arena)
{
    struct cert_ext *exts = arena_array(arena, 3, sizeof *exts);
    struct view oid;
    assert_ok(cert_ext_eku_parse("OCSPSigning", arena, &oid));
    assert_ok(cert_ext_write_basic((struct cert_basic){ca, -1}, true, arena, &exts[0]));
    assert_ok(cert_ext_write_eku((struct cert_views){&oid, 1}, false, arena, &exts[1]));
    assert_ok(cert_ext_write_no_check(arena, &exts[2]));
    *tbs = fixture_tbs(arena);
    tbs->subject = fixture_name(subject, arena);
    tbs->spki = fixture_spki(key, arena);
    tbs->exts = exts;
    tbs->ext_count = ca ? 1 : 3;
    return fixture_issue(tbs, "p256", arena);
}

static struct world world_of(struct arena *arena)
{
    struct world w;
    struct cert_tbs tbs;
    w.issuer_der = issue(&tbs, "CN=Issuer", "p256", true, arena);
    w.responder_der = issue(&tbs, "CN=Responder", "p384", false, arena);
    w.leaf_der = issue(&w.leaf_tbs, "CN=Leaf", "p256b", false, arena);
    w.issuer = fixture_x509(w.issuer_der);
    w.responder = fixture_x509(w.responder_der);
    w.leaf = fixture_x509(w.leaf_der);
    assert_ok(cert_key_parse(fixture_spki("p256", arena), &w.issuer_key));
    assert_ok(cert_key_parse(fixture_spki("p384", arena), &w.responder_key));
    cert_ocsp_issuer_of(w.leaf_tbs.issuer, &w.issuer_key, &w.names);
    return w;
}

static void world_end(struct world *w)
{
    X509_free(w->issuer);
    X509_free(w->responder);
    X509_free(w->leaf);
}

static struct view request_der(OCSP_REQUEST *req, struct arena *arena)
{
    uint8_t *der = NULL;
    int n = i2d_OCSP_REQUEST(req, &der);
    assert_true(n > 0);
    struct view v = arena_dup(arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    return v;
}

static void requests_of_openssl_are_read(void **state)
{
    struct world w = world_of(*state);
    const EVP_MD *const digests[] = {EVP_sha1(), EVP_sha256(), EVP_sha384()};
    for (size_t i = 0; i < COUNT(digests); i++) {
        struct cert_ocsp_request request;
        OCSP_REQUEST *req = OCSP_REQUEST_new();
        OCSP_request_add0_id(req, OCSP_cert_to_id(digests[i], w.leaf, w.issuer));
        if (i)
            OCSP_request_add1_nonce(req, (uint8_t *)"0123456789abcdef", 16);
        assert_ok(cert_ocsp_request_parse(request_der(req, *state), *state, &request));
        assert_int_equal(request.n, 1);
        assert_int_equal(request.ids[0].hash, i);
        assert_bytes(request.ids[0].serial, w.leaf_tbs.serial);
        assert_int_equal(cert_ocsp_fits(&w.names, &request.ids[0]), i < 2); /* SHA-384: nobody's */
        assert_bytes(request.nonce, i ? view_str("0123456789abcdef") : view_of(NULL, 0));
        OCSP_REQUEST_free(req);
    }
    world_end(&w);
}

static void several_certificates_and_a_signature_are_taken(void **state)
{
    struct world w = world_of(*state);
    struct cert_ocsp_request request;
    OCSP_REQUEST *req = OCSP_REQUEST_new();
    OCSP_request_add0_id(req, OCSP_cert_to_id(NULL, w.leaf, w.issuer));
    OCSP_request_add0_id(req, OCSP_cert_to_id(EVP_sha256(), w.responder, w.issuer));
    assert_int_equal(OCSP_request_sign(req, w.leaf, fixture_key("p256b"), EVP_sha256(), NULL, 0), 1);
    assert_ok(cert_ocsp_request_parse(request_der(req, *state), *state, &request));
    assert_int_equal(request.n, 2);
    OCSP_REQUEST_free(req);
    world_end(&w);
}

/* --- requests put together by hand --- */

static struct view wrap(unsigned tag, size_t n, const struct view *parts, struct arena *arena)
{
    return fixture_wrap(tag, fixture_join(arena, n, parts), arena);
}
#define WRAP(tag, ...)                                                                                       \
    wrap((tag), sizeof((struct view[]){__VA_ARGS__}) / sizeof(struct view), (struct view[]){__VA_ARGS__},    \
         arena)

#define NONE view_of(NULL, 0)

static struct view cert_id(struct arena *arena)
{
    struct view hash = WRAP(0x04, view_str("01234567890123456789"));
    return WRAP(0x30, fixture_hex("300906052b0e03021a0500", arena), hash, hash, fixture_hex("020141", arena));
}

static struct view extension(const char *oid, bool critical, const char *value, struct arena *arena)
{
    return WRAP(0x30, fixture_hex(oid, arena), critical ? fixture_hex("0101ff", arena) : NONE,
                WRAP(0x04, fixture_hex(value, arena)));
}

/* before: in front of the list; exts: the content of Extensions. */
static struct view request_of(struct view before, struct view list, struct view exts, struct arena *arena)
{
    struct view all = exts.p ? WRAP(0xa2, WRAP(0x30, exts)) : NONE;
    return WRAP(0x30, WRAP(0x30, before, WRAP(0x30, list), all));
}

#define OID_NONCE   "06092b0601050507300102"
#define OID_UNKNOWN "06032a0304"

static void requests_are_judged(void **state)
{
    struct arena *arena = *state;
    struct view one = WRAP(0x30, cert_id(arena)), many = one;
    struct view nonce = extension(OID_NONCE, false, "040101", arena);
    struct view unknown = extension(OID_UNKNOWN, false, "0500", arena);
    struct view critical = extension(OID_UNKNOWN, true, "0500", arena);
    struct view in_single = WRAP(0x30, cert_id(arena), WRAP(0xa0, WRAP(0x30, critical)));
    for (int i = 0; i < LIMIT_OCSP_REQUESTS; i++)
        many = fixture_join(arena, 2, (struct view[]){one, many});
    const struct {
        struct view der;
        enum err_code code;
        const char *why; /* NULL: taken */
    } rows[] = {
        {request_of(NONE, one, NONE, arena), 0, NULL},
        {request_of(NONE, one, nonce, arena), 0, NULL},
        {request_of(NONE, one, unknown, arena), 0, NULL},
        {request_of(NONE, one, extension(OID_NONCE, true, "040101", arena), arena), 0, NULL},
        {request_of(fixture_hex("a003020100", arena), one, NONE, arena), 0, NULL},
        {request_of(fixture_hex("a1028700", arena), one, NONE, arena), 0, NULL}, /* requestorName */
        {request_of(fixture_hex("a003020101", arena), one, NONE, arena), ERR_BAD_REQUEST, "version"},
        {request_of(NONE, NONE, NONE, arena), ERR_BAD_REQUEST, "no certificate"},
        {request_of(NONE, many, NONE, arena), ERR_TOO_MANY, "more than 32"},
        {request_of(NONE, one, critical, arena), ERR_BAD_REQUEST, "RFC 6960 4.4"},
        {request_of(NONE, in_single, NONE, arena), ERR_BAD_REQUEST, "RFC 6960 4.4"},
        {request_of(NONE, one, extension(OID_NONCE, false, "0400", arena), arena), ERR_BAD_REQUEST,
         "RFC 9654"},
        {request_of(NONE, one, extension(OID_NONCE, false, "0101ff", arena), arena), ERR_BAD_DER,
         "OCTET STRING"},
        {request_of(NONE, one, fixture_join(arena, 2, (struct view[]){nonce, nonce}), arena), ERR_BAD_REQUEST,
         "two nonces"},
        {fixture_join(arena, 2, (struct view[]){request_of(NONE, one, NONE, arena), view_str("x")}),
         ERR_BAD_DER, "end"},
        {NONE, ERR_BAD_DER, "end"},
        {view_of(arena_alloc(arena, 5000), 5000), ERR_TOO_LARGE, "4096"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert_ocsp_request request;
        struct err *e = cert_ocsp_request_parse(rows[i].der, arena, &request);
        if (!rows[i].why ? e != NULL
                         : !e || err_code(e) != rows[i].code || !strstr(err_detail(e), rows[i].why)) {
            print_error("row %zu: %s\n", i, err_detail(e));
            fail();
        }
        err_free(e);
    }
}

static void nonces_have_1_to_128_octets(void **state)
{
    struct arena *arena = *state;
    struct view one = WRAP(0x30, cert_id(arena));
    for (size_t n = 0; n < 140; n++) {
        struct cert_ocsp_request request;
        struct view value = WRAP(0x04, WRAP(0x04, view_of(arena_alloc(arena, 140), n)));
        struct view nonce = WRAP(0x30, fixture_hex(OID_NONCE, arena), value);
        struct err *e = cert_ocsp_request_parse(request_of(NONE, one, nonce, arena), arena, &request);
        assert_int_equal(e == NULL, n >= 1 && n <= 128);
        assert_true(e || request.nonce.n == n);
        err_free(e);
    }
}

static void cut_or_flipped_requests_never_crash(void **state)
{
    struct arena *arena = *state;
    struct view nonce = extension(OID_NONCE, false, "04020102", arena);
    struct view der = request_of(NONE, WRAP(0x30, cert_id(arena)), nonce, arena);
    struct cert_ocsp_request request;
    for (size_t n = 0; n < der.n; n++)
        assert_any_error(cert_ocsp_request_parse(arena_dup(arena, view_of(der.p, n)), arena, &request));
    for (size_t bit = 0; bit < der.n * 8; bit++) {
        uint8_t *bad = (uint8_t *)arena_str(arena, der);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        err_free(cert_ocsp_request_parse(view_of(bad, der.n), arena, &request));
    }
}

/* --- answers --- */

static struct view answer_of(const struct world *w, const struct cert_ocsp_data *data, struct arena *arena)
{
    struct view tbs, der;
    assert_ok(cert_ocsp_data_write(data, arena, &tbs));
    struct view sig = fixture_sign("p384", CERT_ALG_ECDSA_SHA384, tbs, arena);
    assert_ok(cert_ocsp_seal(tbs, CERT_ALG_ECDSA_SHA384, sig, &w->responder_der, 1, arena, &der));
    return der;
}

static OCSP_BASICRESP *basic_of(struct view der)
{
    const uint8_t *p = der.p;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);
    assert_non_null(response);
    assert_ptr_equal(p, der.p + der.n);
    assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    assert_non_null(basic);
    OCSP_RESPONSE_free(response);
    return basic;
}

static int verify(const struct world *w, OCSP_BASICRESP *basic)
{
    X509_STORE *store = X509_STORE_new();
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_time(param, NOW + 10);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_add_cert(store, w->issuer);
    int ok = OCSP_basic_verify(basic, NULL, store, 0);
    X509_STORE_free(store);
    ERR_clear_error();
    return ok;
}

static void openssl_verifies_every_status(void **state)
{
    struct world w = world_of(*state);
    static const int statuses[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
                                   V_OCSP_CERTSTATUS_UNKNOWN};
    uint8_t key_hash[SHA1_BYTES];
    cert_key_sha1(&w.responder_key, key_hash);
    for (int i = 0; i < 12; i++) {
        enum cert_ocsp_hash hash = i % 2 ? CERT_OCSP_SHA256 : CERT_OCSP_SHA1;
        struct cert_ocsp_single single = {
            .id = cert_ocsp_id_for(&w.names, hash, w.leaf_tbs.serial),
            .status = (enum cert_ocsp_cert_status)(i % 3),
            .revoked_at = NOW - 100,
            .reason = i < 6 ? CERT_REASON_UNSPECIFIED : CERT_REASON_KEY_COMPROMISE,
            .this_update = NOW,
            .has_next_update = i % 4 != 0,
            .next_update = NOW + 3600,
        };
        struct cert_ocsp_data data = {.responder_key_sha1 = view_of(key_hash, sizeof key_hash),
                                      .produced_at = NOW,
                                      .singles = &single,
                                      .n = 1};
        OCSP_BASICRESP *basic = basic_of(answer_of(&w, &data, *state));
        assert_int_equal(verify(&w, basic), 1);
        OCSP_CERTID *id =
            OCSP_cert_to_id(hash == CERT_OCSP_SHA1 ? EVP_sha1() : EVP_sha256(), w.leaf, w.issuer);
        int status = -1, reason = -1;
        ASN1_GENERALIZEDTIME *revoked = NULL, *this = NULL, *next = NULL;
        assert_int_equal(OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &this, &next), 1);
        assert_int_equal(status, statuses[i % 3]);
        assert_int_equal(next != NULL, single.has_next_update);
        assert_int_equal(reason, status == V_OCSP_CERTSTATUS_REVOKED && i >= 6 ? 1 : -1);
        OCSP_CERTID_free(id);
        OCSP_BASICRESP_free(basic);
    }
    world_end(&w);
}

/* For what has expired: since when its status is kept (RFC 6960 4.4.4). */
static void openssl_reads_the_archive_cutoff(void **state)
{
    struct world w = world_of(*state);
    uint8_t key_hash[SHA1_BYTES];
    cert_key_sha1(&w.responder_key, key_hash);
    struct cert_ocsp_single single = {.id = cert_ocsp_id_for(&w.names, CERT_OCSP_SHA1, w.leaf_tbs.serial),
                                      .this_update = NOW,
                                      .has_next_update = true,
                                      .next_update = NOW + 3600,
                                      .has_archive_cutoff = true,
                                      .archive_cutoff = NOW - 86400};
    struct cert_ocsp_data data = {.responder_key_sha1 = view_of(key_hash, sizeof key_hash),
                                  .produced_at = NOW,
                                  .singles = &single,
                                  .n = 1};
    struct cert_ocsp_answer answer;
    struct view der = answer_of(&w, &data, *state);
    assert_ok(cert_ocsp_open(der, *state, &answer));
    assert_true(answer.data.singles[0].has_archive_cutoff);
    assert_int_equal(answer.data.singles[0].archive_cutoff, NOW - 86400);
    OCSP_BASICRESP *basic = basic_of(der);
    assert_int_equal(verify(&w, basic), 1);
    ASN1_GENERALIZEDTIME *cutoff =
        OCSP_SINGLERESP_get1_ext_d2i(OCSP_resp_get0(basic, 0), NID_id_pkix_OCSP_archiveCutoff, NULL, NULL);
    assert_non_null(cutoff);
    assert_int_equal(ASN1_TIME_cmp_time_t(cutoff, NOW - 86400), 0);
    ASN1_GENERALIZEDTIME_free(cutoff);
    OCSP_BASICRESP_free(basic);
    world_end(&w);
}

/* What the vault does for a nonce: read an answer of its own, add the nonce, seal again. */
static void a_nonce_is_added_to_an_answer(void **state)
{
    struct world w = world_of(*state);
    uint8_t key_hash[SHA1_BYTES];
    cert_key_sha1(&w.responder_key, key_hash);
    struct cert_ocsp_single singles[2] = {
        {.id = cert_ocsp_id_for(&w.names, CERT_OCSP_SHA1, w.leaf_tbs.serial),
         .this_update = NOW,
         .has_next_update = true,
         .next_update = NOW + 3600},
        {.id = cert_ocsp_id_for(&w.names, CERT_OCSP_SHA256, w.leaf_tbs.serial),
         .status = CERT_OCSP_REVOKED,
         .revoked_at = NOW - 5,
         .reason = CERT_REASON_SUPERSEDED,
         .this_update = NOW},
    };
    struct cert_ocsp_data data = {.responder_key_sha1 = view_of(key_hash, sizeof key_hash),
                                  .produced_at = NOW,
                                  .singles = singles,
                                  .n = 2};
    struct cert_ocsp_answer answer, again;
    assert_ok(cert_ocsp_open(answer_of(&w, &data, *state), *state, &answer));
    assert_ok(cert_key_verify(&w.responder_key, answer.sealed.alg, answer.sealed.tbs, answer.sealed.sig));
    assert_int_equal(answer.cert_count, 1);
    assert_bytes(answer.certs[0], w.responder_der);
    assert_int_equal(answer.data.n, 2);
    assert_int_equal(answer.data.singles[1].status, CERT_OCSP_REVOKED);
    assert_int_equal(answer.data.singles[1].reason, CERT_REASON_SUPERSEDED);
    assert_int_equal(answer.data.singles[1].revoked_at, NOW - 5);
    assert_bytes(answer.data.singles[0].id.serial, w.leaf_tbs.serial);

    struct cert_ocsp_data more = answer.data;
    more.produced_at = NOW + 7;
    more.nonce = view_str("nonce of the client");
    struct view der = answer_of(&w, &more, *state);
    assert_ok(cert_ocsp_open(der, *state, &again));
    assert_int_equal(again.data.produced_at, NOW + 7);
    assert_bytes(again.data.nonce, more.nonce);
    for (size_t i = 0; i < 2; i++)
        assert_bytes(again.data.singles[i].der, answer.data.singles[i].der);

    OCSP_BASICRESP *basic = basic_of(der);
    OCSP_REQUEST *req = OCSP_REQUEST_new();
    OCSP_request_add1_nonce(req, (uint8_t *)"nonce of the client", 19);
    assert_int_equal(OCSP_check_nonce(req, basic), 1);
    assert_int_equal(verify(&w, basic), 1);
    OCSP_REQUEST_free(req);
    OCSP_BASICRESP_free(basic);
    world_end(&w);
}

static void error_answers_are_openssls(void **state)
{
    static const enum cert_ocsp_status statuses[] = {CERT_OCSP_MALFORMED_REQUEST, CERT_OCSP_INTERNAL_ERROR,
                                                     CERT_OCSP_TRY_LATER, CERT_OCSP_SIG_REQUIRED,
                                                     CERT_OCSP_UNAUTHORIZED};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct cert_ocsp_answer answer;
        uint8_t *der = NULL;
        OCSP_RESPONSE *response = OCSP_response_create((int)statuses[i], NULL);
        int n = i2d_OCSP_RESPONSE(response, &der);
        assert_bytes(cert_ocsp_error(statuses[i]), view_of(der, (size_t)n));
        assert_ok(cert_ocsp_open(cert_ocsp_error(statuses[i]), *state, &answer));
        assert_int_equal(answer.status, statuses[i]);
        OPENSSL_free(der);
        OCSP_RESPONSE_free(response);
    }
}

static void what_cannot_be_written_is_refused(void **state)
{
    struct world w = world_of(*state);
    struct cert_ocsp_single single = {.id = cert_ocsp_id_for(&w.names, CERT_OCSP_SHA1, w.leaf_tbs.serial),
                                      .this_update = NOW};
    struct cert_ocsp_data data = {.responder_key_sha1 = view_str("01234567890123456789"),
                                  .produced_at = NOW,
                                  .singles = &single,
                                  .n = 1};
    struct view tbs;
    assert_ok(cert_ocsp_data_write(&data, *state, &tbs));
    single.id.hash = CERT_OCSP_HASH_OTHER;
    assert_refused(cert_ocsp_data_write(&data, *state, &tbs), ERR_INTERNAL, "RFC 6960");
    single.id.hash = CERT_OCSP_SHA1;
    data.n = 0;
    assert_refused(cert_ocsp_data_write(&data, *state, &tbs), ERR_INTERNAL, "RFC 6960");
    world_end(&w);
}

static void cut_or_flipped_answers_never_crash(void **state)
{
    struct world w = world_of(*state);
    struct cert_ocsp_single single = {.id = cert_ocsp_id_for(&w.names, CERT_OCSP_SHA1, w.leaf_tbs.serial),
                                      .status = CERT_OCSP_REVOKED,
                                      .reason = CERT_REASON_SUPERSEDED,
                                      .revoked_at = NOW,
                                      .this_update = NOW,
                                      .has_next_update = true,
                                      .next_update = NOW + 1};
    struct cert_ocsp_data data = {.responder_key_sha1 = view_str("01234567890123456789"),
                                  .produced_at = NOW,
                                  .singles = &single,
                                  .n = 1,
                                  .nonce = view_str("n")};
    struct view der = answer_of(&w, &data, *state);
    for (size_t n = 0; n < der.n; n++) {
        struct cert_ocsp_answer answer;
        assert_any_error(cert_ocsp_open(arena_dup(*state, view_of(der.p, n)), *state, &answer));
    }
    for (size_t bit = 0; bit < der.n * 8; bit++) {
        struct cert_ocsp_answer answer;
        uint8_t *bad = (uint8_t *)arena_str(*state, der);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct err *e = cert_ocsp_open(view_of(bad, der.n), *state, &answer);
        if (!e && answer.status == CERT_OCSP_SUCCESSFUL && answer.sealed.alg == CERT_ALG_ECDSA_SHA384) {
            struct view tbs; /* read and written again, raw singles or not: the same octets */
            assert_ok(cert_ocsp_data_write(&answer.data, *state, &tbs));
            assert_bytes(tbs, answer.sealed.tbs);
        }
        err_free(e);
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_of_openssl_are_read),
        TEST(several_certificates_and_a_signature_are_taken),
        TEST(requests_are_judged),
        TEST(nonces_have_1_to_128_octets),
        TEST(cut_or_flipped_requests_never_crash),
        TEST(openssl_verifies_every_status),
        TEST(openssl_reads_the_archive_cutoff),
        TEST(a_nonce_is_added_to_an_answer),
        TEST(error_answers_are_openssls),
        TEST(what_cannot_be_written_is_refused),
        TEST(cut_or_flipped_answers_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
