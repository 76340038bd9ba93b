/*
 * Writing an export: the head, the roll, entries page by page, the end with a hash over all of it. Holds no
 * transaction between pages, and no more than a page in memory. Any thread.
 */
#include "ledger_export.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "core.h"

enum { PAGE_BYTES = 1 << 20, PAGE_ENTRIES = 1024, ARENA_BYTES = 8 << 20, VERSION = 1 };

struct export
{
    const struct ledger_export *how;
    struct digest *digest;
    struct arena *arena;
    struct tree tree;
};

static struct err *put(struct export *x, struct view octets)
{
    digest_add(x->digest, octets);
    return x->how->give(x->how->arg, octets);
}

static struct err *put_done(struct export *x, struct der_out *out)
{
    struct view octets;
    struct err *e = der_out_done(out, &octets);
    return e ? e : put(x, octets);
}

static struct err *put_head(struct export *x)
{
    struct der_out out;
    der_out_init(&out, x->arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, "chancery-export");
    der_put_uint(&out, VERSION);
    der_put_uint(&out, x->how->entries);
    der_put_uint(&out, (uint64_t)x->how->now_ms);
    der_put_uint(&out, x->how->rolls_n);
    der_finish(&out, m);
    return put_done(x, &out);
}

/* Too large to be written in one: tag and length by hand, as DER has them. */
static struct err *put_roll(struct export *x, struct view roll)
{
    struct err *e = NULL;
    uint8_t head[10] = {DER_OCTET_STRING, (uint8_t)roll.n};
    size_t octets = 0;
    for (uint64_t n = roll.n; n > 0; n >>= 8)
        octets++;
    if (roll.n >= 0x80) {
        head[1] = (uint8_t)(0x80 | octets);
        for (size_t i = 0; i < octets; i++)
            head[2 + i] = (uint8_t)((uint64_t)roll.n >> 8 * (octets - 1 - i));
    }
    TRY(put(x, view_of(head, roll.n < 0x80 ? 2 : 2 + octets)));
    TRY(put(x, roll));
out:
    return e;
}

static struct err *put_entry(struct export *x, struct view leaf, struct view value)
{
    struct der_out out;
    if (leaf.n != SHA256_BYTES)
        return err_new(ERR_CORRUPT, "entry %llu has no leaf hash", (unsigned long long)x->tree.n + 1);
    tree_add(&x->tree, leaf.p);
    der_out_init(&out, x->arena, LEDGER_BODY_BYTES + 32 * 1024);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_octets(&out, leaf);
    der_put_raw(&out, value);
    der_finish(&out, m);
    return put_done(x, &out);
}

/* What a page is read into: copies, so that nobody waits for a slow disk with a transaction open. */
struct page {
    struct view leaf[PAGE_ENTRIES], value[PAGE_ENTRIES];
    size_t n;
};

static struct err *read_page(struct ledger *l, uint64_t from, uint64_t to, struct arena *arena,
                             struct page *ret)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    size_t bytes = 0;
    TRY(l->ops->begin(l->store, false, &t));
    for (ret->n = 0; from <= to && ret->n < PAGE_ENTRIES && bytes < PAGE_BYTES; from++, ret->n++) {
        struct key k = key_seq(from);
        struct view leaf, value;
        TRY(l->ops->get(t, TABLE_LEAF, key_view(&k), &leaf));
        TRY(l->ops->get(t, TABLE_LOG, key_view(&k), &value));
        if (!value.p)
            TRY(err_new(ERR_CORRUPT, "there is no entry %llu", (unsigned long long)from));
        ret->leaf[ret->n] = arena_dup(arena, leaf);
        ret->value[ret->n] = arena_dup(arena, value);
        bytes += value.n;
    }
out:
    l->ops->abort(t);
    return e;
}

static struct err *put_entries(struct export *x, struct ledger *l, uint64_t entries)
{
    struct err *e = NULL;
    struct page *page = calloc(1, sizeof *page);
    CHECK(page);
    while (x->tree.n < entries) {
        arena_reset(x->arena);
        TRY(read_page(l, x->tree.n + 1, entries, x->arena, page));
        for (size_t i = 0; i < page->n; i++)
            TRY(put_entry(x, page->leaf[i], page->value[i]));
    }
out:
    free(page);
    return e;
}

static struct err *put_end(struct export *x)
{
    struct err *e = NULL;
    struct der_out out;
    struct view octets;
    uint8_t hash[SHA256_BYTES], root[SHA256_BYTES];
    digest_done(x->digest, hash);
    x->digest = NULL;
    tree_root(&x->tree, root);
    der_out_init(&out, x->arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, x->tree.n);
    der_put_octets(&out, view_of(root, sizeof root));
    der_put_octets(&out, view_of(hash, sizeof hash));
    der_finish(&out, m);
    TRY(der_out_done(&out, &octets));
    TRY(x->how->give(x->how->arg, octets));
out:
    return e;
}

struct err *ledger_export(struct ledger *l, const struct ledger_export *how)
{
    struct err *e = NULL;
    struct export x = {.how = how, .digest = digest_new(), .arena = arena_new(ARENA_BYTES)};
    TRY(put_head(&x));
    for (size_t i = 0; i < how->rolls_n; i++)
        TRY(put_roll(&x, how->rolls[i]));
    TRY(put_entries(&x, l, how->entries));
    TRY(put_end(&x));
out:
    digest_free(x.digest);
    arena_free(x.arena);
    return e;
}

/* --- opening --- */

static struct err *read_head(struct view *in, struct ledger_export_file *ret)
{
    struct err *e = NULL;
    struct view head, name;
    uint64_t version, made_ms, rolls;
    TRY(der_read(in, DER_SEQUENCE, &head));
    TRY(der_read(&head, DER_UTF8_STRING, &name));
    TRY(der_read_uint(&head, UINT32_MAX, &version));
    if (!view_eq_str(name, "chancery-export") || version != VERSION)
        return err_new(ERR_CORRUPT,
                       "this is no export of a ledger, or of a version this program does not know");
    TRY(der_read_uint(&head, INT64_MAX, &ret->entries));
    TRY(der_read_uint(&head, INT64_MAX, &made_ms));
    TRY(der_read_uint(&head, LEDGER_ROLLS_MAX, &rolls));
    TRY(der_end(head));
    ret->rolls_n = rolls;
    ret->made_ms = (int64_t)made_ms;
out:
    return e;
}

struct err *ledger_export_open(struct view file, struct ledger_export_file *ret)
{
    struct err *e = NULL;
    struct view in = file;
    *ret = (struct ledger_export_file){.file = file};
    TRY(read_head(&in, ret));
    for (size_t i = 0; i < ret->rolls_n; i++)
        TRY(der_read(&in, DER_OCTET_STRING, &ret->rolls[i]));
    ret->rest = in;
out:
    if (e && err_code(e) != ERR_CORRUPT) {
        struct err *as = err_new(ERR_CORRUPT, "at octet %zu: %s", (size_t)(in.p - file.p), err_detail(e));
        err_free(e);
        e = as;
    }
    return e;
}
