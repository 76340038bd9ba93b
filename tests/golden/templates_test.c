/*
 * What each builtin template's certificate says, as OpenSSL prints it, held against
 * tests/golden/templates/NAME.txt; those of AWS's 61 against tests/golden/templates/aws.txt, for a CSR and a
 * request that both ask for everything. The subject's key is always the same; the signature is a real one and
 * left out of the text.
 *
 * GOLDEN_WRITE=1 writes the files anew: read the difference before it is committed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "cert/csr.h"
#include "cert/ext.h"
#include "cert/name.h"
#include "cert/seal.h"
#include "cert/tbs.h"
#include "templates.h"

#define NOW INT64_C(1795242000) /* 2026-11-21T06:20:00Z */

static const char spki_hex[] = "3059301306072a8648ce3d020106082a8648ce3d030107034200"
                               "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                               "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

static const struct {
    const char *name, *subject, *sans;
} cases[] = {
    {"server", NULL, "dns:web.example.internal ip:10.0.0.7"},
    {"client", "ann.example.internal", "email:ann@example.internal"},
    {"device", "cam-1.example.internal", "dns:cam-1.example.internal uri:urn:dev:ops:32473-cam-1"},
    {"code-signing", "Example Build", NULL},
    {"self", NULL, "dns:localhost ip:127.0.0.1 ip:::1"},
    {"ocsp-signing", "Example Issuing CA OCSP", NULL},
    {"admin", "Ann", NULL},
    {"sub-ca", "Example Issuing CA", NULL},
    {"root", "Example Root CA", NULL},
    {"short-lived", NULL, "dns:job-7.example.internal"},
    {"email", "Ann", "email:ann@example.internal"},
    {"smartcard", "Ann", "email:ann@example.internal upn:ann@ad.example.internal"},
    {"timestamping", "Example Time 2026", NULL},
    {"sub-ca-policy", "Example Policy CA", NULL},
    {"matter-dac", "matterProductId=8001;CN=Example Lamp 0001", NULL},
    {"matter-pai", "O=Example;CN=Example PAI", NULL},
    {"mdl-signer", "C=DE;O=Example;CN=Example Licences 2026", NULL},
    {"mdl-iaca", "C=DE;CN=Example IACA", NULL},
    {"root-offline", "Example Root CA", NULL},
    {"cross-ca", "Example Other Root CA", NULL},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void ok(struct err *e)
{
    if (e)
        print_error("%s\n", err_detail(e));
    assert_null(e);
}

static struct view seal(struct arena *arena, const struct cert_tbs *tbs)
{
    struct view der, cert;
    uint8_t sig[128];
    size_t sig_n = sizeof(sig);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    ok(cert_tbs_write(tbs, arena, &der));
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &sig_n, der.p, der.n), 1);
    ok(cert_seal(der, tbs->alg, view_of(sig, sig_n), arena, &cert));
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return cert;
}

static char *text_of(struct arena *arena, struct view der)
{
    const uint8_t *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.n);
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes;
    assert_non_null(x);
    assert_ptr_equal(p, der.p + der.n);
    assert_int_equal(X509_print_ex(out, x, XN_FLAG_ONELINE, X509_FLAG_NO_SIGDUMP), 1);
    long n = BIO_get_mem_data(out, &bytes);
    char *text = arena_str(arena, view_of(bytes, (size_t)n));
    BIO_free(out);
    X509_free(x);
    return text;
}

static struct templates_issuer issuer(struct arena *arena, bool root)
{
    static const uint8_t id[20] = {0xca, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    struct cert_name_part cn = {"CN", root ? "Example Root CA" : "Example Issuing CA"};
    struct templates_issuer i = {.name = root ? "root" : "issuing",
                                 .key_id = view_of(id, sizeof(id)),
                                 .alg = CERT_ALG_ECDSA_SHA256,
                                 .not_before = NOW - 300,
                                 .not_after = INT64_MAX,
                                 .base_url = "http://pki.example.internal:8080"};
    ok(cert_name_write(&cn, 1, arena, &i.subject));
    return i;
}

static size_t split(char *list, const char **to)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        to[n++] = word;
    return n;
}

/* TYPE=VALUE;TYPE=VALUE, or a common name alone. */
static size_t split_subject(char *text, struct templates_rdn *to)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *part = strtok_r(text, ";", &rest); part; part = strtok_r(NULL, ";", &rest)) {
        char *value = strchr(part, '=');
        to[n] = (struct templates_rdn){value ? part : "CN", value ? value + 1 : part};
        if (value)
            *value = 0;
        n++;
    }
    return n;
}

