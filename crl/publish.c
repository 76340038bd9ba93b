/*
 * What lies on the shelf beside the lists: the CA certificates, DER and PEM, and for each issuer the bundle
 * of all lists of its chain (servers such as nginx refuse a good client where the root's list is missing). On
 * the loop's thread.
 */
#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "cert/pem.h"
#include "maker.h"

static void put(struct crl_maker *m, struct arena *arena, const char *kind, const char *name,
                struct view bytes, int64_t this_update, int64_t next_update)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(bytes, hash);
    const struct shelf_item item = {
        .bytes = bytes,
        .this_update = this_update,
        .next_update = next_update,
        .etag = hex_of(arena, view_of(hash, 16)),
    };
    struct err *e = shelf_put_blob(m->shelf, arena_printf(arena, "%s/%s", kind, name), &item, NULL, NULL);
    if (e)
        log_error("shelf.unwritten", log_text("kind", kind), log_text("issuer", name), log_err(e));
    err_free(e);
}

void publish_certificates(struct crl_maker *m)
{
    struct arena *arena = arena_new(CRL_ARENA_BYTES);
    const char *roots = "";
    for (size_t i = 0; i < m->n; i++) {
        const struct crl_issuer *issuer = &m->issuers[i];
        const char *pem = cert_pem_write("CERTIFICATE", issuer->certificate, arena);
        put(m, arena, "ca", issuer->name, issuer->certificate, world_now_s(), 0);
        put(m, arena, "ca-pem", issuer->name, view_str(pem), world_now_s(), 0);
        if (!issuer->parent)
            roots = arena_printf(arena, "%s%s", roots, pem);
    }
    put(m, arena, "roots", "pem", view_str(roots), world_now_s(), 0);
    arena_free(arena);
}

void publish_given(struct crl_maker *m)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct crl_issuer *issuer = &m->issuers[i];
        if (!issuer->given.n)
            continue;
        struct arena *arena = arena_new(CRL_ARENA_BYTES);
        put(m, arena, "crl", issuer->name, issuer->given, issuer->given_from, issuer->given_until);
        arena_free(arena);
        publish_bundles(m, issuer->name);
    }
}

/* The lists of this issuer and all above it, as PEM; nothing where one of them is not there yet. */
static const char *bundle(struct crl_maker *m, const struct crl_issuer *issuer, const char *changed,
                          struct arena *arena, int64_t *ret_next_update)
{
    const char *text = "";
    bool holds_changed = false;
    *ret_next_update = INT64_MAX;
    for (; issuer; issuer = maker_issuer(m, issuer->parent)) {
        struct shelf_item item = {.bytes = {NULL, 0}};
        struct err *e = shelf_get_blob(m->shelf, arena_printf(arena, "crl/%s", issuer->name), arena, &item);
        if (e)
            log_warn("crl.shelf", log_err(e));
        err_free(e);
        if (!item.bytes.p)
            return NULL;
        holds_changed = holds_changed || strcmp(issuer->name, changed) == 0;
        text = arena_printf(arena, "%s%s", text, cert_pem_write("X509 CRL", item.bytes, arena));
        if (item.next_update < *ret_next_update)
            *ret_next_update = item.next_update;
    }
    return holds_changed ? text : NULL;
}

void publish_bundles(struct crl_maker *m, const char *changed)
{
    for (size_t i = 0; i < m->n; i++) {
        struct arena *arena = arena_new(CRL_ARENA_BYTES);
        int64_t next_update;
        const char *text = bundle(m, &m->issuers[i], changed, arena, &next_update);
        if (text)
            put(m, arena, "crl-chain", m->issuers[i].name, view_str(text), world_now_s(), next_update);
        arena_free(arena);
    }
}
