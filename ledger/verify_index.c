/*
 * Verification: the indexes against the log. For each entry, that what leads to it is there and leads to it;
 * at the end, that each index has as many rows as it should and that the rows which change say what the log
 * says. Never trusts a row. One thread.
 */
#include <inttypes.h>

#include "base/check.h"
#include "entry.h"
#include "verify.h"

enum { KEY_COMPROMISE = 1 };

static struct err *expect(struct verify *v, uint64_t seq, enum table table, const struct key *key,
                          const void *row, size_t n)
{
    struct err *e = NULL;
    struct view have;
    struct row_bytes want = {0};
    if (n > 0)
        want = rows_pack(row, n);
    TRY(v->ledger->ops->get(v->txn, table, key_view(key), &have));
    if (!have.p)
        verify_found(v, seq, "index %s does not lead here", rows_tables[table]);
    else if (!view_eq(have, view_of(want.b, want.n)))
        verify_found(v, seq, "index %s does not say what the log says", rows_tables[table]);
out:
    return e;
}

static struct err *expect_mark(struct verify *v, uint64_t seq, enum table table, struct key key)
{
    key_add_seq(&key, seq);
    return expect(v, seq, table, &key, NULL, 0);
}

/* --- terms: the index of files and memory --- */

static void gather(void *arg, uint64_t term)
{
    struct verify *v = arg;
    CHECK(v->terms_n < VERIFY_TERMS);
    v->terms[v->terms_n++] = term;
}

static bool seen_before(const struct verify *v, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (v->terms[k] == v->terms[i])
            return true;
    return false;
}

/* That each of the gathered terms leads to this intent. */
static struct err *check_terms(struct verify *v, uint64_t intent, uint64_t seq)
{
    struct err *e = NULL;
    bool missed = false;
    for (size_t i = 0; i < v->terms_n; i++) {
        uint64_t first;
        if (seen_before(v, i))
            continue;
        TRY(finder_first(v->ledger->finder, v->terms[i], intent - 1, &first));
        missed = missed || first != intent;
        v->pairs++;
    }
    if (missed)
        verify_found(v, seq, "the index of files does not lead here (it may be removed: it is made again)");
out:
    v->terms_n = 0;
    return e;
}

/* The index was taken up when the ledger was opened; what came since is not in it. */
static bool indexed(const struct verify *v, uint64_t seq)
{
    return seq < finder_next_entry(v->ledger->finder);
}

static struct err *check_record(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    struct ledger_entry intent;
    uint8_t fingerprint[SHA256_BYTES];
    if (!indexed(v, en->seq))
        return NULL;
    TRY(core_entry(v->ledger, v->txn, en->ref, v->arena, &intent));
    core_fingerprint(&intent, en->body.record.signature, v->arena, fingerprint);
    gather(v, term_of(TERM_FINGERPRINT, view_of(fingerprint, sizeof(fingerprint))));
    TRY(check_terms(v, en->ref, en->seq));
out:
    return e;
}

static struct err *check_intent(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    struct key serial = key_serial(en->issuer, en->serial);
    struct seq_row row = {en->seq};
    TRY(expect(v, en->seq, TABLE_SERIAL, &serial, &row, sizeof(row)));
    if (!indexed(v, en->seq))
        return NULL;
    term_each(en, gather, v);
    TRY(check_terms(v, en->seq, en->seq));
out:
    return e;
}

static struct err *check_unrecorded(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    struct key serial = key_serial(en->issuer, en->serial);
    struct seq_row row = {en->seq};
    TRY(expect(v, en->seq, TABLE_SERIAL, &serial, &row, sizeof(row)));
    if (!indexed(v, en->seq))
        return NULL;
    term_each_unrecorded(en, gather, v);
    TRY(check_terms(v, en->seq, en->seq));
out:
    return e;
}

/* A key given up as compromised stays blocked, whatever comes after. */
static struct err *check_blocked(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    struct ledger_entry intent;
    struct seq_row row;
    bool found;
    if (en->body.revoke.reason != KEY_COMPROMISE)
        return NULL;
    TRY(core_entry(v->ledger, v->txn, en->ref, v->arena, &intent));
    if (intent.kind != LEDGER_INTENT)
        return NULL;
    TRY(ROW_GET(v->ledger->ops, v->txn, TABLE_BLOCKED, intent.body.intent.spki_sha256, &row, &found));
    if (!found || row.seq < en->seq)
        verify_found(v, en->seq, "index blocked does not know this key");
out:
    return e;
}