static char *certificate_text(struct arena *arena, const struct template *t, size_t i)
{
    static const uint8_t serial[16] = {0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const char *sans[8];
    struct templates_rdn subject[4];
    struct templates_issuer by = issuer(arena, templates_is_ca(t));
    struct templates_shaped shaped;
    struct templates_request r = {.serial = view_of(serial, sizeof(serial)), .now = NOW};
    ok(hex_parse(arena, view_str(spki_hex), &r.spki));
    r.has_subject = cases[i].subject != NULL;
    r.subject = subject;
    r.subject_n = r.has_subject ? split_subject(arena_str(arena, view_str(cases[i].subject)), subject) : 0;
    r.has_sans = cases[i].sans != NULL;
    r.sans = sans;
    r.sans_n = r.has_sans ? split(arena_str(arena, view_str(cases[i].sans)), sans) : 0;
    ok(templates_shape(t, &r, &by, arena, &shaped));
    return text_of(arena, seal(arena, shaped.tbs));
}

static char *file_read(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "r");
    enum { TEXT_BYTES = 1 << 18 };
    char *text = arena_alloc(arena, TEXT_BYTES);
    if (!file)
        print_error("no %s: run with GOLDEN_WRITE=1\n", path);
    assert_non_null(file);
    text[fread(text, 1, TEXT_BYTES - 1, file)] = 0;
    fclose(file);
    return text;
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct templates *builtins(void)
{
    struct templates_file files[CASES + 1];
    struct templates *set = NULL;
    size_t n = 0;
    while (templates_builtin(n, &files[n].name, &files[n].bytes))
        n++;
    assert_int_equal(n, CASES);
    ok(templates_load(files, n, &set));
    return set;
}

static void each_builtin_template_says_what_it_said(void **state)
{
    (void)state;
    struct templates *set = builtins();
    struct arena *arena = arena_new(1 << 26);
    for (size_t i = 0; i < CASES; i++) {
        const struct template *t = templates_find(set, view_str(cases[i].name));
        char *path = arena_printf(arena, "%s/%s.txt", GOLDEN_DIR, cases[i].name);
        char *text = certificate_text(arena, t, i);
        if (getenv("GOLDEN_WRITE"))
            file_write(path, text);
        assert_string_equal(text, file_read(arena, path));
    }
    arena_free(arena);
    templates_free(set);
}

/* --- AWS's --- */

static struct cert_csr *csr_of(struct arena *arena, const char *name)
{
    struct cert_csr *csr = ARENA_NEW(arena, struct cert_csr);
    const char *pem = file_read(arena, arena_printf(arena, "%s/../csr/%s.pem", GOLDEN_DIR, name));
    ok(cert_csr_parse(view_str(pem), arena, csr));
    ok(cert_csr_verify(csr));
    return csr;
}

static void ask_beside(struct arena *arena, bool ca, struct cert_ext exts[3])
{
    struct view oid;
    ok(cert_ext_write_key_usage(CERT_KU_CONTENT_COMMITMENT | (ca ? CERT_KU_KEY_CERT_SIGN : 0), true, arena,
                                &exts[0]));
    ok(cert_ext_eku_parse("emailProtection", arena, &oid));
    ok(cert_ext_write_eku((struct cert_views){&oid, 1}, false, arena, &exts[1]));
    exts[2] = (struct cert_ext){view_str("\x2a\x03\x05"), false, view_str("\x0c\x07request")};
}

static char *aws_text(struct arena *arena, const struct template *t)
{
    static const uint8_t serial[16] = {0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const char *const sans[] = {"dns:api.example"};
    const struct templates_rdn cn = {"CN", "api"};
    struct cert_ext exts[3];
    struct templates_issuer by = issuer(arena, strstr(templates_name(t), "RootCA") != NULL);
    struct templates_shaped shaped;
    ask_beside(arena, templates_is_ca(t), exts);
    const struct templates_request r = {.csr = csr_of(arena, templates_is_ca(t) ? "ca" : "leaf"),
                                        .serial = view_of(serial, sizeof(serial)),
                                        .now = NOW,
                                        .has_subject = true,
                                        .subject = &cn,
                                        .subject_n = 1,
                                        .has_sans = true,
                                        .sans = sans,
                                        .sans_n = 1,
                                        .exts = exts,
                                        .exts_n = 3};
    ok(templates_shape(t, &r, &by, arena, &shaped));
    return arena_printf(arena, "%s\n%s\n", templates_name(t), text_of(arena, seal(arena, shaped.tbs)));
}

static void each_of_aws_templates_says_what_it_said(void **state)
{
    (void)state;
    enum { AWS = 61 };
    struct templates_file files[AWS + 1];
    struct templates *set = NULL;
    struct arena *arena = arena_new(1 << 26);
    size_t n = 0, whole = 0;
    while (n <= AWS && templates_aws(n, &files[n].name, &files[n].bytes))
        n++;
    assert_int_equal(n, AWS);
    ok(templates_load(files, n, &set));
    char *path = arena_printf(arena, "%s/aws.txt", GOLDEN_DIR), *all = arena_alloc(arena, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        const char *text = aws_text(arena, templates_at(set, i));
        memcpy(all + whole, text, strlen(text) + 1);
        whole += strlen(text);
    }
    if (getenv("GOLDEN_WRITE"))
        file_write(path, all);
    assert_string_equal(all, file_read(arena, path));
    arena_free(arena);
    templates_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_builtin_template_says_what_it_said),
        cmocka_unit_test(each_of_aws_templates_says_what_it_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
