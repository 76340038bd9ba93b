/*
 * bench_fill: puts N certificates into the ledger of an authority that is not running, entries, tree and
 * indexes as its own writer would have put them, but without signing, syncing and indexing one by one.
 * Nothing of it was sealed: fill_cert.h says how that shows. An interrupted run leaves a ledger to be thrown
 * away. One thread.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/world.h"
#include "cert/crl.h"
#include "entry.h"
#include "fill_cert.h"
#include "fill_pile.h"
#include "pace.h"
#include "tiles.h"

enum { AT_ONCE = 20000, ARENA_BYTES = 1 << 20 };

struct options {
    const char *ledger, *template;
    uint64_t count, revoked;
};

struct fill {
    const struct options *o;
    struct ledger *ledger;
    const struct ledger_cert *model;
    struct fill_maker maker;
    struct store_txn *txn;
    struct tree tree;
    int64_t now_ms, began_ns;
    uint64_t chunk_seq, made, revoked;
    struct arena *arena; /* of the entry in hand */
    uint8_t fingerprint[SHA256_BYTES];
    struct pile serial, gone;
};

static void must(struct err *e)
{
    if (e)
        pace_die("%s", err_detail(e));
}

/* --- entries --- */

static uint64_t put_entry(struct fill *f, struct ledger_entry *en)
{
    const struct store_ops *ops = f->ledger->ops;
    struct view body, value;
    uint8_t leaf[SHA256_BYTES];
    arena_reset(f->arena);
    en->seq = f->tree.n + 1;
    en->time_ms = f->now_ms;
    en->actor = en->door = "fill";
    must(entry_body_write(en, f->arena, &body));
    must(entry_write(en, body, f->arena, &value, leaf));
    struct key k = key_seq(en->seq);
    must(ops->put(f->txn, TABLE_LOG, key_view(&k), value, STORE_PUT_LAST));
    must(ops->put(f->txn, TABLE_LEAF, key_view(&k), view_of(leaf, sizeof leaf), STORE_PUT_LAST));
    must(tiles_add(ops, f->txn, &f->tree, leaf));
    memcpy(en->leaf, leaf, sizeof leaf);
    finder_add(f->ledger->finder, en, en->kind == LEDGER_RECORD ? f->fingerprint : NULL);
    return en->seq;
}

static uint64_t put_intent(struct fill *f, const struct fill_cert *c)
{
    const char *const names[] = {c->name};
    char subject[FILL_NAME_BYTES + 4];
    snprintf(subject, sizeof subject, "CN=%s", strchr(c->name, ':') + 1);
    struct ledger_entry en = {.kind = LEDGER_INTENT,
                              .issuer = f->model->issuer,
                              .serial = view_of(c->serial, SERIAL_BYTES),
                              .body.intent = {.template = f->model->decision.template,
                                              .generation = f->model->decision.generation,
                                              .names = {1, names},
                                              .subject = subject,
                                              .not_before = c->not_before,
                                              .not_after = c->not_after,
                                              .spki_sha256 = view_of(c->spki_sha256, SHA256_BYTES),
                                              .tbs = c->tbs}};
    return put_entry(f, &en);
}

static uint64_t put_record(struct fill *f, const struct fill_cert *c, uint64_t intent)
{
    struct ledger_entry whole = {.body.intent.tbs = c->tbs};
    core_fingerprint(&whole, c->signature, f->arena, f->fingerprint);
    struct ledger_entry en = {.kind = LEDGER_RECORD,
                              .ref = intent,
                              .issuer = f->model->issuer,
                              .serial = view_of(c->serial, SERIAL_BYTES),
                              .body.record = {.alg = "ecdsa-sha256", .signature = c->signature}};
    return put_entry(f, &en);
}

static void put_revoke(struct fill *f, const struct fill_cert *c, struct cert_row *row, uint64_t intent)
{
    static const unsigned reasons[] = {0, 4, 5, 3};
    row->state = LEDGER_STATE_REVOKED;
    row->reason = reasons[f->revoked++ % 4];
    row->revoked_at = f->now_ms / 1000;
    struct ledger_entry en = {.kind = LEDGER_REVOKE,
                              .ref = intent,
                              .issuer = f->model->issuer,
                              .serial = view_of(c->serial, SERIAL_BYTES),
                              .body.revoke = {.reason = row->reason}};
    row->end = put_entry(f, &en);
    struct revoked_row gone = {.at = row->revoked_at,
                               .reason = row->reason,
                               .not_after = row->not_after,
                               .intent = intent,
                               .end = row->end};
    struct row_bytes b = rows_pack(&gone, sizeof gone);
    struct key k = key_seq(intent);
    must(f->ledger->ops->put(f->txn, TABLE_GONE, key_view(&k), view_of("", 0), STORE_PUT_LAST));
    uint8_t *item = pile_add(&f->gone);
    memcpy(item, c->serial, SERIAL_BYTES);
    memcpy(item + SERIAL_BYTES, b.b, b.n);
}

/* --- indexes --- */

static void add_serial(struct fill *f, const struct fill_cert *c, uint64_t seq)
{
    uint8_t *item = pile_add(&f->serial);
    memcpy(item, c->serial, SERIAL_BYTES);
    be64_put(item + SERIAL_BYTES, seq);
}

