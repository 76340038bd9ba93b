/*
 * The rules of an intent: its idempotency key, its token's uses, its serial, and the rows it begins with.
 * Changes the store only in apply. On the writer's thread.
 */
#include "entry.h"
#include "write.h"

enum { FORGET_AT_ONCE = 16 };

/* A key stands for 24 hours, and as long as its intent was not closed without a certificate. */
static struct err *check_idempotency(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    const struct ledger_intent *in = &a->entry.body.intent;
    struct idem_row row;
    struct cert_row cert;
    struct ledger_entry earlier;
    bool found;
    if (in->idempotency.n == 0)
        return NULL;
    TRY(ROW_GET(w->ops, w->txn, TABLE_IDEM, in->idempotency, &row, &found));
    if (!found || row.expires <= write_now_s(w))
        return NULL;
    struct key k = key_seq(row.intent);
    TRY(ROW_GET(w->ops, w->txn, TABLE_CERT, key_view(&k), &cert, &found));
    TRY(core_entry(w->ledger, w->txn, row.intent, a->arena, &earlier));
    a->result.outcome = LEDGER_REPLAYED;
    a->result.intent = row.intent;
    a->result.state = (enum ledger_state)cert.state;
    a->result.same_body = view_eq(earlier.body.intent.request_hash, in->request_hash);
out:
    return e;
}

static struct err *check_token(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct token_row row;
    bool found;
    if (a->entry.body.intent.token.n == 0)
        return NULL;
    TRY(ROW_GET(w->ops, w->txn, TABLE_TOKEN, a->entry.body.intent.token, &row, &found));
    if (!found || row.revoked_at != 0)
        a->item.error =
            err_new(ERR_UNAUTHENTICATED, "the bearer token %s", found ? "was revoked" : "is not known");
    else if (row.expires != 0 && row.expires <= write_now_s(w))
        a->item.error = err_new(ERR_TOKEN_EXPIRED, "the bearer token has expired");
    else if (row.uses != 0 && row.used >= row.uses)
        a->item.error = err_new(ERR_TOKEN_USED, "all %llu uses of the bearer token are taken",
                                (unsigned long long)row.uses);
out:
    return e;
}

static struct err *check_serial(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct view v;
    struct key k = key_serial(a->entry.issuer, a->entry.serial);
    TRY(w->ops->get(w->txn, TABLE_SERIAL, key_view(&k), &v));
    if (v.p)
        a->item.error = err_new(ERR_SERIAL, "this serial stands in the ledger already");
out:
    return e;
}

struct err *write_intent_check(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    a->partition = a->entry.body.intent.partition;
    TRY(check_idempotency(w, a));
    if (a->result.outcome != LEDGER_WRITTEN)
        return NULL;
    TRY(check_serial(w, a));
    if (!a->item.error)
        TRY(check_token(w, a));
out:
    return e;
}

struct err *write_mark(struct write *w, enum table table, uint64_t seq)
{
    struct key k = key_seq(seq);
    return w->ops->put(w->txn, table, key_view(&k), (struct view){(const uint8_t *)"", 0}, STORE_PUT);
}

static struct err *put_rows(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    uint64_t seq = a->entry.seq;
    struct key mine = key_seq(seq), serial = key_serial(a->entry.issuer, a->entry.serial);
    struct cert_row cert = {.state = LEDGER_STATE_OPEN, .not_after = a->entry.body.intent.not_after};
    struct seq_row row = {seq};
    TRY(ROW_PUT(w->ops, w->txn, TABLE_CERT, key_view(&mine), &cert, STORE_PUT_LAST));
    TRY(write_mark(w, TABLE_OPEN, seq));
    TRY(ROW_PUT(w->ops, w->txn, TABLE_SERIAL, key_view(&serial), &row, STORE_PUT));
    TRY(write_issuer_seen(w, a->entry.issuer));
    TRY(write_partition(w, a));
    TRY(write_tags_put(w, seq, seq, &a->entry.body.intent.tags));
out:
    return e;
}

static struct err *put_idempotency(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    const struct ledger_intent *in = &a->entry.body.intent;
    if (in->idempotency.n == 0)
        return NULL;
    int64_t expires = write_now_s(w) + CORE_IDEMPOTENCY_S;
    struct idem_row row = {a->entry.seq, expires};
    struct key old = key_seq((uint64_t)expires);
    key_add_seq(&old, a->entry.seq);
    TRY(ROW_PUT(w->ops, w->txn, TABLE_IDEM, in->idempotency, &row, STORE_PUT));
    TRY(w->ops->put(w->txn, TABLE_IDEM_OLD, key_view(&old), in->idempotency, STORE_PUT));
out:
    return e;
}

/* by: 1 takes a use, -1 gives it back. */
static struct err *count_use(struct write *w, struct view token, int by)
{
    struct err *e = NULL;
    struct token_row row;
    bool found;
    if (token.n == 0)
        return NULL;
    TRY(ROW_GET(w->ops, w->txn, TABLE_TOKEN, token, &row, &found));
    if (!found || (by < 0 && row.used == 0))
        return err_new(ERR_CORRUPT, "index token does not know a token that an intent counts");
    row.used = by < 0 ? row.used - 1 : row.used + 1;
    TRY(ROW_PUT(w->ops, w->txn, TABLE_TOKEN, token, &row, STORE_PUT));
out:
    return e;
}

struct err *write_intent_apply(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    TRY(put_rows(w, a));
    TRY(put_idempotency(w, a));
    TRY(count_use(w, a->entry.body.intent.token, 1));
out:
    return e;
}

struct err *write_intent_give_back(struct write *w, uint64_t seq, const struct ledger_intent *intent)
{
    struct err *e = NULL;
    struct idem_row row;
    bool found;
    TRY(count_use(w, intent->token, -1));
    if (intent->idempotency.n == 0)
        return NULL;
    TRY(ROW_GET(w->ops, w->txn, TABLE_IDEM, intent->idempotency, &row, &found));
    if (found && row.intent == seq)
        TRY(w->ops->del(w->txn, TABLE_IDEM, intent->idempotency));
out:
    return e;
}

/* The oldest mark, where its time has come. key and hash live until the store changes: so they are copied. */
static struct err *oldest(struct write *w, struct key *ret_key, struct key *ret_hash, bool *ret_found)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key, hash;
    TRY(w->ops->cursor(w->txn, TABLE_IDEM_OLD, &c));
    TRY(w->ops->move(c, STORE_FIRST, &key, &hash, ret_found));
    if (!*ret_found)
        goto out;
    *ret_found = key.n == 16 && hash.n == SHA256_BYTES && (int64_t)be64_get(key.p) <= write_now_s(w);
    if (!*ret_found)
        goto out;
    *ret_key = key_bytes(key);
    *ret_hash = key_bytes(hash);
out:
    w->ops->cursor_free(c);
    return e;
}

struct err *write_intent_forget(struct write *w)
{
    struct err *e = NULL;
    for (int i = 0; i < FORGET_AT_ONCE; i++) {
        struct key key, hash;
        struct idem_row row;
        bool found;
        TRY(oldest(w, &key, &hash, &found));
        if (!found)
            break;
        TRY(ROW_GET(w->ops, w->txn, TABLE_IDEM, key_view(&hash), &row, &found));
        if (found && row.intent == key_last_seq(key_view(&key)))
            TRY(w->ops->del(w->txn, TABLE_IDEM, key_view(&hash)));
        TRY(w->ops->del(w->txn, TABLE_IDEM_OLD, key_view(&key)));
    }
out:
    return e;
}
