/* See door.h. */
#include "door.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/world.h"
#include "cert/pem.h"

/* --- keys and certificates of those who knock --- */

X509 *door_self_signed(EVP_PKEY *key, const char *name)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static const char *spki_hex(struct door *d, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    uint8_t hash[SHA256_BYTES];
    int n = i2d_PUBKEY(key, &der);
    digest_sha256(view_of(der, (size_t)n), hash);
    OPENSSL_free(der);
    return hex_of(d->h->arena, view_of(hash, sizeof hash));
}

static SSL_CTX *client(X509 *cert, EVP_PKEY *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (cert)
        assert_true(SSL_CTX_use_certificate(ctx, cert) && SSL_CTX_use_PrivateKey(ctx, key));
    return ctx;
}

static void make_roster(struct door *d)
{
    static const struct {
        enum door_who who;
        const char *role;
    } rows[] = {{ADMIN, "admin"}, {OPERATOR, "operator"}, {AUDITOR, "auditor"}, {AGENT, "enroll-agent"}};
    const char *text = "quorum: 1\nroster:\n";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        EVP_PKEY *key = house_key();
        X509 *cert = door_self_signed(key, rows[i].role);
        d->clients[rows[i].who] = client(cert, key);
        text = arena_printf(d->h->arena, "%s  - {name: the-%s, role: %s, spki_sha256: \"%s\"}\n", text,
                            rows[i].role, rows[i].role, spki_hex(d, key));
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    OK(hsm_roster_parse("roster.yaml", view_str(text), &d->roster));
}

static void make_server_certificate(struct door *d)
{
    EVP_PKEY *key = house_key();
    X509 *cert = door_self_signed(key, "server");
    BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());
    char *c_text, *k_text;
    PEM_write_bio_X509(c, cert);
    PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);
    long c_n = BIO_get_mem_data(c, &c_text), k_n = BIO_get_mem_data(k, &k_text);
    OK(http_tls_set(d->http, view_of(c_text, (size_t)c_n), view_of(k_text, (size_t)k_n)));
    BIO_free(c);
    BIO_free(k);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* --- the door --- */

static struct err *probe(void *arg)
{
    const struct door *d = arg;
    return d->trouble ? err_new(ERR_STARTING, "something is not well") : NULL;
}

static struct err *probe_ca(void *arg)
{
    return ca_ready(((struct door *)arg)->h->ca, NULL);
}

static void open_door(struct door *d)
{
    static struct enroll_probe probes[2];
    const struct http_config config = {0};
    struct house *h = d->h;
    probes[0] = (struct enroll_probe){"issuing", probe_ca, d, false};
    probes[1] = (struct enroll_probe){"other", probe, d, true};
    const struct enroll_setup setup = {.loop = h->loop,
                                       .ca = h->ca,
                                       .ledger = h->ledger,
                                       .hsm = h->hsm,
                                       .control_uid = getuid(),
                                       .isolation = "none at all",
                                       .probes = probes,
                                       .probes_n = 2,
                                       .folder = h->dir};
    static const char *const templates[] = {"server", "client"};
    d->acme = (struct enroll_acme){.url = "https://ca.example.internal:8443",
                                   .template = "server",
                                   .templates = {2, templates},
                                   .open = {1, templates},
                                   .order_s = 86400,
                                   .authz_s = 30 * 86400};
    d->config = (struct enroll_config){
        .roster = d->roster, .generation = 1, .generation_sha256 = "ab", .acme = &d->acme};
    OK(http_server_new(h->loop, &config, &d->http));
    OK(enroll_new(&setup, &d->config, &d->enroll));
    enroll_serve(d->enroll, d->http);
    make_server_certificate(d);
    http_listen(d->http, web_listen(&d->tls.port), true, "https");
    d->control.path = arena_printf(h->arena, "%s/control.sock", h->dir);
    http_listen(d->http, web_listen_unix(d->control.path), false, "control");
}

/* --- those who knock --- */

static void make_token(struct door *d, enum door_who who)
{
    static const char body[] = "{\"templates\": [\"server\", \"client\", \"device\"], \"names\": "
                               "[\"dns:example.internal\", \"dns:**.example.internal\"]}";
    struct said s = door_post(d, LOCAL, "/v1/tokens", body);
    assert_int_equal(s.status, 201);
    d->authorization[who] = arena_printf(d->h->arena, "Authorization: Bearer %s\r\n", said_text(&s, "token"));
    said_free(&s);
}

void door_show(struct door *d, struct view der, EVP_PKEY *key)
{
    const unsigned char *p = der.p;
    X509 *cert = d2i_X509(NULL, &p, (long)der.n);
    assert_non_null(cert);
    SSL_CTX_free(d->clients[HOLDER]);
    d->clients[HOLDER] = client(cert, key);
    X509_free(cert);
}