static void open_piles(struct fill *f)
{
    struct key serials = key_serial(f->model->issuer, (struct view){NULL, 0});
    f->serial = pile_new(TABLE_SERIAL, serials, SERIAL_BYTES, 8);
    f->gone = pile_new(TABLE_REVOKED, serials, SERIAL_BYTES, sizeof(struct revoked_row));
}

static void put_piles(struct fill *f)
{
    struct pile *all[] = {&f->serial, &f->gone};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        fprintf(stderr, "index %s\n", rows_tables[all[i]->table]);
        pile_put(all[i], f->ledger);
    }
    fprintf(stderr, "index of files\n");
    must(finder_settle(f->ledger->finder));
}

/* --- the run --- */

static void begin(struct fill *f)
{
    int64_t now_ms = world_now_ms();
    f->now_ms = now_ms > f->now_ms ? now_ms : f->now_ms + 1;
    f->chunk_seq = f->tree.n + 1;
    must(f->ledger->ops->begin(f->ledger->store, true, &f->txn));
}

static void commit(struct fill *f)
{
    const struct store_ops *ops = f->ledger->ops;
    uint8_t tree[TREE_BYTES_MAX];
    struct seq_row time = {(uint64_t)f->now_ms}, first = {f->chunk_seq};
    struct key at = key_seq((uint64_t)f->now_ms);
    must(ops->put(f->txn, TABLE_META, view_str("tree"), view_of(tree, tree_put(&f->tree, tree)), STORE_PUT));
    must(ROW_PUT(ops, f->txn, TABLE_META, view_str("time"), &time, STORE_PUT));
    must(ROW_PUT(ops, f->txn, TABLE_TIME, key_view(&at), &first, STORE_PUT));
    must(ops->commit(f->txn));
    double s = (double)(pace_ns() - f->began_ns) / 1e9;
    fprintf(stderr, "%llu certificates, %.0f a second\n", (unsigned long long)f->made, (double)f->made / s);
}

static void mark(struct fill *f)
{
    struct ledger_entry en = {
        .kind = LEDGER_NOTE,
        .body.note = {
            .what =
                "filled for measuring: what follows was never sealed; it is signed with the private key 1",
            .number = f->o->count}};
    put_entry(f, &en);
}

/* Every so manieth is revoked, so that they lie all over. */
static bool is_to_go(const struct fill *f)
{
    return f->made * f->o->revoked / f->o->count != (f->made + 1) * f->o->revoked / f->o->count;
}

static void put_one(struct fill *f)
{
    struct fill_cert c;
    fill_make(&f->maker, &c);
    uint64_t seq = put_intent(f, &c);
    struct cert_row row = {.state = LEDGER_STATE_RECORDED, .not_after = c.not_after};
    row.record = put_record(f, &c, seq);
    if (is_to_go(f))
        put_revoke(f, &c, &row, seq);
    struct key k = key_seq(seq);
    must(ROW_PUT(f->ledger->ops, f->txn, TABLE_CERT, key_view(&k), &row, STORE_PUT_LAST));
    add_serial(f, &c, seq);
    f->made++;
}

static void run(struct fill *f)
{
    open_piles(f);
    begin(f);
    mark(f);
    while (f->made < f->o->count) {
        put_one(f);
        if (f->made % AT_ONCE != 0)
            continue;
        commit(f);
        begin(f);
    }
    commit(f);
    put_piles(f);
}

/* --- opening --- */

static const struct ledger_cert *find_model(struct ledger *l, const char *template, struct arena *arena)
{
    struct ledger_query q = {.template = template, .limit = 1, .status = LEDGER_ANY};
    struct ledger_page page;
    do {
        must(ledger_search(l, &q, arena, &page));
        q.cursor = page.next;
    } while (page.n == 0 && page.next);
    if (page.n == 0)
        pace_die("no certificate of template '%s' is on record to make others like it: issue one first",
                 template);
    return &page.certs[0];
}

static void fill(const struct options *o)
{
    struct fill f = {.o = o, .arena = arena_new(ARENA_BYTES), .began_ns = pace_ns()};
    struct arena *kept = arena_new(16 << 20);
    struct store_txn *t;
    must(core_open(&store_lmdb, o->ledger, NULL, NULL, &f.ledger));
    must(f.ledger->ops->begin(f.ledger->store, false, &t));
    must(core_state(f.ledger, t, &f.tree, &f.now_ms));
    f.ledger->ops->abort(t);
    f.model = find_model(f.ledger, o->template, kept);
    fill_maker_open(&f.maker, f.model);
    run(&f);
    fill_maker_close(&f.maker);
    ledger_close(f.ledger);
    arena_free(kept);
    arena_free(f.arena);
}

static uint64_t number(const char *text)
{
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    if (errno || *end || !*text || n > 1000000000)
        pace_die("%s: not a number up to a thousand millions", text);
    return n;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"ledger", required_argument, NULL, 'l'},
                                          {"template", required_argument, NULL, 't'},
                                          {"revoked", required_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    struct options o = {.template = "server"};
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == '?')
            return 2;
        if (c == 'l')
            o.ledger = optarg;
        if (c == 't')
            o.template = optarg;
        if (c == 'r')
            o.revoked = number(optarg);
    }
    if (!o.ledger || optind + 1 != argc)
        pace_die("usage: bench_fill --ledger DIR [--template NAME] [--revoked M] N");
    o.count = number(argv[optind]);
    if (o.count == 0 || o.revoked > o.count)
        pace_die("N is at least 1, and at most N can be revoked");
    fill(&o);
    return 0;
}
