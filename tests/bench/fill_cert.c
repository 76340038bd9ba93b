/*
 * A certificate in a few microseconds: the next point of the curve is the last one plus the base point, and
 * with the private key 1 and the nonce 1 an ECDSA signature over h is (r, h + r), r being the base point's x.
 * It verifies; that anybody could have made it is the point. One thread.
 */
#include "fill_cert.h"

#include <endian.h>
#include <openssl/bn.h>
#include <openssl/obj_mac.h>
#include <stdio.h>

#include "base/err.h"
#include "base/world.h"
#include "cert/ext.h"
#include "cert/name.h"
#include "cert/tbs.h"
#include "pace.h"

enum { POINT_BYTES = 65, EXTS_MAX = 32, DAY_S = 86400, LIFE_S = 90 * DAY_S, SPREAD_S = 80 * DAY_S };
/* id-ecPublicKey with the named curve secp256r1, and the head of the BIT STRING (RFC 5480 2). */
static const uint8_t spki_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static void must(struct err *e)
{
    if (e)
        pace_die("%s", err_detail(e));
}

void fill_maker_open(struct fill_maker *m, const struct ledger_cert *model)
{
    uint8_t start[16];
    *m = (struct fill_maker){.model = model, .arena = arena_new(1 << 18), .now_s = world_now_s()};
    m->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    m->bn = BN_CTX_new();
    m->order = BN_new();
    m->r = BN_new();
    m->s = BN_new();
    m->point = m->group ? EC_POINT_new(m->group) : NULL;
    if (!m->point || !m->bn || !m->order || !m->r || !m->s)
        pace_die("no curve P-256 to be had");
    world_random(start, sizeof start);
    BN_bin2bn(start, sizeof start, m->s);
    if (EC_GROUP_get_order(m->group, m->order, m->bn) != 1 ||
        EC_POINT_mul(m->group, m->point, m->s, NULL, NULL, m->bn) != 1 ||
        EC_POINT_get_affine_coordinates(m->group, EC_GROUP_get0_generator(m->group), m->r, NULL, m->bn) != 1)
        pace_die("no points of P-256");
}

void fill_maker_close(struct fill_maker *m)
{
    EC_POINT_free(m->point);
    EC_GROUP_free(m->group);
    BN_free(m->order);
    BN_free(m->r);
    BN_free(m->s);
    BN_CTX_free(m->bn);
    arena_free(m->arena);
}

static struct view next_spki(struct fill_maker *m)
{
    uint8_t *spki = arena_alloc(m->arena, sizeof spki_head + POINT_BYTES);
    memcpy(spki, spki_head, sizeof spki_head);
    if (EC_POINT_add(m->group, m->point, m->point, EC_GROUP_get0_generator(m->group), m->bn) != 1 ||
        EC_POINT_point2oct(m->group, m->point, POINT_CONVERSION_UNCOMPRESSED, spki + sizeof spki_head,
                           POINT_BYTES, m->bn) != POINT_BYTES)
        pace_die("no point of P-256");
    return view_of(spki, sizeof spki_head + POINT_BYTES);
}

/* Scattered as random ones are, and never the same twice. */
static void choose_names(struct fill_maker *m, struct fill_cert *c)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(view_of(c->spki_sha256, SHA256_BYTES), hash);
    snprintf(c->name, sizeof c->name, "dns:f%08x.fill.example.internal", m->nr * 0x9e3779b1u);
    c->not_before = m->now_s - (int64_t)(hash[30] << 8 | hash[31]) * SPREAD_S / 65536;
    c->not_after = c->not_before + LIFE_S;
    uint32_t from = htobe32(0x40000000u | ((uint32_t)(c->not_before / 4) & 0x3fffffffu));
    memcpy(c->serial, &from, sizeof from); /* in the order of time, as the authority's own are */
    memcpy(c->serial + sizeof from, hash, SERIAL_BYTES - sizeof from);
    m->nr++;
}

static void put_ext(struct cert_ext *exts, size_t n, const struct cert_ext *ext)
{
    for (size_t i = 0; i < n; i++)
        if (view_eq(exts[i].oid, ext->oid))
            exts[i] = *ext;
}

/* The model's extensions, but with this name and this key. */
static void put_exts(struct fill_maker *m, const struct fill_cert *c, struct cert_tbs *tbs)
{
    struct cert_ext *exts = arena_array(m->arena, EXTS_MAX, sizeof *exts), ext;
    struct cert_san *san = ARENA_NEW(m->arena, struct cert_san);
    if (tbs->ext_count > EXTS_MAX)
        pace_die("the model has %zu extensions", tbs->ext_count);
    memcpy(exts, tbs->exts, tbs->ext_count * sizeof *exts);
    must(cert_san_of_text(view_str(c->name), m->arena, san));
    must(cert_ext_write_san(san, 1, false, m->arena, &ext));
    put_ext(exts, tbs->ext_count, &ext);
    must(cert_ext_write_ski(view_of(c->spki_sha256, 20), m->arena, &ext));
    put_ext(exts, tbs->ext_count, &ext);
    tbs->exts = exts;
}

static struct view sign(struct fill_maker *m, struct view tbs)
{
    uint8_t hash[SHA256_BYTES], raw[64];
    struct view sig;
    digest_sha256(tbs, hash);
    BN_bin2bn(hash, sizeof hash, m->s);
    if (BN_mod_add(m->s, m->s, m->r, m->order, m->bn) != 1 || BN_bn2binpad(m->r, raw, 32) != 32 ||
        BN_bn2binpad(m->s, raw + 32, 32) != 32)
        pace_die("no signature");
    must(cert_seal_ecdsa(view_of(raw, sizeof raw), m->arena, &sig));
    return sig;
}

void fill_make(struct fill_maker *m, struct fill_cert *ret)
{
    struct cert_tbs tbs;
    struct fill_cert c;
    arena_reset(m->arena);
    must(cert_tbs_read(m->model->decision.tbs, m->arena, &tbs));
    tbs.spki = next_spki(m);
    digest_sha256(tbs.spki, c.spki_sha256);
    choose_names(m, &c);
    tbs.serial = view_of(c.serial, SERIAL_BYTES);
    tbs.alg = CERT_ALG_ECDSA_SHA256;
    tbs.not_before = c.not_before;
    tbs.not_after = c.not_after;
    const struct cert_name_part cn = {"CN", strchr(c.name, ':') + 1};
    must(cert_name_write(&cn, 1, m->arena, &tbs.subject));
    put_exts(m, &c, &tbs);
    must(cert_tbs_write(&tbs, m->arena, &c.tbs));
    c.signature = sign(m, c.tbs);
    *ret = c;
}
