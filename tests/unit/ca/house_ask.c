/* Askers and what they ask for, of house_scene.h. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/world.h"
#include "ca_pending.h"
#include "ca_revoke.h"
#include "house_scene.h"

struct ca_asker *house_asker(struct house *h, enum ca_role role, const char *id)
{
    struct ca_asker *a = ARENA_NEW(h->arena, struct ca_asker);
    *a = (struct ca_asker){.role = role,
                           .id = id,
                           .door = "rest",
                           .peer = "192.0.2.1",
                           .request_id = "0123",
                           .grant.any = role == CA_ROLE_ADMIN || role == CA_ROLE_OPERATOR};
    return a;
}

static size_t count(const char *const *texts)
{
    size_t n = 0;
    while (texts[n])
        n++;
    return n;
}

struct ca_asker *house_token(struct house *h, const char *const *templates, const char *const *names,
                             uint64_t uses)
{
    uint8_t *id = arena_alloc(h->arena, SHA256_BYTES);
    world_random(id, SHA256_BYTES);
    struct ca_asker *a = house_asker(h, CA_ROLE_REQUESTER,
                                     arena_printf(h->arena, "token:%s", hex_of(h->arena, view_of(id, 8))));
    a->token = id;
    a->grant = (struct ca_grant){
        .templates = templates, .templates_n = count(templates), .names = names, .names_n = count(names)};
    const struct ledger_entry entry = {.kind = LEDGER_TOKEN_CREATE,
                                       .actor = "test",
                                       .body.token = {.id = view_of(id, SHA256_BYTES),
                                                      .label = "test",
                                                      .templates = {a->grant.templates_n, templates},
                                                      .names = {a->grant.names_n, names},
                                                      .uses = uses}};
    house_append(h, &entry);
    return a;
}

struct ca_asker *house_requester(struct house *h)
{
    static const char *const templates[] = {"server", "client", "device", NULL};
    static const char *const names[] = {"dns:example.internal", "dns:**.example.internal", NULL};
    return house_token(h, templates, names, 0);
}

/* --- keys and CSRs --- */

EVP_PKEY *house_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    return key;
}

static void add_sans(X509_REQ *req, const char *sans)
{
    STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, sans);
    assert_non_null(ext);
    sk_X509_EXTENSION_push(exts, ext);
    assert_true(X509_REQ_add_extensions(req, exts));
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

struct view house_csr(struct house *h, EVP_PKEY *key, const char *cn, const char *sans)
{
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    assert_true(X509_REQ_set_pubkey(req, key));
    if (cn)
        assert_true(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                                               (const unsigned char *)cn, -1, -1, 0));
    if (sans)
        add_sans(req, sans);
    assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
    int n = i2d_X509_REQ(req, &der);
    assert_true(n > 0);
    struct view ret = arena_dup(h->arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    X509_REQ_free(req);
    return ret;
}

struct view house_csr_for(struct house *h, const char *name)
{
    EVP_PKEY *key = house_key();
    struct view csr = house_csr(h, key, NULL, arena_printf(h->arena, "DNS:%s", name));
    EVP_PKEY_free(key);
    return csr;
}

/* --- issuing --- */

struct ca_request house_request(struct house *h, const struct ca_asker *asker, const char *template,
                                struct view csr)
{
    (void)h;
    return (struct ca_request){.asker = asker, .template = template, .csr = csr};
}

static void keep(struct house_issued *to, const struct ca_certificate *cert)
{
    struct arena *arena = arena_new(4096);
    struct view serial;
    to->replayed = cert->replayed;
    snprintf(to->serial, sizeof to->serial, "%s", cert->serial);
    snprintf(to->issuer, sizeof to->issuer, "%s", cert->issuer);
    snprintf(to->template, sizeof to->template, "%s", cert->template);
    to->not_before = cert->not_before;
    to->not_after = cert->not_after;
    assert_true(cert->der.n <= sizeof to->der);
    memcpy(to->der, cert->der.p, cert->der.n);
    to->der_n = cert->der.n;
    OK(hex_parse(arena, view_str(cert->serial), &serial));
    memcpy(to->serial_bytes, serial.p, SERIAL_BYTES);
    arena_free(arena);
}

static void issued(void *arg, struct err *e, const struct ca_certificate *cert)
{
    struct house_issued *to = arg;
    assert_false(to->done);
    assert_true((e == NULL || err_code(e) == ERR_PENDING) == (cert != NULL));
    if (e) {
        snprintf(to->detail, sizeof to->detail, "%s", err_detail(e));
        snprintf(to->pointer, sizeof to->pointer, "%s", err_pointer(e));
    }
    if (cert && cert->pending)
        snprintf(to->pending, sizeof to->pending, "%s", cert->pending->id);
    else if (cert)
        keep(to, cert);
    to->code = house_code(e);
    to->done = true;
}

void house_ask(struct house *h, const struct ca_request *request, struct house_issued *to)
{
    *to = (struct house_issued){.done = false};
    ca_issue(h->ca, request, issued, to);
    assert_false(to->done);
}

enum err_code house_issue(struct house *h, const struct ca_request *request, struct house_issued *to)
{
    house_ask(h, request, to);
    house_await(h, &to->done);
    if (to->code != ERR__COUNT)
        print_message("  (%s: %s %s)\n", err_row(to->code)->name, to->detail, to->pointer);
    return to->code;
}

void house_good(struct house *h, const char *name, struct house_issued *to)
{
    const struct ca_request request = house_request(h, house_requester(h), "server", house_csr_for(h, name));
    assert_int_equal(house_issue(h, &request, to), ERR__COUNT);
}

/* --- revoking --- */

static void revoked(void *arg, struct err *e, int64_t at, enum cert_reason reason, bool already)
{
    struct house_revoked *to = arg;
    assert_false(to->done);
    *to = (struct house_revoked){
        .done = true, .code = house_code(e), .at = at, .reason = reason, .already = already};
}

enum err_code house_revoke(struct house *h, const struct ca_asker *asker, struct view serial,
                           enum cert_reason reason, struct house_revoked *to)
{
    *to = (struct house_revoked){.done = false};
    struct err *e =
        ca_revoke(h->ca, asker, "issuing", serial, &(struct ca_revocation){reason, 0}, revoked, to);
    if (e) {
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
        return to->code = house_code(e);
    }
    assert_false(to->done);
    house_await(h, &to->done);
    return to->code;
}
