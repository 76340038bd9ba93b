/*
 * Searching certificates: the narrowest index is walked backwards, which is newest first, and each one is
 * held against all conditions. A call looks at a bounded number and gives a cursor where it stopped: the key
 * it looked at last. Never trusts a cursor: it only says where to go on within what the query allows anyway.
 * On the loop's thread.
 */
#include "base/check.h"
#include "base/hex.h"
#include "entry.h"
#include "read.h"

enum { LIMIT_DEFAULT = 100, CURSOR_TEXT_BYTES = 1024, SCRATCH_BYTES = 4 << 20 };

struct search {
    struct ledger *ledger;
    const struct ledger_query *q;
    struct arena *arena;
    struct arena
        *scratch; /* of the certificate that is looked at: what does not fit costs the caller nothing */
    struct store_txn *txn;
    struct store_cursor *cursor;
    enum table table;
    struct key prefix;
    size_t limit, looked, bytes, n;
    struct ledger_cert *certs;
};

static void choose_index(struct search *s)
{
    const struct ledger_query *q = s->q;
    s->table = TABLE_CERT;
    if (q->name || q->under) {
        s->table = TABLE_NAME;
        s->prefix = q->name ? key_name(q->name) : key_under(q->under);
    } else if (q->spki_sha256.n > 0) {
        s->table = TABLE_SPKI;
        s->prefix = key_bytes(q->spki_sha256);
    } else if (q->actor) {
        s->table = TABLE_ACTOR;
        s->prefix = key_text(q->actor);
    }
}

/* --- cursors: base64url over the table's number and the key --- */

static struct err *cursor_bad(void)
{
    return err_at(err_new(ERR_BAD_FIELD, "not a cursor of this search"), "/cursor");
}

static struct err *cursor_read(const struct search *s, const char *text, struct key *ret)
{
    struct view bytes;
    if (strnlen(text, CURSOR_TEXT_BYTES) == CURSOR_TEXT_BYTES)
        return cursor_bad();
    struct err *e = base64url_parse(s->arena, view_str(text), &bytes);
    if (e) {
        err_free(e);
        return cursor_bad();
    }
    if (bytes.n < 1 + KEY_SEQ_BYTES || bytes.n > KEY_BYTES || bytes.p[0] != s->table ||
        !view_starts(view_from(bytes, 1), key_view(&s->prefix)))
        return cursor_bad();
    *ret = key_bytes(view_from(bytes, 1));
    return NULL;
}

static const char *cursor_write(const struct search *s, struct view key)
{
    uint8_t b[1 + KEY_BYTES];
    CHECK(key.n <= KEY_BYTES);
    b[0] = (uint8_t)s->table;
    memcpy(b + 1, key.p, key.n);
    return base64url_of(s->arena, view_of(b, 1 + key.n));
}

/* --- conditions --- */

static bool state_fits(const struct ledger_query *q, const struct cert_row *row)
{
    bool recorded = row->state == LEDGER_STATE_RECORDED;
    bool revoked = row->state == LEDGER_STATE_REVOKED || row->state == LEDGER_STATE_SEALED_LOST;
    switch (q->status) {
    case LEDGER_ANY:
        return recorded || revoked;
    case LEDGER_VALID:
        return recorded && row->not_after >= q->now;
    case LEDGER_EXPIRED:
        return (recorded || revoked) && row->not_after < q->now;
    case LEDGER_IS_REVOKED:
        return revoked;
    }
    return false;
}

static bool row_fits(const struct ledger_query *q, const struct cert_row *row)
{
    if (q->not_after_from != 0 && row->not_after < q->not_after_from)
        return false;
    if (q->not_after_till != 0 && row->not_after > q->not_after_till)
        return false;
    return state_fits(q, row);
}

/* `under` "dns:a.b": that name, or one that ends in ".a.b". */
static bool lies_under(const char *name, const char *under)
{
    const char *kind = strchr(under, ':');
    size_t at = kind ? (size_t)(kind - under) + 1 : 0;
    size_t n = strlen(name), tail = strlen(under + at);
    if (strncmp(name, under, at) != 0 || n < at + tail || memcmp(name + n - tail, under + at, tail) != 0)
        return false;
    return tail == 0 || n == at + tail || name[n - tail - 1] == '.';
}

