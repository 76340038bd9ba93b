/*
 * The header of an entry, and the value that holds header and body (ledger_entry.h shows the form). A leaf of
 * the tree is the hash of the header alone; the header pins the body by its hash. Any thread.
 */
#include "entry.h"

#include <string.h>

#include "base/der.h"
#include "base/merkle.h"

enum { HEADER_BYTES = 8 * 1024, VALUE_BYTES = LEDGER_BODY_BYTES + HEADER_BYTES + 64 };

static struct err *check_text(const char *name, const char *text, size_t max)
{
    if (text && strlen(text) > max)
        return err_at(err_new(ERR_BAD_FIELD, "%s: longer than %zu octets", name, max), "/%s", name);
    return NULL;
}

struct err *entry_check(const struct ledger_entry *en)
{
    struct err *e = NULL;
    TRY(check_text("actor", en->actor, ENTRY_ACTOR_BYTES));
    TRY(check_text("door", en->door, 255));
    TRY(check_text("peer", en->peer, 255));
    TRY(check_text("request", en->request, 255));
    TRY(check_text("issuer", en->issuer, LEDGER_ISSUER_BYTES));
    if (en->serial.n != 0 && en->serial.n != SERIAL_BYTES)
        return err_new(ERR_BAD_FIELD, "a serial here has %d octets", SERIAL_BYTES);
    if (en->kind == 0 || en->kind > 65535)
        return err_new(ERR_BAD_FIELD, "kind %u is none", en->kind);
out:
    return e;
}

static const char *text(const char *t)
{
    return t ? t : "";
}

static struct err *header_write(const struct ledger_entry *en, struct view body, struct arena *arena,
                                struct view *ret)
{
    struct der_out out;
    uint8_t hash[SHA256_BYTES];
    digest_sha256(body, hash);
    der_out_init(&out, arena, HEADER_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, ENTRY_VERSION);
    der_put_uint(&out, en->seq);
    der_put_uint(&out, en->time_ms < 0 ? 0 : (uint64_t)en->time_ms);
    der_put_uint(&out, en->ref);
    der_put_enum(&out, en->kind);
    der_put_text(&out, text(en->actor));
    der_put_text(&out, text(en->door));
    der_put_text(&out, text(en->peer));
    der_put_text(&out, text(en->request));
    der_put_text(&out, text(en->issuer));
    der_put_octets(&out, en->serial);
    der_put_octets(&out, view_of(hash, sizeof(hash)));
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *entry_write(const struct ledger_entry *en, struct view body, struct arena *arena,
                        struct view *ret_value, uint8_t ret_leaf[SHA256_BYTES])
{
    struct err *e = NULL;
    struct view header;
    TRY(header_write(en, body, arena, &header));
    merkle_leaf(header, ret_leaf);
    struct der_out out;
    der_out_init(&out, arena, VALUE_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, header);
    der_put_octets(&out, body);
    der_finish(&out, m);
    TRY(der_out_done(&out, ret_value));
out:
    return e;
}

static struct err *header_read(struct view in, struct arena *arena, struct ledger_entry *en,
                               struct view *ret_hash)
{
    struct err *e = NULL;
    struct view h;
    uint64_t version, time_ms, kind;
    TRY(der_read(&in, DER_SEQUENCE, &h));
    TRY(der_read_uint(&h, UINT64_MAX, &version));
    if (version != ENTRY_VERSION)
        return err_new(ERR_CORRUPT, "an entry of version %llu; this program knows %d",
                       (unsigned long long)version, ENTRY_VERSION);
    TRY(der_read_uint(&h, UINT64_MAX, &en->seq));
    TRY(der_read_uint(&h, INT64_MAX, &time_ms));
    en->time_ms = (int64_t)time_ms;
    TRY(der_read_uint(&h, UINT64_MAX, &en->ref));
    TRY(der_read_enum(&h, 65535, &kind));
    en->kind = (unsigned)kind;
    TRY(der_read_text(&h, arena, LEDGER_TEXT_BYTES, &en->actor));
    TRY(der_read_text(&h, arena, LEDGER_TEXT_BYTES, &en->door));
    TRY(der_read_text(&h, arena, LEDGER_TEXT_BYTES, &en->peer));
    TRY(der_read_text(&h, arena, LEDGER_TEXT_BYTES, &en->request));
    TRY(der_read_text(&h, arena, LEDGER_TEXT_BYTES, &en->issuer));
    TRY(der_read(&h, DER_OCTET_STRING, &en->serial));
    if (en->serial.n > SERIAL_MAX_BYTES)
        return err_new(ERR_CORRUPT, "a serial of %zu octets", en->serial.n);
    TRY(der_read(&h, DER_OCTET_STRING, ret_hash));
    TRY(der_end(h));
out:
    return e;
}

struct err *entry_read(struct view value, struct arena *arena, struct ledger_entry *ret)
{
    struct err *e = NULL;
    struct ledger_entry en = {0};
    struct view in, header, body, hash;
    uint8_t have[SHA256_BYTES];
    value = arena_dup(arena, value);
    TRY(der_read(&value, DER_SEQUENCE, &in));
    TRY(der_end(value));
    TRY(der_read_whole(&in, DER_SEQUENCE, &header));
    TRY(der_read(&in, DER_OCTET_STRING, &body));
    TRY(der_end(in));
    TRY(header_read(header, arena, &en, &hash));
    digest_sha256(body, have);
    if (!view_eq(hash, view_of(have, sizeof(have))))
        return err_new(ERR_CORRUPT, "the body does not have the hash its header names");
    TRY(entry_body_read(body, arena, &en));
    merkle_leaf(header, en.leaf);
    *ret = en;
out:
    if (e && err_code(e) == ERR_BAD_DER) {
        struct err *as = err_new(ERR_CORRUPT, "not an entry: %s", err_detail(e));
        err_free(e);
        e = as;
    }
    return e;
}