/* The first entry of each instant is led to by index time. */
static struct err *check_time(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    struct key k = key_seq((uint64_t)en->time_ms);
    struct seq_row row;
    bool found;
    if (en->seq > 1 && en->time_ms == v->last_time_ms)
        return NULL;
    TRY(ROW_GET(v->ledger->ops, v->txn, TABLE_TIME, key_view(&k), &row, &found));
    if (!found || row.seq > en->seq)
        verify_found(v, en->seq, "index time does not lead here");
out:
    return e;
}

static struct err *check_act(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    bool request = en->kind == LEDGER_ACT_REQUEST;
    struct key id = key_bytes(request ? en->body.act.id : view_of("", 0));
    struct seq_row row = {en->seq};
    if (request)
        TRY(expect(v, en->seq, TABLE_ACT, &id, &row, sizeof(row)));
    TRY(expect_mark(v, en->seq, TABLE_ACT_STEP, key_seq(request ? en->seq : en->ref)));
    v->acts += request;
    v->act_steps++;
out:
    return e;
}

static struct err *check_list(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_crl *crl = &en->body.crl;
    struct list_row row = {en->seq, crl->upto, crl->this_update, crl->next_update};
    struct key k = key_number(en->issuer, rows_scope(en));
    key_add_seq(&k, crl->number);
    return expect(v, en->seq, TABLE_LIST, &k, &row, sizeof(row));
}

/* What revokes, or lets go. */
static bool changes_status(const struct ledger_entry *en)
{
    if (en->kind == LEDGER_CLOSE)
        return en->body.close.reason == LEDGER_SEALED_LOST;
    return ledger_changes_status(en->kind);
}

static struct err *check_changed(struct verify *v, const struct ledger_entry *en)
{
    const struct verify_intent *in = verify_intent_at(v, en->ref);
    bool stray = en->kind == LEDGER_STRAY;
    if ((!in && !stray) || en->serial.n != SERIAL_BYTES)
        return NULL; /* a finding of its own */
    struct changed_row row = rows_changed(en->serial, stray ? 0 : in->partition);
    struct key k = key_number(en->issuer, en->seq);
    v->changed++;
    return expect(v, en->seq, TABLE_CHANGED, &k, &row, sizeof(row));
}

struct err *verify_index_entry(struct verify *v, const struct ledger_entry *en)
{
    struct err *e = NULL;
    TRY(check_time(v, en));
    if (en->kind == LEDGER_INTENT)
        TRY(check_intent(v, en));
    if (en->kind == LEDGER_RECORD)
        TRY(check_record(v, en));
    if (en->kind == LEDGER_UNRECORDED)
        TRY(check_unrecorded(v, en));
    if (en->kind == LEDGER_REVOKE)
        TRY(check_blocked(v, en));
    if (rows_is_object(en->kind))
        TRY(verify_object_entry(v, en));
    if (en->kind >= LEDGER_ACT_REQUEST && en->kind <= LEDGER_ACT_DONE)
        TRY(check_act(v, en));
    if (changes_status(en))
        TRY(check_changed(v, en));
    if (en->kind == LEDGER_CRL || en->kind == LEDGER_CRL_PART || en->kind == LEDGER_CRL_DELTA)
        TRY(check_list(v, en));
out:
    return e;
}

/* --- the rows that change --- */

static struct err *check_revoked(struct verify *v, const struct verify_intent *in)
{
    struct revoked_row row = {.at = in->revoked_at,
                              .reason = in->reason,
                              .invalidity = in->invalidity,
                              .not_after = in->not_after,
                              .intent = in->seq,
                              .end = in->end};
    const char *issuer = verify_issuers(v)[in->issuer].name;
    struct key k = key_serial(issuer, view_of(in->serial, SERIAL_BYTES));
    struct key part = key_number(issuer, in->partition);
    key_add(&part, view_of(in->serial, SERIAL_BYTES));
    struct err *e = expect(v, in->seq, TABLE_REVOKED, &k, &row, sizeof(row));
    return e ? e : expect(v, in->seq, TABLE_PART, &part, &row, sizeof(row));
}

