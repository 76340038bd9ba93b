/*
 * Every way to be refused: the error names the rule and the field, an audit entry stands in the ledger,
 * nothing was signed, and nothing is left under way.
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/world.h"
#include "house_scene.h"

struct ask {
    struct house *h;
    struct ca_request request; /* a good one, to be spoiled */
};

/* --- spoiled CSRs --- */

static void garbage(struct ask *a)
{
    a->request.csr = view_str("\x30\x03not");
}

static void nothing(struct ask *a)
{
    a->request.csr = view_of("", 0);
}

static void truncated(struct ask *a)
{
    a->request.csr.n -= 5;
}

static void trailing(struct ask *a)
{
    uint8_t *longer = arena_alloc(a->h->arena, a->request.csr.n + 1);
    memcpy(longer, a->request.csr.p, a->request.csr.n);
    a->request.csr = view_of(longer, a->request.csr.n + 1);
}

static void other_signature(struct ask *a)
{
    uint8_t *other = arena_alloc(a->h->arena, a->request.csr.n);
    memcpy(other, a->request.csr.p, a->request.csr.n);
    other[a->request.csr.n - 1] ^= 1;
    a->request.csr = view_of(other, a->request.csr.n);
}

static struct view csr_with(struct house *h, EVP_PKEY *key, int nid, const char *value)
{
    X509_REQ *req = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
    unsigned char *der = NULL;
    sk_X509_EXTENSION_push(exts,
                           X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:x.example.internal"));
    sk_X509_EXTENSION_push(exts, X509V3_EXT_conf_nid(NULL, NULL, nid, value));
    assert_true(X509_REQ_set_pubkey(req, key));
    assert_true(X509_REQ_add_extensions(req, exts));
    assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
    int n = i2d_X509_REQ(req, &der);
    struct view ret = arena_dup(h->arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(req);
    return ret;
}

static void with_extension(struct ask *a, int nid, const char *value)
{
    EVP_PKEY *key = house_key();
    a->request.csr = csr_with(a->h, key, nid, value);
    EVP_PKEY_free(key);
}

static void ca_true(struct ask *a)
{
    with_extension(a, NID_basic_constraints, "critical,CA:TRUE");
}

static void sign_certificates(struct ask *a)
{
    with_extension(a, NID_key_usage, "critical,keyCertSign");
}

static void ocsp_signing(struct ask *a)
{
    with_extension(a, NID_ext_key_usage, "OCSPSigning");
}

static void foreign_extension(struct ask *a)
{
    with_extension(a, NID_netscape_comment, "hello");
}

static void small_rsa(struct ask *a)
{
    EVP_PKEY *key = EVP_RSA_gen(1024);
    a->request.csr = house_csr(a->h, key, NULL, "DNS:x.example.internal");
    EVP_PKEY_free(key);
}

static void rare_curve(struct ask *a)
{
    EVP_PKEY *key = EVP_EC_gen("secp256k1");
    a->request.csr = house_csr(a->h, key, NULL, "DNS:x.example.internal");
    EVP_PKEY_free(key);
}

static void sans_n(struct ask *a, int n)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    char *text = arena_alloc(arena, (size_t)n * 40 + 1), *at = text;
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%sDNS:n%d.example.internal", i ? "," : "", i);
    EVP_PKEY *key = house_key();
    a->request.csr = house_csr(a->h, key, NULL, text);
    EVP_PKEY_free(key);
    arena_free(arena);
}

static void many_names(struct ask *a)
{
    sans_n(a, 1000);
}

static void ten_thousand_names(struct ask *a)
{
    sans_n(a, 10000);
}

static void no_name(struct ask *a)
{
    EVP_PKEY *key = house_key();
    a->request.csr = house_csr(a->h, key, NULL, NULL);
    EVP_PKEY_free(key);
}

static void named(struct ask *a, const char *san)
{
    EVP_PKEY *key = house_key();
    a->request.csr = house_csr(a->h, key, NULL, san);
    EVP_PKEY_free(key);
}

static void other_name(struct ask *a)
{
    named(a, "DNS:a.example.internal,DNS:www.example.com");
}

static void wildcard(struct ask *a)
{
    named(a, "DNS:*.example.internal");
}

static void u_label(struct ask *a)
{
    named(a, "DNS:b\xc3\xbc"
             "cher.example.internal");
}

static void mailbox(struct ask *a)
{
    named(a, "email:a@example.internal");
}

/* --- who asks, for what --- */

static void template_of(struct ask *a, const char *name)
{
    a->request.template = name;
}

static void unknown_template(struct ask *a)
{
    template_of(a, "no-such");
}

static void internal_template(struct ask *a)
{
    template_of(a, "self");
}

static void internal_for_admin(struct ask *a)
{
    a->request.asker = house_asker(a->h, CA_ROLE_ADMIN, "roster:a");
    template_of(a, "admin");
}

static void template_not_granted(struct ask *a)
{
    template_of(a, "code-signing");
}

static void auditor(struct ask *a)
{
    a->request.asker = house_asker(a->h, CA_ROLE_AUDITOR, "roster:b");
}

static void unknown_issuer(struct ask *a)
{
    a->request.issuer = "issuinG";
}

static void the_root(struct ask *a)
{
    a->request.issuer = "root";
}

static void nobody_s_token(struct ask *a)
{
    static const uint8_t other[32] = {1};
    struct ca_asker *asker = house_requester(a->h);
    asker->token = other;
    a->request.asker = asker;
}

static void lapsed_token(struct ask *a)
{
    static const char *const templates[] = {"server"}, *const names[] = {"dns:**.example.internal"};
    struct ca_asker *asker = house_requester(a->h);
    uint8_t *id = arena_alloc(a->h->arena, SHA256_BYTES);
    memset(id, 0x55, SHA256_BYTES);
    const struct ledger_entry entry = {.kind = LEDGER_TOKEN_CREATE,
                                       .actor = "test",
                                       .body.token = {.id = view_of(id, SHA256_BYTES),
                                                      .templates = {1, templates},
                                                      .names = {1, names},
                                                      .expires = world_now_s() - 1}};
    house_append(a->h, &entry);
    asker->token = id;
    a->request.asker = asker;
}

/* --- when --- */

static void too_long(struct ask *a)
{
    a->request.not_after = world_now_s() + INT64_C(400) * 86400;
}

static void too_long_by_validity(struct ask *a)
{
    a->request.validity_s = INT64_C(50) * 365 * 86400;
}

static void over_already(struct ask *a)
{
    a->request.not_after = world_now_s() - 10;
}

static void both_ends(struct ask *a)
{
    a->request.not_after = world_now_s() + 86400;
    a->request.validity_s = 86400;
}

/* --- keys --- */

static EVP_PKEY *shared;

static void key_of_another(struct ask *a)
{
    struct house_issued got;
    shared = house_key();
    struct ca_request r = house_request(a->h, house_requester(a->h), "server",
                                        house_csr(a->h, shared, NULL, "DNS:x.example.internal"));
    assert_int_equal(house_issue(a->h, &r, &got), ERR__COUNT);
    a->request.csr = r.csr;
    EVP_PKEY_free(shared);
}

static void compromised_key(struct ask *a)
{
    struct house_issued got;
    struct house_revoked gone;
    EVP_PKEY *key = house_key();
    struct ca_request r =
        house_request(a->h, a->request.asker, "server", house_csr(a->h, key, NULL, "DNS:x.example.internal"));
    assert_int_equal(house_issue(a->h, &r, &got), ERR__COUNT);
    assert_int_equal(house_revoke(a->h, a->request.asker, view_of(got.serial_bytes, SERIAL_BYTES),
                                  CERT_REASON_KEY_COMPROMISE, &gone),
                     ERR__COUNT);
    a->request.csr = r.csr;
    EVP_PKEY_free(key);
}

static const struct {
    const char *name;
    void (*spoil)(struct ask *a);
    enum err_code code;
    const char *pointer; /* NULL: any */
    const char *says;    /* part of the detail */
} rows[] = {
    {"garbage", garbage, ERR_BAD_DER, "/csr", ""},
    {"nothing", nothing, ERR_BAD_CSR, "/csr", ""},
    {"truncated", truncated, ERR_BAD_DER, "/csr", ""},
    {"trailing octets", trailing, ERR_BAD_DER, "/csr", ""},
    {"a signature by another key", other_signature, ERR_BAD_SIGNATURE, "/csr", ""},
    {"CA:TRUE", ca_true, ERR_BAD_EXTENSION, NULL, "basicConstraints"},
    {"keyCertSign", sign_certificates, ERR_BAD_EXTENSION, NULL, "keyUsage"},
    {"OCSPSigning", ocsp_signing, ERR_BAD_EXTENSION, NULL, "extKeyUsage"},
    {"an extension of nobody's", foreign_extension, ERR_BAD_EXTENSION, NULL, ""},
    {"RSA of 1024 bits", small_rsa, ERR_BAD_KEY, NULL, "2048"},
    {"a curve that is not ours", rare_curve, ERR_BAD_KEY, NULL, ""},
    {"1000 names", many_names, ERR_TOO_MANY, NULL, "100"},
    {"10000 names", ten_thousand_names, ERR_TOO_LARGE, "/csr", ""},
    {"no name", no_name, ERR_POLICY, NULL, ""},
    {"a name outside the grant", other_name, ERR_NAME_FORBIDDEN, "/csr", "www.example.com"},
    {"a wildcard", wildcard, ERR_POLICY, NULL, "wildcard"},
    {"a U-label", u_label, ERR_BAD_NAME, NULL, ""},
    {"a kind of name that the template has not", mailbox, ERR_POLICY, NULL, "email"},
    {"a template that is not there", unknown_template, ERR_TEMPLATE_UNKNOWN, "/template", "no-such"},
    {"a template of the house's own", internal_template, ERR_TEMPLATE_UNKNOWN, "/template", "self"},
    {"the same, asked by an administrator", internal_for_admin, ERR_TEMPLATE_UNKNOWN, "/template", "admin"},
    {"a template outside the grant", template_not_granted, ERR_FORBIDDEN, "/template", "code-signing"},
    {"an auditor", auditor, ERR_FORBIDDEN, NULL, "auditor"},
    {"an issuer that is not there", unknown_issuer, ERR_ISSUER_UNKNOWN, "/issuer", "issuinG"},
    {"the root", the_root, ERR_POLICY, "/issuer", "root"},
    {"a token that nobody made", nobody_s_token, ERR_UNAUTHENTICATED, NULL, ""},
    {"a lapsed token", lapsed_token, ERR_TOKEN_EXPIRED, NULL, ""},
    {"an end past the maximum", too_long, ERR_POLICY, "/not_after", "398d"},
    {"a validity past the maximum", too_long_by_validity, ERR_POLICY, NULL, "398d"},
    {"an end that is over", over_already, ERR_POLICY, "/not_after", ""},
    {"two ends", both_ends, ERR_BAD_FIELD, NULL, ""},
    {"a key of another asker", key_of_another, ERR_BAD_KEY, "/csr", "another asker"},
    {"a key given up as compromised", compromised_key, ERR_BAD_KEY, "/csr", "compromised"},
};

static void check_entry(struct house *h, enum err_code code, const struct ca_request *r)
{
    struct ledger_entry entry;
    house_quiet(h);
    assert_true(house_last(h, LEDGER_DENY, &entry));
    assert_string_equal(entry.body.deny.type, err_row(code)->type);
    assert_string_equal(entry.body.deny.template, r->template);
    assert_string_equal(entry.actor, r->asker->id);
    assert_string_equal(entry.peer, r->asker->peer);
    assert_int_equal(entry.body.deny.count, 1);
}

static void each_refusal_names_its_rule_and_costs_no_signature(void **state)
{
    struct house *h = *state;
    int bad = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house_issued got;
        struct ask a = {.h = h};
        a.request = house_request(h, house_requester(h), "server", house_csr_for(h, "x.example.internal"));
        rows[i].spoil(&a);
        house_quiet(h);
        unsigned long long signs = house_count(h, "token.C_Sign");
        size_t intents = house_entries(h, LEDGER_INTENT), denied = house_entries(h, LEDGER_DENY);
        enum err_code code = house_issue(h, &a.request, &got);
        bool fits = code == rows[i].code && strstr(got.detail, rows[i].says) &&
                    (!rows[i].pointer || strcmp(got.pointer, rows[i].pointer) == 0);
        if (!fits)
            print_error("%s: %s at '%s': %s\n", rows[i].name,
                        code == ERR__COUNT ? "ISSUED" : err_row(code)->name, got.pointer, got.detail);
        bad += !fits;
        if (code == ERR__COUNT)
            continue;
        check_entry(h, code, &a.request);
        assert_int_equal(house_count(h, "token.C_Sign"), signs);
        assert_int_equal(house_entries(h, LEDGER_INTENT), intents);
        assert_int_equal(house_entries(h, LEDGER_DENY), denied + 1);
        assert_int_equal(ca_under_way(h->ca), 0);
    }
    assert_int_equal(bad, 0);
}

