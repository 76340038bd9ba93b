/* A generation as processes read it: what fits together is accepted, the rest refused by name. */
#include "setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "cert/pem.h"

struct scene {
    struct arena *arena;
    EVP_PKEY *root_key, *issuing_key, *other_key;
    struct view root, issuing, impostor, not_ca; /* PEM */
};

static void add_ext(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    CHECK(ext && X509_add_ext(cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

static void set_name(X509_NAME *name, const char *cn)
{
    CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1);
}

/* A certificate in PEM; issuer NULL: self-signed. */
static struct view certificate(struct scene *s, const char *cn, EVP_PKEY *key, const char *issuer_cn,
                               EVP_PKEY *issuer_key, bool ca)
{
    X509 *cert = X509_new();
    X509V3_CTX ctx;
    uint8_t *der = NULL;

    CHECK(cert && X509_set_version(cert, X509_VERSION_3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    set_name(X509_get_subject_name(cert), cn);
    set_name(X509_get_issuer_name(cert), issuer_cn);
    X509_set_pubkey(cert, key);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    add_ext(cert, &ctx, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_ext(cert, &ctx, NID_key_usage, ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    add_ext(cert, &ctx, NID_subject_key_identifier, "hash");
    CHECK(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    int n = i2d_X509(cert, &der);
    CHECK(n > 0);
    struct view pem = view_str(cert_pem_write("CERTIFICATE", view_of(der, (size_t)n), s->arena));
    OPENSSL_free(der);
    X509_free(cert);
    return pem;
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    s->arena = arena_new(8 << 20);
    s->root_key = EVP_EC_gen("P-256");
    s->issuing_key = EVP_EC_gen("P-256");
    s->other_key = EVP_EC_gen("P-256");
    s->root = certificate(s, "Root", s->root_key, "Root", s->root_key, true);
    s->issuing = certificate(s, "Issuing", s->issuing_key, "Root", s->root_key, true);
    s->impostor = certificate(s, "Issuing", s->issuing_key, "Root", s->other_key, true);
    s->not_ca = certificate(s, "Issuing", s->issuing_key, "Root", s->root_key, false);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    EVP_PKEY_free(s->root_key);
    EVP_PKEY_free(s->issuing_key);
    EVP_PKEY_free(s->other_key);
    arena_free(s->arena);
    free(s);
    return 0;
}

static const char roster[] =
    "quorum: 1\nroster:\n  - name: maria\n    role: admin\n"
    "    spki_sha256: \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n";

static struct view builtin(const char *wanted)
{
    const char *name;
    struct view bytes;
    for (size_t i = 0; templates_builtin(i, &name, &bytes); i++)
        if (strcmp(name, wanted) == 0)
            return bytes;
    fail_msg("no builtin %s", wanted);
    return bytes;
}

/* A whole generation, some file of it put in place of the right one. */
static struct err *read_with(struct scene *s, const char *name, struct view bytes, struct setup **ret)
{
    struct generation_file files[] = {
        {"chancery.yaml", view_str(config_example())},
        {"roster.yaml", view_str(roster)},
        {"issuers/root.pem", s->root},
        {"issuers/issuing.pem", s->issuing},
        {"templates/server.yaml", builtin("server.yaml")},
        {"templates/ocsp-signing.yaml", builtin("ocsp-signing.yaml")},
        {"templates/self.yaml", builtin("self.yaml")},
    };
    enum { N = sizeof files / sizeof files[0] };
    size_t without = name && !bytes.p; /* no bytes: the last file is left out */
    for (size_t i = 0; name && i < N; i++)
        if (strcmp(files[i].name, name) == 0)
            files[i].bytes = bytes;
    struct generation g = {.number = 4, .n = N - without, .files = files};
    uint8_t sha256[SHA256_BYTES];
    int fd;
    assert_null(generation_seal(&g, sha256, &fd));
    struct err *e = setup_read(fd, "/etc/chancery/chancery.yaml", ret);
    close(fd);
    return e;
}

static void a_whole_generation_is_read(void **state)
{
    struct setup *s = NULL;
    struct err *e = read_with(*state, NULL, (struct view){NULL, 0}, &s);
    if (e)
        fail_msg("%s", err_detail(e));
    assert_int_equal(s->generation.number, 4);
    assert_int_equal(s->n, 2);
    assert_ptr_equal(s->issuers[0].parent, &s->issuers[0]);
    assert_ptr_equal(s->issuers[1].parent, &s->issuers[0]);
    assert_int_equal(s->issuers[1].alg, CERT_ALG_ECDSA_SHA256);
    assert_int_equal(s->issuers[1].key_id.n, 20);
    assert_non_null(templates_find(s->templates, view_str("server")));
    assert_int_equal(hsm_roster_count(s->roster), 1);
    setup_free(s);
}

static void refuse(struct scene *scene, const char *name, struct view bytes, const char *says)
{
    struct setup *s = NULL;
    struct err *e = read_with(scene, name, bytes, &s);
    if (!e)
        fail_msg("accepted: %s", says);
    if (err_code(e) != ERR_CONFIG || !strstr(err_detail(e), says))
        fail_msg("wanted '%s', got %s: %s", says, err_row(err_code(e))->type, err_detail(e));
    err_free(e);
}

static void what_is_wrong_is_named(void **state)
{
    struct scene *s = *state;
    refuse(s, "issuers/issuing.pem", s->not_ca, "issuer issuing");
    refuse(s, "issuers/issuing.pem", s->not_ca, "not a CA's");
    refuse(s, "issuers/issuing.pem", s->root, "have the same key");
    refuse(s, "issuers/issuing.pem", view_str("hello"), "issuing.pem");
    refuse(s, "templates/server.yaml", view_str("validty: {}\n"), "templates/server.yaml:1:1");
    refuse(s, "templates/self.yaml", view_of(NULL, 0), "templates/self.yaml is missing");
    refuse(s, "templates/self.yaml", builtin("server.yaml"), "without `internal: true`");
    refuse(s, "roster.yaml", view_str("quorum: 0\nroster: []\n"), "roster.yaml");
    refuse(s, "chancery.yaml", view_str("{}\n"), "chancery.yaml");
}

static void an_issuer_that_its_parent_did_not_sign_is_refused(void **state)
{
    struct scene *s = *state;
    struct setup *ignored = NULL;
    struct err *e = read_with(s, "issuers/issuing.pem", s->impostor, &ignored);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "issuer issuing"));
    err_free(e);
}

static void an_algorithm_must_fit_the_key(void **state)
{
    struct scene *s = *state;
    const char *text = config_example(), *at = strstr(text, "    issue: false\n");
    const char *changed = arena_printf(s->arena, "%.*s    alg: rsa-sha256\n%s", (int)(at - text), text, at);
    refuse(s, "chancery.yaml", view_str(changed), "does not fit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_generation_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(an_issuer_that_its_parent_did_not_sign_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_algorithm_must_fit_the_key, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