/* A certificate with several names under the domain is shown once: at the key that the walk meets first. */
static bool under_fits(const struct search *s, const struct ledger_texts *names, struct view key)
{
    struct view here = view_of(key.p, key.n - KEY_SEQ_BYTES);
    bool here_lies = false;
    for (size_t i = 0; i < names->n; i++) {
        if (!lies_under(names->items[i], s->q->under))
            continue;
        struct key k = key_name(names->items[i]);
        if (view_cmp(key_view(&k), here) > 0)
            return false;
        here_lies = here_lies || view_eq(key_view(&k), here);
    }
    return here_lies;
}

static bool name_fits(const struct search *s, const struct ledger_texts *names, struct view key)
{
    if (!s->q->name)
        return !s->q->under || under_fits(s, names, key);
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], s->q->name) == 0)
            return !s->q->under || lies_under(s->q->name, s->q->under);
    return false;
}

static bool cert_fits(const struct search *s, const struct ledger_cert *cert, struct view key)
{
    const struct ledger_query *q = s->q;
    if (q->issuer && strcmp(cert->issuer, q->issuer) != 0)
        return false;
    if (q->actor && strcmp(cert->actor, q->actor) != 0)
        return false;
    if (q->template && strcmp(cert->decision.template, q->template) != 0)
        return false;
    if (q->spki_sha256.n > 0 && !view_eq(cert->decision.spki_sha256, q->spki_sha256))
        return false;
    return name_fits(s, &cert->decision.names, key);
}

static struct err *look_at(struct search *s, struct view key)
{
    struct err *e = NULL;
    struct cert_row row;
    uint64_t intent = key_last_seq(key);
    s->looked++;
    TRY(read_row(s->ledger, s->txn, intent, &row));
    if (!row_fits(s->q, &row))
        return NULL;
    struct ledger_cert cert;
    arena_reset(s->scratch);
    TRY(read_cert(s->ledger, s->txn, intent, s->scratch, &cert));
    if (!cert_fits(s, &cert, key))
        return NULL;
    TRY(read_cert(s->ledger, s->txn, intent, s->arena, &s->certs[s->n++]));
    s->bytes += cert.decision.tbs.n + cert.seal.signature.n + 1024;
out:
    return e;
}

/* --- the walk --- */

/* To the last key below `upper`; without one, to the last of all. */
static struct err *go_below(struct store_cursor *c, const struct store_ops *ops, const struct key *upper,
                            struct view *key, bool *ret_found)
{
    struct err *e = NULL;
    struct view value;
    bool found = false;
    if (upper) {
        *key = key_view(upper);
        TRY(ops->move(c, STORE_AT_OR_AFTER, key, &value, &found));
    }
    TRY(ops->move(c, found ? STORE_PREV : STORE_LAST, key, &value, ret_found));
out:
    return e;
}

static struct err *walk(struct search *s, struct ledger_page *ret)
{
    struct err *e = NULL;
    const struct store_ops *ops = s->ledger->ops;
    struct key upper = s->prefix;
    struct view key, value, last = {NULL, 0};
    bool found;
    bool bound = key_after_prefix(&upper);
    if (s->q->cursor) {
        TRY(cursor_read(s, s->q->cursor, &upper));
        bound = true;
    }
    TRY(ops->cursor(s->txn, s->table, &s->cursor));
    TRY(go_below(s->cursor, ops, bound ? &upper : NULL, &key, &found));
    while (found && view_starts(key, key_view(&s->prefix))) {
        if (s->n == s->limit || s->looked == READ_LOOK_MAX || s->bytes >= READ_PAGE_BYTES) {
            ret->next = cursor_write(s, last);
            break;
        }
        last = key;
        TRY(look_at(s, key));
        TRY(ops->move(s->cursor, STORE_PREV, &key, &value, &found));
    }
    ret->certs = s->certs;
    ret->n = s->n;
out:
    return e;
}

