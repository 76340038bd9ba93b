/*
 * Verification of an export: the entries in order, each leaf, the tree against the heads that the roll has as
 * they come by, the end; then the two books. The states are those of verify_state.c, the roll is
 * verify_roll.c's. Never stops at a finding, but where the form is lost. One thread.
 */
#include "ledger_export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "entry.h"
#include "verify.h"

enum { ARENA_BYTES = 8 << 20 };

struct reach;
struct walk {
    struct verify v;
    const struct ledger_export_file *file;
    const struct ledger_verify_export *how;
    struct view rest;
    struct reach *heads; /* by size */
    size_t head;         /* the next that was not reached */
};

static size_t at(const struct walk *w)
{
    return (size_t)(w->rest.p - w->file->file.p);
}

/* A head of the roll, to be looked at when the log has come to its size. */
struct reach {
    const struct ledger_export_head *head;
    bool bad; /* of another tree, or never reached */
};

static int by_size(const void *a, const void *b)
{
    const struct reach *x = a, *y = b;
    return x->head->size < y->head->size ? -1 : x->head->size > y->head->size;
}

static void order_heads(struct walk *w)
{
    w->heads = calloc(w->how->heads_n + 1, sizeof *w->heads);
    CHECK(w->heads);
    for (size_t i = 0; i < w->how->heads_n; i++)
        w->heads[i] = (struct reach){&w->how->heads[i], true};
    qsort(w->heads, w->how->heads_n, sizeof *w->heads, by_size);
}

/* Those over as many entries as there are now. */
static void check_reached(struct walk *w)
{
    uint8_t root[SHA256_BYTES];
    for (; w->head < w->how->heads_n && w->heads[w->head].head->size <= w->v.tree.n; w->head++) {
        tree_root(&w->v.tree, root);
        w->heads[w->head].bad = memcmp(root, w->heads[w->head].head->root, sizeof(root)) != 0;
    }
}

/* But for those over entries whose loss was accepted. */
static void report_heads(struct walk *w)
{
    for (size_t i = 0; i < w->how->heads_n; i++) {
        const struct ledger_export_head *h = w->heads[i].head;
        if (!w->heads[i].bad || (h->n < w->v.accepted_n && h->size > w->v.lost_after))
            continue;
        if (h->size > w->v.tree.n)
            verify_found(&w->v, 0,
                         "seal %" PRIu64 " is a head over %" PRIu64 " entries, the log ends at %" PRIu64
                         ": it was taken back",
                         h->n, h->size, w->v.tree.n);
        else
            verify_found(&w->v, h->size,
                         "seal %" PRIu64 " is a head over the entries up to this one, but of another tree",
                         h->n);
    }
}

/* The ledger's book of heads against the roll's: where both have one of this number it is the same. */
static void check_heads(struct walk *w)
{
    struct verify_head *mine = w->v.heads.items;
    const struct ledger_export_head *h = w->how->heads;
    for (size_t i = 0, k = 0; i < w->v.heads.n; i++) {
        while (k < w->how->heads_n && h[k].n < mine[i].n)
            k++;
        if (k == w->how->heads_n || h[k].n != mine[i].n)
            continue;
        mine[i].sealed = true;
        if (h[k].size != mine[i].size || memcmp(h[k].root, mine[i].root, SHA256_BYTES) != 0)
            verify_found(&w->v, mine[i].seq, "the head with seal %" PRIu64 " is another in the roll",
                         mine[i].n);
    }
}

static void on_entry(struct walk *w, uint64_t place, struct view leaf, struct view value)
{
    struct ledger_entry en;
    struct err *e = entry_read(value, w->v.arena, &en);
    if (e) {
        verify_found(&w->v, place, "%s", err_detail(e));
        err_free(e);
        return;
    }
    if (!view_eq(leaf, view_of(en.leaf, SHA256_BYTES)))
        verify_found(&w->v, place, "the header does not have the leaf hash it was written with");
    if (en.seq != place)
        verify_found(&w->v, place, "the entry says it is number %" PRIu64, en.seq);
    if (en.time_ms < w->v.last_time_ms)
        verify_found(&w->v, place, "it is older than the entry before it");
    en.seq = place;
    w->v.last_time_ms = en.time_ms;
    verify_state(&w->v, &en);
    if (w->how->on_entry)
        w->how->on_entry(w->v.how->arg, &en);
}

/* One entry off the front; an error is where the form is lost. */
static struct err *take_entry(struct walk *w)
{
    struct err *e = NULL;
    struct view rest = w->rest, body, leaf, value;
    TRY(der_read(&rest, DER_SEQUENCE, &body));
    TRY(der_read(&body, DER_OCTET_STRING, &leaf));
    TRY(der_read_whole(&body, DER_SEQUENCE, &value));
    TRY(der_end(body));
    if (leaf.n != SHA256_BYTES)
        return err_new(ERR_CORRUPT, "a leaf of %zu octets", leaf.n);
    arena_reset(w->v.arena);
    check_reached(w);
    tree_add(&w->v.tree, leaf.p);
    on_entry(w, w->v.tree.n, leaf, value);
    w->rest = rest;
out:
    return e;
}

static struct err *take_end(struct walk *w)
{
    struct err *e = NULL;
    struct view body, root, hash;
    uint64_t entries;
    uint8_t have[SHA256_BYTES];
    digest_sha256(view_of(w->file->file.p, at(w)), have);
    TRY(der_read(&w->rest, DER_SEQUENCE, &body));
    TRY(der_end(w->rest));
    TRY(der_read_uint(&body, INT64_MAX, &entries));
    TRY(der_read(&body, DER_OCTET_STRING, &root));
    TRY(der_read(&body, DER_OCTET_STRING, &hash));
    TRY(der_end(body));
    if (entries != w->v.tree.n)
        verify_found(&w->v, 0, "the export's end speaks of %" PRIu64 " entries", entries);
    if (!view_eq(root, view_of(w->v.report->root, SHA256_BYTES)))
        verify_found(&w->v, 0, "the tree over all entries is not that of the export's end");
    if (!view_eq(hash, view_of(have, sizeof(have))))
        verify_found(&w->v, 0, "the octets of the export are not those that were written");
out:
    return e;
}

static void walk(struct walk *w)
{
    struct err *e = NULL;
    size_t before = at(w);
    while (!e && w->v.tree.n < w->file->entries) {
        before = at(w);
        e = take_entry(w);
    }
    check_reached(w);
    w->v.report->entries = w->v.tree.n;
    tree_root(&w->v.tree, w->v.report->root);
    if (!e) {
        before = at(w);
        e = take_end(w);
    }
    if (e)
        verify_found(&w->v, w->v.tree.n < w->file->entries ? w->v.tree.n + 1 : 0,
                     "the export cannot be read from octet %zu on: %s", before, err_detail(e));
    err_free(e);
}

struct err *ledger_verify_export(const struct ledger_export_file *f, const struct ledger_verify_export *how,
                                 struct ledger_verify_report *ret)
{
    struct err *e = NULL;
    struct walk w = {.v = {.how = &how->how, .report = ret}, .file = f, .how = how, .rest = f->rest};
    *ret = (struct ledger_verify_report){0};
    w.v.arena = arena_new(ARENA_BYTES);
    order_heads(&w);
    walk(&w);
    report_heads(&w);
    check_heads(&w);
    TRY(verify_roll(&w.v));
out:
    free(w.heads);
    verify_free(&w.v);
    return e;
}
