/*
 * The front's own certificate: read from its folder, judged, served; asked of `ca` like any other, with the
 * one role that may have template `self`. The key file is written before the request is made, the certificate
 * after it is recorded, both whole or not at all. The front's loop.
 */
#include "own_cert.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/pem.h"
#include "own_cert_key.h"

enum {
    FILE_BYTES = 64 * 1024,
    CHAIN_MAX = 8,
    RETRY_FIRST_MS = 1000,
    RETRY_MOST_MS = 5 * 60 * 1000,
    LOOK_MS = 60 * 1000, /* whether it is time to renew */
    ARENA_BYTES = 1 << 20,
};

/* What is known of a certificate: all 0 where there is none. */
struct known {
    int64_t not_before, not_after;
    bool fits; /* its names are those that are wanted */
    bool revoked;
    uint8_t serial[SERIAL_BYTES];
};

struct own_cert {
    struct own_cert_setup setup;
    const char *const *names;
    size_t names_n;
    struct loop_timer *timer;
    struct known served;
    bool asking;
    int64_t retry_ms;
    struct secret *key; /* of the request under way */
};

/* --- judging --- */

static struct err *names_of(const struct cert_tbs *tbs, struct arena *arena, struct cert_san **ret,
                            size_t *ret_n)
{
    const struct cert_ext *san = cert_tbs_ext(tbs, CERT_EXT_SAN);
    if (!san)
        return err_new(ERR_BAD_EXTENSION, "it has no names");
    return cert_san_read(san->value, NULL, arena, ret, ret_n);
}

/* Exactly the wanted names, in any order. */
static struct err *names_fit(const struct own_cert *c, const struct cert_tbs *tbs, struct arena *arena,
                             bool *ret)
{
    struct err *e = NULL;
    struct cert_san *sans;
    size_t n, found = 0;

    TRY(names_of(tbs, arena, &sans, &n));
    for (size_t i = 0; i < n; i++) {
        const char *text = cert_san_text(&sans[i], arena);
        for (size_t k = 0; k < c->names_n; k++)
            found += strcmp(text, c->names[k]) == 0;
    }
    *ret = n == c->names_n && found == n;
out:
    return e;
}

static struct err *look_up(const struct own_cert *c, const char *issuer, struct view serial,
                           struct known *ret)
{
    struct err *e = NULL;
    struct ledger_status status;
    TRY(ledger_status(c->setup.ledger, issuer, serial, &status));
    ret->revoked = status.answer == LEDGER_REVOKED;
    memcpy(ret->serial, status.serial, SERIAL_BYTES);
out:
    return e;
}

/* The chain's leaf: ours, by the first issuer above it, for this key. */
static struct err *judge(const struct own_cert *c, struct view chain_pem, struct view key_pem,
                         struct arena *arena, struct known *ret)
{
    struct err *e = NULL;
    struct view *ders, spki;
    struct cert_chain_cert leaf, parent;
    size_t n;

    TRY(cert_pem_read_all(chain_pem, "CERTIFICATE", CHAIN_MAX, arena, &ders, &n));
    TRY(cert_chain_read(ders[0], arena, &leaf));
    TRY(own_cert_key_spki(key_pem, arena, &spki));
    if (!view_eq(spki, leaf.tbs.spki))
        return err_new(ERR_BAD_KEY, "the key is not that of the certificate");
    const struct ca_setup *setup = ca_setup_get(c->setup.ca);
    const struct ca_issuer *issuer = ca_issuer_find(setup, setup->default_issuer);
    CHECK(issuer);
    TRY(cert_chain_read(issuer->certificate, arena, &parent));
    TRY(cert_chain_link(&leaf, &parent, 0, world_now_s()));
    TRY(names_fit(c, &leaf.tbs, arena, &ret->fits));
    TRY(look_up(c, issuer->name, leaf.tbs.serial, ret));
    if (ret->revoked)
        return err_new(ERR_WRONG_STATE, "the front's own certificate is revoked");
    ret->not_before = leaf.tbs.not_before;
    ret->not_after = leaf.tbs.not_after;
out:
    return e;
}

static const char *path_of(const struct own_cert *c, struct arena *arena, const char *name)
{
    return arena_printf(arena, "%s/%s", c->setup.folder, name);
}

static struct err *serve(struct own_cert *c, struct view chain_pem, struct view key_pem)
{
    struct err *e = NULL;
    bool first = c->served.not_after == 0;
    struct arena *arena = arena_new(ARENA_BYTES);
    struct known known = {0};

    TRY(judge(c, chain_pem, key_pem, arena, &known));
    TRY(http_tls_set(c->setup.http, chain_pem, key_pem));
    c->served = known;
    log_info("tls.certificate", log_num("seconds_left", known.not_after - world_now_s()));
    if (first)
        c->setup.on_usable(c->setup.arg);
out:
    arena_free(arena);
    return e;
}

static struct err *serve_files(struct own_cert *c, struct arena *arena)
{
    struct err *e = NULL;
    struct view key, chain;

    TRY(file_read(path_of(c, arena, "tls.key"), FILE_BYTES, arena, &key));
    TRY(file_read(path_of(c, arena, "tls.pem"), FILE_BYTES, arena, &chain));
    TRY(serve(c, chain, key));
out:
    return e;
}

/* --- asking --- */

static bool due(const struct own_cert *c)
{
    const struct known *k = &c->served;
    int64_t life = k->not_after - k->not_before;
    return k->not_after == 0 || !k->fits || k->revoked || world_now_s() > k->not_before + life * 2 / 3;
}

static void later(struct own_cert *c)
{
    loop_timer_set(c->timer, c->retry_ms);
    c->retry_ms = c->retry_ms * 2 < RETRY_MOST_MS ? c->retry_ms * 2 : RETRY_MOST_MS;
}