/* A key of the last 24 hours whose intent was not closed leads to it. */
static struct err *check_key(struct verify *v, const struct verify_intent *in)
{
    struct err *e = NULL;
    struct ledger_entry en;
    int64_t expires = in->time_ms / 1000 + CORE_IDEMPOTENCY_S;
    if (!in->keyed || in->state == LEDGER_STATE_NEVER_SEALED || in->state == LEDGER_STATE_SEALED_LOST ||
        expires <= v->last_time_ms / 1000)
        return NULL;
    arena_reset(v->arena);
    TRY(core_entry(v->ledger, v->txn, in->seq, v->arena, &en));
    struct key k = key_bytes(en.body.intent.idempotency);
    struct idem_row row = {in->seq, expires};
    TRY(expect(v, in->seq, TABLE_IDEM, &k, &row, sizeof(row)));
out:
    return e;
}

/* All tags that it has lead to it; the counts say that no other does. */
static struct err *check_tags(struct verify *v, const struct verify_intent *in)
{
    struct err *e = NULL;
    struct ledger_texts tags;
    struct key mine = key_seq(in->seq);
    struct seq_row row = {in->tagged};
    if (!in->tagged)
        return NULL;
    arena_reset(v->arena);
    TRY(expect(v, in->seq, TABLE_TAGGED, &mine, &row, sizeof(row)));
    TRY(core_tags(v->ledger, v->txn, in->seq, v->arena, &tags));
    for (size_t i = 0; i < tags.n; i++)
        TRY(expect_mark(v, in->seq, TABLE_TAG, key_text(tags.items[i])));
    v->tags += tags.n;
    v->tagged++;
out:
    return e;
}

static struct err *check_cert(struct verify *v, const struct verify_intent *in, uint64_t *revoked)
{
    struct err *e = NULL;
    struct cert_row row = {in->state, in->reason, in->record, in->end, in->not_after, in->revoked_at};
    struct key k = key_seq(in->seq);
    TRY(expect(v, in->seq, TABLE_CERT, &k, &row, sizeof(row)));
    if (in->state == LEDGER_STATE_OPEN) {
        v->report->open++;
        TRY(expect_mark(v, in->seq, TABLE_OPEN, (struct key){0}));
    }
    if (in->state == LEDGER_STATE_REVOKED || in->state == LEDGER_STATE_SEALED_LOST) {
        ++*revoked;
        TRY(check_revoked(v, in));
        TRY(expect_mark(v, in->seq, TABLE_GONE, (struct key){0}));
    }
    TRY(check_key(v, in));
    TRY(check_tags(v, in));
out:
    return e;
}

static struct err *check_count(struct verify *v, enum table table, uint64_t want)
{
    struct err *e = NULL;
    uint64_t have;
    TRY(v->ledger->ops->count(v->txn, table, &have));
    if (have != want)
        verify_found(v, 0, "index %s has %" PRIu64 " rows, by the log it should have %" PRIu64,
                     rows_tables[table], have, want);
out:
    return e;
}

/* Each key that still stands belongs to an intent that was not closed, and will be forgotten. */
static struct err *check_idem_row(struct verify *v, struct view key, struct view value)
{
    struct err *e = NULL;
    struct idem_row row;
    struct ledger_entry en;
    TRY(rows_unpack(value, &row, sizeof(row), TABLE_IDEM));
    arena_reset(v->arena);
    TRY(core_entry(v->ledger, v->txn, row.intent, v->arena, &en));
    const struct verify_intent *in = verify_intent_at(v, row.intent);
    if (!in || !view_eq(en.body.intent.idempotency, key))
        verify_found(v, row.intent, "index idem leads here by a key that is not this entry's");
    else if (in->state == LEDGER_STATE_NEVER_SEALED || in->state == LEDGER_STATE_SEALED_LOST)
        verify_found(v, row.intent, "index idem leads to an intent that was closed");
    struct key old = key_seq((uint64_t)row.expires);
    struct view mark;
    key_add_seq(&old, row.intent);
    TRY(v->ledger->ops->get(v->txn, TABLE_IDEM_OLD, key_view(&old), &mark));
    if (!view_eq(mark, key))
        verify_found(v, row.intent, "index idem-old does not know this entry's key");
out:
    return e;
}

