/*
 * The CA certificates on the shelf, DER and PEM. On the loop's thread.
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
        bind_given(m, issuer->name);
        deliver_blob(m, issuer->name, arena_printf(arena, "crl/%s", issuer->name));
        arena_free(arena);
    }
}
