/* See acme_client.h. */
#include "acme_client.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cert/jose.h"

static struct arena *arena_of(struct acme_client *c)
{
    return c->d->h->arena;
}

static void keep_nonce(struct acme_client *c, const struct said *s)
{
    const char *nonce = web_header(&s->raw, "Replay-Nonce");
    snprintf(c->nonce, sizeof c->nonce, "%s", nonce ? nonce : "");
}

void client_fresh(struct acme_client *c)
{
    struct said s = door_ask(c->d, NOBODY, "HEAD", "/acme/new-nonce", NULL, view_of(NULL, 0));
    assert_int_equal(s.status, 200);
    keep_nonce(c, &s);
    assert_true(c->nonce[0]);
    said_free(&s);
}

struct acme_client client_new(struct door *d)
{
    struct acme_client c = {.d = d, .key = house_key()};
    client_fresh(&c);
    return c;
}

void client_free(struct acme_client *c)
{
    EVP_PKEY_free(c->key);
}

const char *client_jwk(struct acme_client *c)
{
    unsigned char *der = NULL;
    struct cert_key key;
    int n = i2d_PUBKEY(c->key, &der);
    struct view spki = arena_dup(arena_of(c), view_of(der, (size_t)n));
    OPENSSL_free(der);
    OK(cert_key_parse(spki, &key));
    return cert_jwk_text(&key, arena_of(c));
}

static const char *signature_of(struct acme_client *c, const char *input)
{
    unsigned char der[256], pair[64];
    size_t n = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, c->key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, (const unsigned char *)input, strlen(input)), 1);
    EVP_MD_CTX_free(ctx);
    const unsigned char *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + 32, 32);
    ECDSA_SIG_free(sig);
    return base64url_of(arena_of(c), view_of(pair, sizeof pair));
}

const char *client_sign(struct acme_client *c, const char *header, struct view payload)
{
    const char *h = base64url_of(arena_of(c), view_str(header)), *p = base64url_of(arena_of(c), payload);
    return arena_printf(arena_of(c), "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", h, p,
                        signature_of(c, arena_printf(arena_of(c), "%s.%s", h, p)));
}

static const char *header_of(struct acme_client *c, const char *path)
{
    const char *who = c->kid ? arena_printf(arena_of(c), "\"kid\":\"%s\"", c->kid)
                             : arena_printf(arena_of(c), "\"jwk\":%s", client_jwk(c));
    const char *nonce = c->nonce[0] ? arena_printf(arena_of(c), ",\"nonce\":\"%s\"", c->nonce) : "";
    const char *url = c->url ? c->url : arena_printf(arena_of(c), ACME_URL "%s", path);
    return arena_printf(arena_of(c), "{\"alg\":\"ES256\",\"url\":\"%s\",%s%s}", url, who, nonce);
}

struct said client_post(struct acme_client *c, const char *path, const char *payload)
{
    const char *header = c->header ? c->header : header_of(c, path);
    const char *body = client_sign(c, header, view_str(payload));
    struct said s =
        door_ask(c->d, NOBODY, "POST", path, "Content-Type: application/jose+json\r\n", view_str(body));
    keep_nonce(c, &s);
    const char *colon = strrchr(s.type, ':');
    s.type = colon ? colon + 1 : s.type;
    return s;
}

void client_expect(struct acme_client *c, const char *path, const char *payload, int status, const char *type)
{
    door_expect(client_post(c, path, payload), status, type);
}

const char *client_location(struct acme_client *c, const struct said *s)
{
    const char *at = web_header(&s->raw, "Location");
    if (!at || strncmp(at, ACME_URL, strlen(ACME_URL)) != 0)
        fail_msg("no Location: %s", (char *)s->raw.body);
    return arena_str(arena_of(c), view_str(at + strlen(ACME_URL)));
}

struct said client_register(struct acme_client *c, const char *directory, const char *more)
{
    const char *path = arena_printf(arena_of(c), "%s/new-account", directory);
    struct said s = client_post(
        c, path, arena_printf(arena_of(c), "{\"contact\":[\"mailto:ops@example.internal\"]%s}", more));
    if (s.status == 201 || s.status == 200)
        c->kid = arena_printf(arena_of(c), ACME_URL "%s", client_location(c, &s));
    return s;
}

const char *client_order(struct acme_client *c, const char *names)
{
    const char *list = "";
    char *copy = strdup(names), *rest = copy, *name;
    while ((name = strsep(&rest, ",")))
        list = arena_printf(arena_of(c), "%s%s{\"type\":\"dns\",\"value\":\"%s\"}", list, list[0] ? "," : "",
                            name);
    free(copy);
    struct said s =
        client_post(c, "/acme/new-order", arena_printf(arena_of(c), "{\"identifiers\":[%s]}", list));
    if (s.status != 201)
        fail_msg("%d: %s", s.status, (char *)s.raw.body);
    const char *path = client_location(c, &s);
    said_free(&s);
    return path;
}

struct said client_finalize(struct acme_client *c, const char *order, const char *sans)
{
    EVP_PKEY *key = house_key();
    struct view csr = house_csr(c->d->h, key, NULL, sans);
    EVP_PKEY_free(key);
    return client_post(c, arena_printf(arena_of(c), "%s/finalize", order),
                       arena_printf(arena_of(c), "{\"csr\":\"%s\"}", base64url_of(arena_of(c), csr)));
}

const char *client_binding(struct acme_client *c, const char *directory, const char *kid, struct view secret)
{
    uint8_t mac[32];
    size_t n = 0;
    const char *header =
        arena_printf(arena_of(c), "{\"alg\":\"HS256\",\"kid\":\"%s\",\"url\":\"" ACME_URL "%s/new-account\"}",
                     kid, directory);
    const char *h = base64url_of(arena_of(c), view_str(header)),
               *p = base64url_of(arena_of(c), view_str(client_jwk(c)));
    const char *input = arena_printf(arena_of(c), "%s.%s", h, p);
    EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, secret.p, secret.n, (const unsigned char *)input,
              strlen(input), mac, sizeof mac, &n);
    return arena_printf(
        arena_of(c),
        ",\"externalAccountBinding\":{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", h, p,
        base64url_of(arena_of(c), view_of(mac, n)));
}
