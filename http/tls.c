/*
 * TLS 1.2 and 1.3 for servers. A client certificate is asked for, never required, and any is let through: the
 * library checks that the client holds its key, and nothing else; who may do what is judged per request by
 * the layers above. Loop's thread.
 */
#include "tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/check.h"

enum { CERT_LIST_BYTES = 32 * 1024, TICKET_LIFE_S = 3600, TICKET_KEYS_BYTES = 256 };

static const char ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                              "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static struct err *failed(const char *what)
{
    char text[128];
    ERR_error_string_n(ERR_peek_error(), text, sizeof(text));
    ERR_clear_error();
    return err_new(ERR_CONFIG, "TLS: %s: %s", what, text);
}

/* Never asks on the terminal. */
static int no_password(char *to, int n, int writing, void *arg)
{
    (void)to;
    (void)n;
    (void)writing;
    (void)arg;
    return -1;
}

static struct err *use_chain(SSL_CTX *ctx, struct view pem)
{
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *leaf = b ? PEM_read_bio_X509(b, NULL, no_password, NULL) : NULL, *more = NULL;
    struct err *e = NULL;
    if (!leaf || SSL_CTX_use_certificate(ctx, leaf) != 1)
        e = failed("the certificate cannot be used");
    while (!e && (more = PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL) {
        if (SSL_CTX_add1_chain_cert(ctx, more) != 1)
            e = failed("the chain cannot be used");
        X509_free(more);
    }
    ERR_clear_error(); /* the end of the PEM is an error there */
    X509_free(leaf);
    BIO_free(b);
    return e;
}

static struct err *use_key(SSL_CTX *ctx, struct view pem)
{
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, no_password, NULL) : NULL;
    struct err *e = NULL;
    if (!key || SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        e = failed("the key cannot be used with the certificate");
    EVP_PKEY_free(key);
    BIO_free(b);
    return e;
}

static int let_through(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_n, const unsigned char *in,
                           unsigned n, void *arg)
{
    (void)ssl;
    (void)arg;
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, ret_n, ours, sizeof(ours) - 1, in, n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static struct err *set_rules(SSL_CTX *ctx)
{
    static const unsigned char session_context[] = "chancery";
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets alone */
    SSL_CTX_set_timeout(ctx, TICKET_LIFE_S);
    SSL_CTX_set_max_cert_list(ctx, CERT_LIST_BYTES);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, let_through, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
              SSL_CTX_set_cipher_list(ctx, ciphers) == 1 &&
              SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1 &&
              SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
              SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1) == 1;
    return ok ? NULL : failed("the library does not take our rules");
}

/* A new certificate must not end the sessions made under the old one. */
static void keep_ticket_keys(SSL_CTX *ctx, SSL_CTX *old)
{
    unsigned char keys[TICKET_KEYS_BYTES];
    long n = old ? SSL_CTX_get_tlsext_ticket_keys(old, NULL, 0) : 0;
    if (n <= 0 || n > TICKET_KEYS_BYTES)
        return;
    if (SSL_CTX_get_tlsext_ticket_keys(old, keys, n) == 1)
        SSL_CTX_set_tlsext_ticket_keys(ctx, keys, n);
    OPENSSL_cleanse(keys, sizeof(keys));
}

struct err *tls_context(struct view chain_pem, struct view key_pem, struct ssl_ctx_st *old,
                        struct ssl_ctx_st **ret)
{
    struct err *e = NULL;
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        return failed("no context");
    TRY(set_rules(ctx));
    TRY(use_chain(ctx, chain_pem));
    TRY(use_key(ctx, key_pem));
    keep_ticket_keys(ctx, old);
    *ret = ctx;
    ctx = NULL;
out:
    SSL_CTX_free(ctx);
    return e;
}

void tls_context_free(struct ssl_ctx_st *ctx)
{
    SSL_CTX_free(ctx);
}

void tls_method_free(struct bio_method_st *m)
{
    BIO_meth_free(m);
}

const char *tls_version(const struct io *io)
{
    return io->ssl && SSL_is_init_finished(io->ssl) ? SSL_get_version(io->ssl) : NULL;
}

uint8_t *tls_certificate(const struct io *io, size_t *ret_n)
{
    X509 *cert = io->ssl ? SSL_get0_peer_certificate(io->ssl) : NULL;
    int n = cert ? i2d_X509(cert, NULL) : 0;
    if (n <= 0)
        return NULL;
    uint8_t *der = malloc((size_t)n), *at = der;
    CHECK(der && i2d_X509(cert, &at) == n);
    *ret_n = (size_t)n;
    return der;
}