static const char *chain_of(struct own_cert *c, const struct ca_certificate *cert, struct arena *arena)
{
    struct view above[CHAIN_MAX];
    size_t n = ca_chain(ca_setup_get(c->setup.ca), cert->issuer, above, CHAIN_MAX);
    const char *pem = cert_pem_write("CERTIFICATE", cert->der, arena);

    for (size_t i = 0; i < n; i++)
        pem = arena_printf(arena, "%s%s", pem, cert_pem_write("CERTIFICATE", above[i], arena));
    return pem;
}

/* A crash between the two writes leaves a pair that does not fit; it is judged at the next start and asked
 * for anew. */
static struct err *keep(struct own_cert *c, const struct ca_certificate *cert)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(ARENA_BYTES);
    struct view chain = view_str(chain_of(c, cert, arena));

    TRY(file_write(path_of(c, arena, "tls.key"), secret_view(c->key), 0600));
    TRY(file_write(path_of(c, arena, "tls.pem"), chain, 0600));
    TRY(serve(c, chain, secret_view(c->key)));
out:
    arena_free(arena);
    return e;
}

static void on_issued(void *arg, struct err *e, const struct ca_certificate *cert)
{
    struct own_cert *c = arg;

    c->asking = false;
    if (!e)
        e = keep(c, cert);
    secret_free(c->key);
    c->key = NULL;
    if (e) {
        log_warn("tls.certificate", log_err(e));
        err_free(e);
        later(c);
        return;
    }
    c->retry_ms = RETRY_FIRST_MS;
    loop_timer_set(c->timer, LOOK_MS);
}

static void ask(struct own_cert *c)
{
    static const struct ca_asker asker = {
        .role = CA_ROLE_SELF, .id = "self", .door = "self", .peer = "", .request_id = "tls"};
    struct arena *arena = arena_new(ARENA_BYTES);
    struct ca_request request = {
        .asker = &asker, .template = "self", .has_sans = true, .sans = c->names, .sans_n = c->names_n};
    struct err *e = own_cert_key_make(&c->key, arena, &request.csr);

    if (e) {
        log_error("tls.key", log_err(e));
        err_free(e);
        later(c);
    }
    if (c->key) {
        c->asking = true;
        ca_issue(c->setup.ca, &request, on_issued, c);
    }
    arena_free(arena);
}

/* Nothing is asked for while the engine cannot issue: own_cert_go comes when it can. */
static void look(void *arg)
{
    struct own_cert *c = arg;

    if (c->asking)
        return;
    struct err *e = ca_works(c->setup.ca, NULL);
    bool can = e == NULL;
    err_free(e);
    if (due(c) && can) {
        ask(c);
        return;
    }
    loop_timer_set(c->timer, due(c) ? RETRY_FIRST_MS : LOOK_MS);
}

/* It is served until the next one is there: whoever must reach this house still can. */
static void seen(void *arg, const struct ledger_event *ev)
{
    struct own_cert *c = arg;

    if (ev->kind != LEDGER_REVOKE || c->served.not_after == 0 || c->served.revoked ||
        !view_eq(ev->serial, view_of(c->served.serial, SERIAL_BYTES)))
        return;
    log_warn("tls.certificate-revoked", log_num("seconds_left", c->served.not_after - world_now_s()));
    c->served.revoked = true;
    loop_timer_set(c->timer, 0);
}

/* --- from outside --- */

struct err *own_cert_new(const struct own_cert_setup *setup, const char *const *names, size_t names_n,
                         struct own_cert **ret)
{
    struct own_cert *c = calloc(1, sizeof *c);
    struct arena *arena = arena_new(ARENA_BYTES);

    CHECK(c);
    c->setup = *setup;
    c->names = names;
    c->names_n = names_n;
    c->retry_ms = RETRY_FIRST_MS;
    c->timer = loop_timer_new(setup->loop, look, c);
    ledger_watch(setup->ledger, seen, c);
    *ret = c;
    struct err *e = serve_files(c, arena);
    if (e && err_code(e) != ERR_NOT_FOUND)
        log_warn("tls.certificate", log_err(e)); /* a new one will be asked for */
    err_free(e);
    arena_free(arena);
    loop_timer_set(c->timer, LOOK_MS);
    return NULL;
}

void own_cert_free(struct own_cert *c)
{
    if (!c)
        return;
    CHECK(!c->asking);
    loop_timer_free(c->timer);
    secret_free(c->key);
    free(c);
}

void own_cert_names(struct own_cert *c, const char *const *names, size_t names_n)
{
    bool same = names_n == c->names_n;

    for (size_t i = 0; same && i < names_n; i++)
        same = strcmp(names[i], c->names[i]) == 0;
    c->names = names;
    c->names_n = names_n;
    if (same)
        return;
    c->served.fits = false;
    look(c);
}

void own_cert_go(struct own_cert *c)
{
    look(c);
}

struct err *own_cert_ready(const struct own_cert *c)
{
    const struct known *k = &c->served;
    int64_t now = world_now_s(), life = k->not_after - k->not_before;

    if (k->not_after == 0)
        return err_new(ERR_STARTING, "the front has no certificate of its own yet");
    if (k->revoked)
        return err_new(ERR_WRONG_STATE, "the front's own certificate is revoked and not renewed yet");
    if (now > k->not_after)
        return err_new(ERR_WRONG_STATE, "the front's own certificate has lapsed");
    if (now > k->not_before + life * 5 / 6)
        return err_new(ERR_WRONG_STATE, "the front's own certificate could not be renewed so far");
    return NULL;
}