static struct err *check_query(const struct ledger_query *q)
{
    if (q->spki_sha256.n != 0 && q->spki_sha256.n != SHA256_BYTES)
        return err_at(err_new(ERR_BAD_FIELD, "not a SHA-256 hash"), "/spki_sha256");
    if ((q->name && !strchr(q->name, ':')) || (q->under && !strchr(q->under, ':')))
        return err_at(err_new(ERR_BAD_FIELD, "a name is written KIND:VALUE, as in dns:www.example.internal"),
                      q->name ? "/name" : "/under");
    return NULL;
}

struct err *ledger_search(struct ledger *l, const struct ledger_query *q, struct arena *arena,
                          struct ledger_page *ret)
{
    struct err *e = NULL;
    struct search s = {.ledger = l, .q = q, .arena = arena};
    struct ledger_page page = {0};
    TRY(check_query(q));
    s.limit = q->limit == 0 ? LIMIT_DEFAULT : q->limit > READ_PAGE_MAX ? READ_PAGE_MAX : q->limit;
    s.certs = arena_array(arena, s.limit, sizeof(*s.certs));
    s.scratch = arena_new(SCRATCH_BYTES);
    choose_index(&s);
    TRY(l->ops->begin(l->store, false, &s.txn));
    TRY(walk(&s, &page));
    *ret = page;
out:
    l->ops->cursor_free(s.cursor);
    l->ops->abort(s.txn);
    arena_free(s.scratch);
    return e;
}

/* --- forward walks over one table whose keys end in the intent's seq --- */

struct forward {
    struct ledger *ledger;
    enum table table;
    struct key from;
    uint64_t till; /* of the key's first number, included */
    enum ledger_state state;
    size_t limit;
};

static struct err *walk_forward(const struct forward *f, struct store_txn *t, struct store_cursor *c,
                                struct arena *arena, struct ledger_page *page)
{
    struct err *e = NULL;
    struct view key = key_view(&f->from), value;
    struct ledger_cert *certs = arena_array(arena, f->limit, sizeof(*certs));
    size_t bytes = 0, n = 0;
    bool found;
    TRY(f->ledger->ops->move(c, STORE_AT_OR_AFTER, &key, &value, &found));
    while (found && n < f->limit && bytes < READ_PAGE_BYTES && key.n >= 8 && be64_get(key.p) <= f->till) {
        struct cert_row row;
        TRY(read_row(f->ledger, t, key_last_seq(key), &row));
        if (row.state == f->state) {
            TRY(read_cert(f->ledger, t, key_last_seq(key), arena, &certs[n]));
            bytes += certs[n++].decision.tbs.n + 1024;
        }
        TRY(f->ledger->ops->move(c, STORE_NEXT, &key, &value, &found));
    }
    *page = (struct ledger_page){.certs = certs, .n = n};
out:
    return e;
}

static struct err *forward(const struct forward *f, struct arena *arena, struct ledger_page *ret)
{
    struct err *e = NULL;
    const struct store_ops *ops = f->ledger->ops;
    struct store_txn *t = NULL;
    struct store_cursor *c = NULL;
    TRY(ops->begin(f->ledger->store, false, &t));
    TRY(ops->cursor(t, f->table, &c));
    TRY(walk_forward(f, t, c, arena, ret));
out:
    ops->cursor_free(c);
    ops->abort(t);
    return e;
}

static size_t bounded(size_t limit)
{
    return limit == 0 || limit > READ_PAGE_MAX ? READ_PAGE_MAX : limit;
}

struct err *ledger_lapsing(struct ledger *l, int64_t from, int64_t till, size_t limit, struct arena *arena,
                           struct ledger_page *ret)
{
    struct forward f = {.ledger = l,
                        .table = TABLE_NOT_AFTER,
                        .from = key_seq(from < 0 ? 0 : (uint64_t)from),
                        .till = till < 0 ? 0 : (uint64_t)till,
                        .state = LEDGER_STATE_RECORDED,
                        .limit = bounded(limit)};
    return forward(&f, arena, ret);
}

struct err *ledger_open_intents(struct ledger *l, uint64_t from, size_t limit, struct arena *arena,
                                struct ledger_page *ret)
{
    struct forward f = {.ledger = l,
                        .table = TABLE_OPEN,
                        .from = key_seq(from),
                        .till = UINT64_MAX,
                        .state = LEDGER_STATE_OPEN,
                        .limit = bounded(limit)};
    return forward(&f, arena, ret);
}