static struct err *check_idem(struct verify *v)
{
    struct err *e = NULL;
    const struct store_ops *ops = v->ledger->ops;
    struct store_cursor *c = NULL;
    struct view key, value;
    bool found;
    TRY(ops->cursor(v->txn, TABLE_IDEM, &c));
    TRY(ops->move(c, STORE_FIRST, &key, &value, &found));
    while (found) {
        TRY(verify_softly(v, 0, check_idem_row(v, key, value)));
        TRY(ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    ops->cursor_free(c);
    return e;
}

static struct err *check_partitions(struct verify *v)
{
    struct err *e = NULL;
    const struct verify_partition *all = v->partitions.items;
    for (size_t i = 0; i < v->partitions.n; i++) {
        struct key k = key_number(verify_issuers(v)[all[i].issuer].name, all[i].partition);
        TRY(expect(v, 0, TABLE_PARTITION, &k, &all[i].row, sizeof(all[i].row)));
    }
    TRY(check_count(v, TABLE_PARTITION, v->partitions.n));
out:
    return e;
}

static struct err *check_tokens_and_issuers(struct verify *v)
{
    struct err *e = NULL;
    for (size_t i = 0; i < v->tokens.n; i++) {
        const struct verify_token *t = &verify_tokens(v)[i];
        struct key k = key_bytes(view_of(t->id, SHA256_BYTES));
        TRY(expect(v, t->row.seq, TABLE_TOKEN, &k, &t->row, sizeof(t->row)));
    }
    for (size_t i = 0; i < v->issuers.n; i++) {
        const struct verify_issuer *s = &verify_issuers(v)[i];
        struct key k = key_bytes(view_str(s->name));
        TRY(expect(v, s->row.crl, TABLE_ISSUER, &k, &s->row, sizeof(s->row)));
    }
    TRY(check_count(v, TABLE_TOKEN, v->tokens.n));
    TRY(check_count(v, TABLE_ISSUER, v->issuers.n));
out:
    return e;
}

static struct err *check_templates(struct verify *v)
{
    struct err *e = NULL;
    uint64_t n = 0;
    for (size_t i = 0; i < v->templates.n; i++) {
        const struct verify_template *t = &verify_templates(v)[i];
        struct key k = key_bytes(view_str(t->name));
        n += t->row.seq != 0;
        if (t->row.seq != 0)
            TRY(expect(v, t->row.seq, TABLE_TEMPLATE, &k, &t->row, sizeof(t->row)));
    }
    TRY(check_count(v, TABLE_TEMPLATE, n));
out:
    return e;
}

struct err *verify_index_all(struct verify *v)
{
    struct err *e = NULL;
    uint64_t revoked = 0;
    for (size_t i = 0; i < v->intents.n; i++)
        TRY(verify_softly(v, verify_intents(v)[i].seq, check_cert(v, &verify_intents(v)[i], &revoked)));
    v->report->revoked = revoked;
    uint64_t restored;
    TRY(core_restored(v->ledger, v->txn, &restored));
    if (restored != v->restored)
        verify_found(v, 0, "whether a loss waits to be accepted is not stored as the log says");
    TRY(check_count(v, TABLE_LEAF, v->tree.n));
    TRY(check_count(v, TABLE_NODE, v->nodes));
    TRY(check_count(v, TABLE_CERT, v->intents.n));
    TRY(check_count(v, TABLE_SERIAL, v->intents.n));
    TRY(check_count(v, TABLE_TAG, v->tags));
    TRY(check_count(v, TABLE_TAGGED, v->tagged));
    TRY(check_count(v, TABLE_OPEN, v->report->open));
    TRY(check_count(v, TABLE_REVOKED, revoked));
    TRY(check_count(v, TABLE_ACT, v->acts));
    TRY(check_count(v, TABLE_ACT_STEP, v->act_steps));
    TRY(check_count(v, TABLE_GONE, revoked));
    TRY(check_count(v, TABLE_OBJECT, 2 * v->objects + v->objects_owned + v->aliases));
    if (finder_pairs(v->ledger->finder) != v->pairs)
        verify_found(v, 0, "the index of files has %" PRIu64 " pairs, by the log it should have %" PRIu64,
                     finder_pairs(v->ledger->finder), v->pairs);
    TRY(check_count(v, TABLE_PART, revoked));
    TRY(check_count(v, TABLE_CHANGED, v->changed));
    TRY(check_count(v, TABLE_LIST, v->crls.n));
    TRY(check_partitions(v));
    TRY(check_tokens_and_issuers(v));
    TRY(check_templates(v));
    TRY(check_idem(v));
out:
    return e;
}
