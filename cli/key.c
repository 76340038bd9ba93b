/* A person's signing key: see key.h. */
#include "key.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/secret.h"
#include "hsm_approver.h"

enum { PIN_MAX = 255, SIGNATURE_MAX = 1024 };

struct key {
    EVP_PKEY *file;
    unsigned char *spki;
    size_t spki_n;
    struct hsm_approver *token;
};

void key_close(struct key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->file);
    OPENSSL_free(k->spki);
    hsm_approver_close(k->token);
    free(k);
}

static struct err *open_file(const char *path, struct key *k)
{
    struct err *e = NULL;
    BIO *bio = BIO_new_file(path, "r");
    k->file = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    ERR_clear_error();
    BIO_free(bio);
    if (!k->file)
        return err_new(ERR_BAD_KEY, "%s is no private key in PEM that can be read", path);
    int n = i2d_PUBKEY(k->file, &k->spki);
    if (n <= 0)
        e = err_new(ERR_BAD_KEY, "the public half of %s cannot be had", path);
    k->spki_n = n > 0 ? (size_t)n : 0;
    return e;
}

static struct err *read_pin(const char *pin_file, struct secret **ret)
{
    struct err *e = NULL;
    char typed[PIN_MAX + 1];
    if (!pin_file) {
        int n = EVP_read_pw_string(typed, sizeof typed, "PIN of your token: ", 0);
        e = n == 0 ? secret_of(view_str(typed), ret) : err_new(ERR_BAD_REQUEST, "no PIN was typed");
        secret_wipe(typed, sizeof typed);
        return e;
    }
    int fd = open(pin_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_new(ERR_NOT_FOUND, "%s cannot be opened", pin_file);
    e = secret_read(fd, PIN_MAX, ret);
    close(fd);
    return e;
}

static struct err *open_token(const struct key_options *o, struct key *k)
{
    struct err *e = NULL;
    struct secret *pin = NULL;
    if (!o->token || !o->module)
        return cli_usage("a key in a token needs --token pkcs11:token=... and --module FILE too");
    TRY(read_pin(o->pin_file, &pin));
    const struct hsm_approver_setup setup = {
        .module = o->module, .token_uri = o->token, .key_uri = o->key, .pin = secret_view(pin)};
    TRY(hsm_approver_open(&setup, &k->token));
out:
    secret_free(pin);
    return e;
}

struct err *key_open(struct cli *c, const struct key_options *options, struct key **ret)
{
    (void)c;
    if (!options->key)
        return cli_usage("--key names the key on the roster that signs");
    struct key *k = calloc(1, sizeof *k);
    CHECK(k != NULL);
    bool token = strncmp(options->key, "pkcs11:", 7) == 0;
    struct err *e = token ? open_token(options, k) : open_file(options->key, k);
    if (e)
        key_close(k);
    else
        *ret = k;
    return e;
}

struct view key_spki(const struct key *k)
{
    return k->token ? hsm_approver_spki(k->token) : view_of(k->spki, k->spki_n);
}

static struct err *sign_with_file(struct cli *c, EVP_PKEY *file, enum cert_alg alg, struct view bytes,
                                  struct view *ret)
{
    struct err *e = NULL;
    size_t n = SIGNATURE_MAX;
    uint8_t *to = arena_alloc(c->arena, n);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CHECK(ctx != NULL);
    if (EVP_DigestSignInit_ex(ctx, NULL, cert_alg_digest(alg), NULL, NULL, file, NULL) != 1 ||
        EVP_DigestSign(ctx, to, &n, bytes.p, bytes.n) != 1)
        e = err_new(ERR_BAD_KEY, "your key did not sign");
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    *ret = view_of(to, n);
    return e;
}

struct err *key_sign(struct cli *c, struct key *k, struct view bytes, struct hsm_act_signature *ret)
{
    struct err *e = NULL;
    struct cert_key key;
    ret->spki = key_spki(k);
    if (k->token)
        return hsm_approver_sign(k->token, bytes, c->arena, &ret->alg, &ret->signature);
    TRY(cert_key_parse(ret->spki, &key));
    ret->alg = cert_alg_default(key.kind);
    TRY(sign_with_file(c, k->file, ret->alg, bytes, &ret->signature));
out:
    return e;
}