/* A client certificate that the requester asked for, held by someone. */
static void make_holder(struct door *d)
{
    struct house *h = d->h;
    struct ca_request r = house_request(h, house_requester(h), "client", view_of(NULL, 0));
    d->held_key = house_key();
    r.csr = house_csr(h, d->held_key, "held.example.internal", "DNS:held.example.internal");
    assert_int_equal(house_issue(h, &r, &d->held), ERR__COUNT);
    door_show(d, view_of(d->held.der, d->held.der_n), d->held_key);
}

int door_setup(void **state)
{
    struct door *d = calloc(1, sizeof *d);
    void *h;
    house_setup(&h);
    d->h = h;
    for (int i = 0; i < DOOR_WHO; i++)
        d->authorization[i] = "";
    make_roster(d);
    open_door(d);
    d->clients[NOBODY] = client(NULL, NULL);
    d->clients[REQUESTER] = client(NULL, NULL);
    d->clients[OTHER] = client(NULL, NULL);
    make_token(d, REQUESTER);
    make_token(d, OTHER);
    make_holder(d);
    *state = d;
    return 0;
}

int door_teardown(void **state)
{
    struct door *d = *state;
    void *h = d->h;
    house_quiet(d->h);
    http_server_free(d->http);
    enroll_free(d->enroll);
    house_run(d->h, 5);
    for (int i = 0; i < DOOR_WHO; i++)
        SSL_CTX_free(d->clients[i]);
    EVP_PKEY_free(d->held_key);
    hsm_roster_free(d->roster);
    free(d);
    return house_teardown(&h);
}

/* --- asking --- */

static const char *problem_text(const struct said *s, const char *member)
{
    const char *text = json_string_value(json_object_get(s->json, member));
    return text ? text : "";
}

struct said door_ask(struct door *d, enum door_who who, const char *method, const char *path,
                     const char *headers, struct view body)
{
    struct web_to to = who == LOCAL ? d->control : d->tls;
    struct said s = {.status = 0};
    char lines[8192];
    to.tls = who == LOCAL ? NULL : d->clients[who];
    snprintf(lines, sizeof lines, "%s%s", d->authorization[who], headers ? headers : "");
    s.raw = web_get(d->h->loop, &to, method, path, lines, body);
    s.status = s.raw.status;
    s.json = json_loadb((const char *)s.raw.body, s.raw.n, 0, NULL);
    s.type = problem_text(&s, "type");
    if (strncmp(s.type, "urn:chancery:error:", 19) == 0)
        s.type += 19;
    s.detail = problem_text(&s, "detail");
    s.pointer = problem_text(&s, "pointer");
    return s;
}

struct said door_get(struct door *d, enum door_who who, const char *path)
{
    return door_ask(d, who, "GET", path, NULL, view_of(NULL, 0));
}

struct said door_post(struct door *d, enum door_who who, const char *path, const char *json)
{
    return door_ask(d, who, "POST", path, "Content-Type: application/json\r\n", view_str(json));
}

void said_free(struct said *s)
{
    json_decref(s->json);
    web_free(&s->raw);
}

const char *said_text(const struct said *s, const char *member)
{
    const char *text = json_string_value(json_object_get(s->json, member));
    if (!text)
        fail_msg("no %s in %s", member, (char *)s->raw.body);
    return text;
}

void door_expect(struct said s, int status, const char *type)
{
    if (s.status != status || (type && strcmp(s.type, type) != 0))
        fail_msg("%d %s, not %d %s: %s", s.status, s.type, status, type ? type : "", (char *)s.raw.body);
    said_free(&s);
}

const char *door_body(struct door *d, const char *template, struct view csr, const char *more)
{
    const char *pem = cert_pem_write("CERTIFICATE REQUEST", csr, d->h->arena);
    char *escaped = arena_alloc(d->h->arena, 2 * strlen(pem) + 1), *at = escaped;
    for (; *pem; pem++) {
        if (*pem == '\n')
            *at++ = '\\';
        *at++ = *pem == '\n' ? 'n' : *pem;
    }
    return arena_printf(d->h->arena, "{\"template\": \"%s\", \"csr\": \"%s\"%s}", template, escaped, more);
}

const char *door_issue(struct door *d, enum door_who who, const char *name)
{
    struct said s =
        door_post(d, who, "/v1/certificates", door_body(d, "server", house_csr_for(d->h, name), ""));
    if (s.status != 201)
        fail_msg("%d: %s", s.status, (char *)s.raw.body);
    const char *serial = arena_str(d->h->arena, view_str(said_text(&s, "serial")));
    said_free(&s);
    return serial;
}
