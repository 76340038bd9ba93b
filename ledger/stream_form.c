/* The records' DER. Reads strictly what is written here and nothing else. Any thread. */
#include "stream_form.h"

#include "base/check.h"
#include "base/der.h"

static struct view done_or_bug(struct der_out *out)
{
    struct view ret;
    struct err *e = der_out_done(out, &ret);
    CHECK(!e);
    return ret;
}

struct view stream_form_begin(const struct stream_begin *b, struct arena *arena)
{
    struct der_out out;
    der_out_init(&out, arena, 128);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, STREAM_VERSION);
    der_put_octets(&out, view_of(b->shelf, SHELF_MARK_BYTES));
    der_put_bool(&out, b->whole);
    der_finish(&out, m);
    return done_or_bug(&out);
}

struct view stream_form_part(struct view part, struct arena *arena)
{
    struct der_out out;
    der_out_init(&out, arena, FRAME_BODY_MAX);
    der_put_octets(&out, part);
    return done_or_bug(&out);
}

static size_t begin_item(struct der_out *out, const struct stream_item *i, struct arena *arena)
{
    der_out_init(out, arena, FRAME_BODY_MAX);
    size_t m = der_begin(out, DER_SEQUENCE);
    der_put_enum(out, i->table);
    der_put_octets(out, i->key);
    return m;
}

struct view stream_form_put(const struct stream_item *i, struct arena *arena)
{
    struct der_out out;
    size_t m = begin_item(&out, i, arena);
    der_put_octets(&out, i->value);
    der_finish(&out, m);
    return done_or_bug(&out);
}

struct view stream_form_del(const struct stream_item *i, struct arena *arena)
{
    struct der_out out;
    size_t m = begin_item(&out, i, arena);
    der_finish(&out, m);
    return done_or_bug(&out);
}

struct view stream_form_at(uint64_t seq, struct arena *arena)
{
    struct der_out out;
    der_out_init(&out, arena, 32);
    der_put_uint(&out, seq);
    return done_or_bug(&out);
}

/* --- reading --- */

struct err *stream_form_read_begin(struct view body, struct stream_begin *ret)
{
    struct err *e = NULL;
    struct view seq, shelf;
    struct stream_begin b;
    uint64_t version;
    TRY(der_read(&body, DER_SEQUENCE, &seq));
    TRY(der_end(body));
    TRY(der_read_uint(&seq, UINT32_MAX, &version));
    if (version != STREAM_VERSION)
        return err_new(ERR_PROTOCOL, "a shelf streamed in version %llu; this program knows version %d",
                       (unsigned long long)version, STREAM_VERSION);
    TRY(der_read(&seq, DER_OCTET_STRING, &shelf));
    TRY(der_read_bool(&seq, &b.whole));
    TRY(der_end(seq));
    if (shelf.n != SHELF_MARK_BYTES)
        return err_new(ERR_PROTOCOL, "a shelf's mark of %zu octets", shelf.n);
    memcpy(b.shelf, shelf.p, SHELF_MARK_BYTES);
    *ret = b;
out:
    return e;
}

struct err *stream_form_read_part(struct view body, struct view *ret)
{
    struct err *e = der_read(&body, DER_OCTET_STRING, ret);
    return e ? e : der_end(body);
}

static struct err *read_item(struct view body, bool has_value, struct stream_item *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct stream_item i = {.value = {NULL, 0}};
    uint64_t table;
    TRY(der_read(&body, DER_SEQUENCE, &seq));
    TRY(der_end(body));
    TRY(der_read_enum(&seq, SHELF_BLOBS, &table));
    TRY(der_read(&seq, DER_OCTET_STRING, &i.key));
    if (has_value)
        TRY(der_read(&seq, DER_OCTET_STRING, &i.value));
    TRY(der_end(seq));
    i.table = (enum shelf_table)table;
    if ((i.table != SHELF_ANSWERS && i.table != SHELF_BLOBS) || i.key.n == 0 || i.key.n > STREAM_KEY_BYTES)
        return err_new(ERR_PROTOCOL, "not an item of a shelf");
    *ret = i;
out:
    return e;
}

struct err *stream_form_read_put(struct view body, struct stream_item *ret)
{
    return read_item(body, true, ret);
}

struct err *stream_form_read_del(struct view body, struct stream_item *ret)
{
    return read_item(body, false, ret);
}

struct err *stream_form_read_at(struct view body, uint64_t *ret)
{
    struct err *e = der_read_uint(&body, INT64_MAX, ret);
    return e ? e : der_end(body);
}
