/* http over TLS, with OpenSSL's own client: versions, client certificates, resumption, a live change of
 * certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/world.h"
#include "web.h"

#define HOST      "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static struct web *w;
static SSL_CTX *ctx;
static SSL_SESSION *ticket; /* the last the server gave */

static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = session;
    return 1;
}

static int start(struct http_config config)
{
    w = web_start(config);
    ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_ticket);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return start((struct http_config){.connections_max = 50});
}

static int setup_hasty(void **state)
{
    (void)state;
    return start((struct http_config){.request_ms = 200});
}

static int teardown(void **state)
{
    (void)state;
    SSL_CTX_free(ctx);
    SSL_SESSION_free(ticket);
    ticket = NULL;
    web_stop(w);
    ERR_clear_error();
    return 0;
}

static void tls_1_3_is_spoken(void **state)
{
    (void)state;
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    assert_non_null(c.ssl);
    client_expect(&c, GET("/facts"), 200, "tls 127.0.0.1 loopback=1 unix=0 uid=-1 tls=TLSv1.3 cert=0");
    client_expect(&c, GET("/hello"), 200, "hello\n");
    client_close(&c);
}

static void tls_1_2_is_spoken_with_aead_alone(void **state)
{
    (void)state;
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    assert_non_null(c.ssl);
    client_expect(&c, GET("/facts"), 200, "tls 127.0.0.1 loopback=1 unix=0 uid=-1 tls=TLSv1.2 cert=0");
    client_close(&c);
    SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:AES128-GCM-SHA256");
    c = client_dial_tls(w->tls_port, ctx, NULL);
    assert_null(c.ssl);
    client_close(&c);
}

static void tls_1_1_is_refused(void **state)
{
    (void)state;
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    assert_null(c.ssl);
    client_close(&c);
}

static void http_1_1_is_chosen_by_name(void **state)
{
    (void)state;
    static const unsigned char both[] = "\x02h2\x08http/1.1";
    SSL_CTX_set_alpn_protos(ctx, both, sizeof(both) - 1);
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    const unsigned char *name;
    unsigned n;
    SSL_get0_alpn_selected(c.ssl, &name, &n);
    assert_int_equal(n, 8);
    client_close(&c);
}

