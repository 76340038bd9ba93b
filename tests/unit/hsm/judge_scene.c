/* See judge_scene.h. */
#include "judge_scene.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cert/seal.h"

static const uint8_t serial[SERIAL_BYTES] = {0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

struct view judge_scene_sign(EVP_PKEY *key, struct view tbs, struct arena *arena)
{
    uint8_t sig[256];
    size_t n = sizeof sig;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &n, tbs.p, tbs.n), 1);
    EVP_MD_CTX_free(ctx);
    return arena_dup(arena, view_of(sig, n));
}

static EVP_PKEY *new_key(struct arena *arena, struct view *ret_spki)
{
    unsigned char *der = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    int n = i2d_PUBKEY(key, &der);
    *ret_spki = arena_dup(arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    return key;
}

static struct view ca_cert(struct judge_scene *s, struct templates *templates, const struct shape_ask *ask,
                           EVP_PKEY *signer)
{
    struct shape_ask whole = *ask;
    struct view der;
    whole.templates = templates;
    whole.serial = view_of(serial, sizeof serial);
    whole.now = JUDGE_NOW - 3600;
    struct cert_tbs tbs = shape_tbs(&whole, s->arena);
    struct view bytes = shape_bytes(&tbs, s->arena);
    good(cert_seal(bytes, CERT_ALG_ECDSA_SHA256, judge_scene_sign(signer, bytes, s->arena), s->arena, &der));
    return der;
}

static void make_house(struct judge_scene *s)
{
    struct templates *templates = shape_templates();
    static const char *const self_names[] = {"dns:" JUDGE_SELF, "ip:127.0.0.1"};
    struct templates_issuer root =
        shape_root("root", "Test Root", s->root_spki, CERT_ALG_ECDSA_SHA256, s->arena);
    struct view root_der = ca_cert(
        s, templates,
        &(struct shape_ask){.template = "root", .issuer = &root, .spki = s->root_spki, .cn = "Test Root"},
        s->root_key);
    root.not_after = JUDGE_NOW + INT64_C(20) * 365 * 86400 - 86400;
    struct view issuing_der =
        ca_cert(s, templates,
                &(struct shape_ask){
                    .template = "sub-ca", .issuer = &root, .spki = s->issuing_spki, .cn = "Test Issuing"},
                s->root_key);
    const struct hsm_issuer_setup issuers[] = {
        {"root", "pkcs11:object=root", root_der, CERT_ALG_ECDSA_SHA256, false, false, false},
        {"issuing", "pkcs11:object=issuing", issuing_der, CERT_ALG_ECDSA_SHA256, true, false, false},
    };
    struct hsm_vault_config config = {.generation = 1,
                                      .issuers = issuers,
                                      .n_issuers = 2,
                                      .base_url = "http://pki.example.internal",
                                      .self_names = self_names,
                                      .n_self_names = 2};
    good(house_new(&config, &templates, &s->house));
    s->root = house_issuer(s->house, view_str("root"));
    s->issuing = house_issuer(s->house, view_str("issuing"));
}

int judge_scene_setup(void **state)
{
    struct judge_scene *s = calloc(1, sizeof *s);
    memcpy(s->dir, "/tmp/judge-XXXXXX", 18);
    assert_non_null(mkdtemp(s->dir));
    s->arena = arena_new(64 << 20);
    s->root_key = new_key(s->arena, &s->root_spki);
    s->issuing_key = new_key(s->arena, &s->issuing_spki);
    s->responder_key = new_key(s->arena, &s->responder_spki);
    make_house(s);
    good(responder_load(s->dir, &s->responders));
    good(responder_add(s->responders, view_str("issuing"), "ocsp-issuing-1", JUDGE_NOW, s->responder_spki,
                       NULL));
    s->responder = responder_newest(s->responders, view_str("issuing"));
    *state = s;
    return 0;
}

int judge_scene_teardown(void **state)
{
    struct judge_scene *s = *state;
    char path[64];
    snprintf(path, sizeof path, "%s/%s", s->dir, RESPONDER_FILE);
    (void)unlink(path);
    (void)rmdir(s->dir);
    responder_free(s->responders);
    house_unref(s->house);
    EVP_PKEY_free(s->root_key);
    EVP_PKEY_free(s->issuing_key);
    EVP_PKEY_free(s->responder_key);
    arena_free(s->arena);
    free(s);
    return 0;
}

struct cert_tbs judge_scene_tbs(struct judge_scene *s, const char *template)
{
    bool ocsp = strcmp(template, "ocsp-signing") == 0, self = strcmp(template, "self") == 0;
    bool server = strcmp(template, "server") == 0;
    struct shape_ask ask = {.templates = s->house->templates,
                            .template = template,
                            .issuer = &s->issuing->facts,
                            .spki = ocsp ? s->responder_spki : shape_spki(s->arena),
                            .serial = view_of(serial, sizeof serial),
                            .cn = server || self ? NULL : "somebody",
                            .san = server ? "dns:a.example.internal"
                                   : self ? "dns:" JUDGE_SELF
                                          : NULL,
                            .now = JUDGE_NOW};
    return shape_tbs(&ask, s->arena);
}

enum err_code judge_scene_cert(struct judge_scene *s, const char *template, const struct cert_tbs *tbs)
{
    struct judge_cert_found found;
    struct judge_cert_case c = {.house = s->house,
                                .responders = s->responders,
                                .issuer = s->issuing,
                                .peer = HSM_PEER_FRONT,
                                .template = view_str(template),
                                .tbs = shape_bytes(tbs, s->arena),
                                .now = JUDGE_NOW};
    struct err *e = judge_cert(&c, s->arena, &found);
    if (e)
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
    return code_of(e);
}