/* The table's good request, unspoiled: what it shows is not the rest of the scene. */
static void the_request_itself_is_fine(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ca_request r =
        house_request(h, house_requester(h), "server", house_csr_for(h, "x.example.internal"));
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
}

static void an_entry_is_written_whatever_was_asked_for(void **state)
{
    static const char bad_utf8[] = "a\xff", control[] = "a\nb";
    struct house *h = *state;
    char *longest = arena_alloc(h->arena, 8001);
    memset(longest, 'x', 8000);
    const char *const templates[] = {longest, bad_utf8, control};
    for (size_t i = 0; i < 3; i++) {
        struct house_issued got;
        struct ledger_entry entry;
        struct ca_request r =
            house_request(h, house_requester(h), templates[i], house_csr_for(h, "x.example.internal"));
        size_t denied = house_entries(h, LEDGER_DENY);
        assert_int_equal(house_issue(h, &r, &got), ERR_TEMPLATE_UNKNOWN);
        house_quiet(h);
        assert_int_equal(house_entries(h, LEDGER_DENY), denied + 1);
        assert_true(house_last(h, LEDGER_DENY, &entry));
        assert_string_equal(entry.body.deny.template, i == 2 ? control : "");
    }
}

static void a_flood_is_summed_up(void **state)
{
    struct house *h = *state;
    struct err *why = err_new(ERR_UNAUTHENTICATED, "no");
    struct ledger_entry entry;
    size_t before = house_entries(h, LEDGER_DENY);
    for (int i = 0; i < 3000; i++)
        ca_deny(h->ca, house_asker(h, CA_ROLE_REQUESTER, "flood"), NULL, why);
    err_free(why);
    atomic_fetch_add(&h->page->mono_offset_ms, 11 * 1000);
    house_leap(h, 11 * 1000);
    house_run(h, 50);
    house_quiet(h);
    size_t written = house_entries(h, LEDGER_DENY) - before;
    assert_in_range(written, 2, 502);
    assert_true(house_last(h, LEDGER_DENY, &entry));
    assert_string_equal(entry.body.deny.type, "rate");
    assert_int_equal(entry.body.deny.count, 3000 - (written - 1));
}

static void without_the_vault_it_says_so_and_tries_nothing(void **state)
{
    struct house *h = *state;
    struct house_issued got;
    struct ca_request r =
        house_request(h, house_requester(h), "server", house_csr_for(h, "x.example.internal"));
    house_drop(h);
    assert_int_equal(house_issue(h, &r, &got), ERR_TOKEN_AWAY);
    house_connect(h);
    assert_int_equal(house_issue(h, &r, &got), ERR_TOKEN_AWAY); /* not drained yet */
    house_await(h, &h->recovered);
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_itself_is_fine),
        cmocka_unit_test(each_refusal_names_its_rule_and_costs_no_signature),
        cmocka_unit_test(an_entry_is_written_whatever_was_asked_for),
        cmocka_unit_test(without_the_vault_it_says_so_and_tries_nothing),
        cmocka_unit_test(a_flood_is_summed_up),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, house_setup, house_teardown);
}