static X509 *use_client_certificate(void)
{
    char *cert_pem, *key_pem;
    web_make_cert("anybody", &cert_pem, &key_pem);
    BIO *b = BIO_new_mem_buf(cert_pem, -1), *k = BIO_new_mem_buf(key_pem, -1);
    X509 *cert = PEM_read_bio_X509(b, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(k, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    EVP_PKEY_free(key);
    BIO_free(b);
    BIO_free(k);
    free(cert_pem);
    free(key_pem);
    return cert;
}

static void expect_certificate(struct client *c, const X509 *cert)
{
    unsigned char *der = NULL;
    int n = i2d_X509(cert, &der);
    client_send(c, GET("/certificate"));
    struct answer a = client_answer(c);
    assert_int_equal(a.n, n);
    assert_memory_equal(a.body, der, a.n);
    answer_free(&a);
    OPENSSL_free(der);
}

static void resumes_with_certificate(int version)
{
    SSL_CTX_set_max_proto_version(ctx, version);
    X509 *cert = use_client_certificate();
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    expect_certificate(&c, cert);
    assert_false(SSL_session_reused(c.ssl));
    client_close(&c);
    assert_non_null(ticket);
    c = client_dial_tls(w->tls_port, ctx, ticket);
    assert_true(SSL_session_reused(c.ssl));
    expect_certificate(&c, cert);
    client_close(&c);
    X509_free(cert);
}

static void any_client_certificate_is_let_through_and_survives_resumption(void **state)
{
    (void)state;
    resumes_with_certificate(TLS1_3_VERSION);
}

static void so_in_tls_1_2(void **state)
{
    (void)state;
    resumes_with_certificate(TLS1_2_VERSION);
}

static void server_name(const struct client *c, char *to, int n)
{
    X509 *cert = SSL_get1_peer_certificate(c->ssl);
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, to, n);
    X509_free(cert);
}

static void swap(struct web *web)
{
    char *cert, *key;
    web_make_cert("second", &cert, &key);
    assert_null(http_tls_set(web->server, view_str(cert), view_str(key)));
    free(cert);
    free(key);
}

static void the_certificate_changes_live(void **state)
{
    (void)state;
    char name[64];
    struct client old = client_dial_tls(w->tls_port, ctx, NULL);
    client_expect(&old, GET("/hello"), 200, NULL);
    web_do(w, swap);
    client_expect(&old, GET("/hello"), 200, NULL); /* what is open goes on */
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    server_name(&c, name, sizeof(name));
    assert_string_equal(name, "second");
    client_close(&c);
    client_close(&old);
}

static void sessions_outlive_a_change(void **state)
{
    (void)state;
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    client_expect(&c, GET("/hello"), 200, NULL);
    client_close(&c);
    web_do(w, swap);
    c = client_dial_tls(w->tls_port, ctx, ticket);
    assert_true(SSL_session_reused(c.ssl));
    client_expect(&c, GET("/hello"), 200, NULL);
    client_close(&c);
}

static void set_rubbish(struct web *web)
{
    char *cert, *key;
    web_make_cert("other", &cert, &key);
    struct err *e = http_tls_set(web->server, view_str(web->cert_pem), view_str(key)); /* not its key */
    assert_non_null(e);
    err_free(e);
    e = http_tls_set(web->server, view_str("rubbish"), view_str(key));
    assert_non_null(e);
    err_free(e);
    e = http_tls_set(web->server, view_str(cert), view_str(""));
    assert_non_null(e);
    err_free(e);
    free(cert);
    free(key);
}

static void a_bad_change_leaves_the_old(void **state)
{
    (void)state;
    char name[64];
    web_do(w, set_rubbish);
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    server_name(&c, name, sizeof(name));
    assert_string_equal(name, "server");
    client_expect(&c, GET("/hello"), 200, NULL);
    client_close(&c);
}

static int records;

static void count_records(int writing, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
    (void)version;
    (void)n;
    (void)ssl;
    (void)arg;
    if (!writing && type == SSL3_RT_HEADER && *(const unsigned char *)p == SSL3_RT_APPLICATION_DATA)
        records++;
}

static void an_answer_is_one_record(void **state)
{
    (void)state;
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    client_expect(&c, GET("/hello"), 200, NULL); /* takes the ticket too */
    SSL_set_msg_callback(c.ssl, count_records);
    records = 0;
    client_expect(&c, GET("/big/1500"), 200, NULL);
    assert_int_equal(records, 1);
    client_close(&c);
}

static void many_requests_in_one_record_are_all_answered(void **state)
{
    (void)state;
    enum { N = 300 };
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    size_t n = strlen(GET("/slow/0"));
    char *all = malloc(N * n + 1);
    for (size_t i = 0; i < N; i++)
        memcpy(all + i * n, i % 10 == 0 ? GET("/slow/0") : GET("/hello?"), n + 1);
    client_send(&c, all);
    for (int i = 0; i < N; i++) {
        struct answer a = client_answer(&c);
        assert_int_equal(a.status, 200);
        assert_string_equal(a.body, i % 10 == 0 ? "slow\n" : "hello\n");
        answer_free(&a);
    }
    free(all);
    client_close(&c);
}

static void big_bodies_pass_both_ways(void **state)
{
    (void)state;
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    size_t n = 250000;
    char *body = calloc(1, n + 1), head[128];
    memset(body, 'x', n);
    snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", n);
    client_send(&c, head);
    client_expect(&c, body, 200, body);
    free(body);
    client_send(&c, GET("/file/2000000"));
    struct answer a = client_answer(&c);
    assert_int_equal(a.n, 2000000);
    for (size_t i = 0; i < a.n; i++)
        if ((uint8_t)a.body[i] != (uint8_t)(i * 2654435761u >> 24))
            fail_msg("octet %zu is wrong", i);
    answer_free(&a);
    client_close(&c);
}

static void a_client_that_leaves_while_parked_is_not_found(void **state)
{
    (void)state;
    struct client c = client_dial_tls(w->tls_port, ctx, NULL);
    client_send(&c, GET("/slow/100"));
    web_await(&w->parked, 1);
    client_close(&c);
    web_await(&w->resumed_null, 1);
}

static void a_stalled_handshake_is_cut(void **state)
{
    (void)state;
    struct client c = client_dial(w->tls_port);
    int64_t begin = world_mono_ms();
    client_send_bytes(&c, "\x16\x03\x01\x01\x00", 5);
    assert_true(client_is_closed(&c));
    assert_true(world_mono_ms() - begin >= 190);
    client_close(&c);
}

static void plain_http_on_the_tls_port_is_cut(void **state)
{
    (void)state;
    struct client c = client_dial(w->tls_port);
    client_send(&c, GET("/hello"));
    while (!client_is_closed(&c)) /* an alert may come first */
        c.n = 0;
    client_close(&c);
}

#define with(setup_fn, f) cmocka_unit_test_setup_teardown(f, setup_fn, teardown)

int main(void)
{
    log_setup("test", false, LOG_ERROR);
    const struct CMUnitTest tests[] = {
        with(setup, tls_1_3_is_spoken),
        with(setup, tls_1_2_is_spoken_with_aead_alone),
        with(setup, tls_1_1_is_refused),
        with(setup, http_1_1_is_chosen_by_name),
        with(setup, any_client_certificate_is_let_through_and_survives_resumption),
        with(setup, so_in_tls_1_2),
        with(setup, the_certificate_changes_live),
        with(setup, sessions_outlive_a_change),
        with(setup, a_bad_change_leaves_the_old),
        with(setup, an_answer_is_one_record),
        with(setup, many_requests_in_one_record_are_all_answered),
        with(setup, big_bodies_pass_both_ways),
        with(setup, a_client_that_leaves_while_parked_is_not_found),
        with(setup_hasty, a_stalled_handshake_is_cut),
        with(setup, plain_http_on_the_tls_port_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
