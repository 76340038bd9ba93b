/*
 * Searching certificates, newest first. What can be asked of the index becomes terms, and those are walked
 * where all of them meet; each certificate found so is held against all conditions, so the index decides
 * nothing. A call looks at a bounded number and gives a cursor where it stopped: it only says where to go on
 * within what the query allows anyway. On the loop's thread.
 */
#include <stdio.h>

#include "base/check.h"
#include "base/hex.h"
#include "entry.h"
#include "read.h"

enum { LIMIT_DEFAULT = 100, CURSOR_TEXT_BYTES = 64, SCRATCH_BYTES = 4 << 20, CONDS_MAX = 12 };

struct search {
    struct ledger *ledger;
    const struct ledger_query *q;
    struct arena *arena;
    struct arena
        *scratch; /* of the certificate that is looked at: what does not fit costs the caller nothing */
    struct store_txn *txn;
    struct store_cursor *cursor; /* over table; NULL: none */
    enum table table;
    struct key prefix;        /* of its keys that are meant; the seq follows */
    struct finder_walk *walk; /* NULL: nothing of the index was asked */
    struct finder_terms conds[CONDS_MAX];
    size_t conds_n;
    struct term_net net;
    uint64_t above; /* only seqs above this one */
    size_t limit, looked, bytes, n;
    struct ledger_cert *certs;
};

/* --- cursors: the seq to go on below, in base64url --- */

static struct err *cursor_bad(void)
{
    return err_at(err_new(ERR_BAD_FIELD, "not a cursor of a search"), "/cursor");
}

static struct err *cursor_read(const struct search *s, const char *text, uint64_t *ret)
{
    struct view bytes;
    if (strnlen(text, CURSOR_TEXT_BYTES) == CURSOR_TEXT_BYTES)
        return cursor_bad();
    struct err *e = base64url_parse(s->arena, view_str(text), &bytes);
    if (e || bytes.n != KEY_SEQ_BYTES) {
        err_free(e);
        return cursor_bad();
    }
    *ret = be64_get(bytes.p);
    return NULL;
}

static const char *cursor_write(const struct search *s, uint64_t below)
{
    uint8_t b[KEY_SEQ_BYTES];
    be64_put(b, below);
    return base64url_of(s->arena, view_of(b, sizeof(b)));
}

/* --- conditions --- */

static bool state_fits(const struct ledger_query *q, const struct cert_row *row)
{
    bool recorded = row->state == LEDGER_STATE_RECORDED;
    bool revoked = row->state == LEDGER_STATE_REVOKED || row->state == LEDGER_STATE_SEALED_LOST;
    bool unrecorded = row->state == LEDGER_STATE_UNRECORDED;
    switch (q->status) {
    case LEDGER_ANY:
        return recorded || revoked || unrecorded;
    case LEDGER_VALID:
        return recorded && row->not_after >= q->now;
    case LEDGER_EXPIRED:
        return (recorded || revoked) && row->not_after < q->now;
    case LEDGER_IS_REVOKED:
        return revoked;
    case LEDGER_IS_UNRECORDED:
        return unrecorded;
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

static bool name_fits(const struct search *s, const char *name)
{
    const struct ledger_query *q = s->q;
    return (!q->name || strcmp(name, q->name) == 0) && (!q->under || term_lies_under(name, q->under)) &&
           (!q->net || term_net_has(&s->net, name));
}

static bool names_fit(const struct search *s, const struct ledger_texts *names)
{
    if (!s->q->name && !s->q->under && !s->q->net)
        return true;
    for (size_t i = 0; i < names->n; i++)
        if (name_fits(s, names->items[i]))
            return true;
    return false;
}

static bool same_text(const char *asked, const char *have)
{
    return !asked || strcmp(asked, have) == 0;
}

static bool fingerprint_fits(const struct search *s, const struct ledger_cert *cert)
{
    uint8_t have[SHA256_BYTES];
    if (s->q->fingerprint.n == 0)
        return true;
    return cert->seal.signature.n > 0 &&
           term_fingerprint(cert->decision.tbs, cert->seal.signature, s->scratch, have) &&
           view_eq(s->q->fingerprint, view_of(have, sizeof(have)));
}

/* A long tag is cut in its key, so it is held against the whole. */
static bool has_tag(const struct ledger_query *q, const struct ledger_texts *tags)
{
    bool has = !q->tag;
    for (size_t i = 0; i < tags->n && !has; i++)
        has = strcmp(tags->items[i], q->tag) == 0;
    return has;
}

static bool cert_fits(const struct search *s, const struct ledger_cert *cert)
{
    const struct ledger_query *q = s->q;
    if (q->spki_sha256.n > 0 && !view_eq(cert->decision.spki_sha256, q->spki_sha256))
        return false;
    if (q->replaces != 0 && cert->decision.replaces != q->replaces)
        return false;
    if (q->version != 0 && cert->decision.version != q->version)
        return false;
    if (q->since_ms != 0 && cert->requested_ms < q->since_ms)
        return false;
    if (q->until_ms != 0 && cert->requested_ms > q->until_ms)
        return false;
    return has_tag(q, &cert->tags) && same_text(q->issuer, cert->issuer) &&
           same_text(q->actor, cert->actor) && same_text(q->template, cert->decision.template) &&
           same_text(q->subject, cert->decision.subject) && names_fit(s, &cert->decision.names) &&
           fingerprint_fits(s, cert);
}

/* --- conditions as terms --- */

static void add_terms(struct search *s, const uint64_t *terms, size_t n)
{
    CHECK(s->conds_n < CONDS_MAX);
    s->conds[s->conds_n++] = (struct finder_terms){terms, n};
}

static void add_term(struct search *s, uint64_t term)
{
    uint64_t *kept = ARENA_NEW(s->arena, uint64_t);
    *kept = term;
    add_terms(s, kept, 1);
}

static void add_text(struct search *s, enum term_kind kind, const char *text)
{
    if (text)
        add_term(s, term_of(kind, view_str(text)));
}

/* By the end of a certificate, where that can narrow what is walked. Those that are in force mostly come
 * first, so they are not worth it. */
static void add_days(struct search *s)
{
    const struct ledger_query *q = s->q;
    int64_t till = q->not_after_till;
    if (q->status == LEDGER_EXPIRED && (till == 0 || till >= q->now))
        till = q->now - 1;
    if (till == 0)
        return;
    uint64_t *terms = arena_array(s->arena, TERM_DAYS_MAX, sizeof(*terms));
    add_terms(s, terms, term_days(q->not_after_from, till, terms));
}

/* A certificate's fingerprint lies where its record does, all else where its intent does: so it stands alone.
 * It leads to one certificate anyway. */
static void choose(struct search *s)
{
    const struct ledger_query *q = s->q;
    if (q->fingerprint.n > 0) {
        add_term(s, term_of(TERM_FINGERPRINT, q->fingerprint));
        return;
    }
    if (q->status == LEDGER_IS_UNRECORDED)
        add_term(s, term_of_unrecorded());
    if (q->spki_sha256.n > 0)
        add_term(s, term_of(TERM_SPKI, q->spki_sha256));
    if (q->replaces != 0)
        add_term(s, term_of_replaced(q->replaces));
    add_text(s, TERM_NAME, q->name);
    add_text(s, TERM_SUBJECT, q->subject);
    if (q->under)
        add_term(s, term_under(q->under));
    if (q->net)
        add_term(s, term_of_net(&s->net));
    add_text(s, TERM_ACTOR, q->actor);
    add_text(s, TERM_TEMPLATE, q->template);
    add_text(s, TERM_ISSUER, q->issuer);
    add_days(s);
}

/* --- the walk --- */

/* The greatest key of the table that is below; 0: there is none. */
static struct err *table_below(struct search *s, uint64_t below, uint64_t *ret)
{
    struct err *e = NULL;
    const struct store_ops *ops = s->ledger->ops;
    struct key k = s->prefix;
    key_add_seq(&k, below);
    struct view key = key_view(&k), value;
    bool found;
    TRY(ops->move(s->cursor, STORE_AT_OR_AFTER, &key, &value, &found));
    TRY(ops->move(s->cursor, found ? STORE_PREV : STORE_LAST, &key, &value, &found));
    found = found && key.n == s->prefix.n + KEY_SEQ_BYTES && view_starts(key, key_view(&s->prefix));
    *ret = found ? key_last_seq(key) : 0;
out:
    return e;
}

/* The next intent that all of the index and, where only revoked ones are asked for, that table lead to. */
static struct err *next_intent(struct search *s, uint64_t below, uint64_t *ret, bool *ret_stopped)
{
    struct err *e = NULL;
    *ret_stopped = false;
    if (!s->walk)
        return table_below(s, below, ret);
    for (;;) {
        TRY(finder_walk_next(s->walk, below, ret, ret_stopped));
        if (!*ret || *ret_stopped || !s->cursor)
            return NULL;
        uint64_t revoked;
        TRY(table_below(s, *ret + 1, &revoked));
        if (revoked == *ret || revoked == 0) {
            *ret = revoked;
            return NULL;
        }
        below = revoked + 1;
    }
out:
    return e;
}

static struct err *look_at(struct search *s, uint64_t intent)
{
    struct err *e = NULL;
    struct cert_row row;
    s->looked++;
    TRY(read_row(s->ledger, s->txn, intent, &row));
    if (!row_fits(s->q, &row))
        return NULL;
    struct ledger_cert cert;
    arena_reset(s->scratch);
    TRY(read_cert(s->ledger, s->txn, intent, s->scratch, &cert));
    if (!cert_fits(s, &cert))
        return NULL;
    TRY(read_cert(s->ledger, s->txn, intent, s->arena, &s->certs[s->n++]));
    s->bytes += cert.decision.tbs.n + cert.seal.signature.n + 1024;
out:
    return e;
}

static bool is_full(const struct search *s)
{
    return s->n == s->limit || s->looked == READ_LOOK_MAX || s->bytes >= READ_PAGE_BYTES;
}

static struct err *walk(struct search *s, uint64_t below, struct ledger_page *ret)
{
    struct err *e = NULL;
    for (;;) {
        uint64_t intent;
        bool stopped;
        TRY(next_intent(s, below, &intent, &stopped));
        if (intent <= s->above)
            break;
        if (stopped || is_full(s)) {
            ret->next = cursor_write(s, stopped ? intent + 1 : below);
            break;
        }
        TRY(look_at(s, intent));
        below = intent;
    }
    ret->certs = s->certs;
    ret->n = s->n;
out:
    return e;
}

/* Times of entries only rise, so a time is a place in the log. */
static struct err *bounds(struct search *s, uint64_t *ret_below)
{
    struct err *e = NULL;
    const struct ledger_query *q = s->q;
    uint64_t first = 0;
    *ret_below = UINT64_MAX;
    if (q->since_ms > 0) {
        TRY(ledger_seq_at(s->ledger, q->since_ms, &first));
        s->above = first - 1;
    }
    if (q->until_ms > 0)
        TRY(ledger_seq_at(s->ledger, q->until_ms + 1, ret_below));
    if (q->cursor) {
        uint64_t below;
        TRY(cursor_read(s, q->cursor, &below));
        *ret_below = below < *ret_below ? below : *ret_below;
    }
out:
    return e;
}

static struct err *check_query(struct search *s)
{
    const struct ledger_query *q = s->q;
    if ((q->spki_sha256.n != 0 && q->spki_sha256.n != SHA256_BYTES) ||
        (q->fingerprint.n != 0 && q->fingerprint.n != SHA256_BYTES))
        return err_at(err_new(ERR_BAD_FIELD, "not a SHA-256 hash"),
                      q->fingerprint.n ? "/fingerprint" : "/spki_sha256");
    if ((q->name && !strchr(q->name, ':')) || (q->under && !strchr(q->under, ':')))
        return err_at(err_new(ERR_BAD_FIELD, "a name is written KIND:VALUE, as in dns:www.example.internal"),
                      q->name ? "/name" : "/under");
    if (q->net && !term_net_parse(q->net, &s->net))
        return err_at(
            err_new(ERR_BAD_FIELD, "an address or a network is written as 10.1.0.0/16 or 2001:db8::/32"),
            "/net");
    return NULL;
}

static struct err *open_walk(struct search *s)
{
    struct err *e = NULL;
    bool revoked = s->q->status == LEDGER_IS_REVOKED;
    bool narrowed = revoked || s->q->tag;
    TRY(s->ledger->ops->begin(s->ledger->store, false, &s->txn));
    if (s->conds_n > 0)
        s->walk = finder_walk_open(s->ledger->finder, s->conds, s->conds_n, s->arena);
    s->table = s->q->tag ? TABLE_TAG : revoked ? TABLE_GONE : TABLE_CERT;
    if (s->q->tag)
        s->prefix = key_text(s->q->tag);
    if (!s->walk || narrowed)
        TRY(s->ledger->ops->cursor(s->txn, s->table, &s->cursor));
out:
    return e;
}

struct err *ledger_search(struct ledger *l, const struct ledger_query *q, struct arena *arena,
                          struct ledger_page *ret)
{
    struct err *e = NULL;
    struct search s = {.ledger = l, .q = q, .arena = arena};
    struct ledger_page page = {0};
    uint64_t below;
    TRY(check_query(&s));
    TRY(bounds(&s, &below));
    s.limit = q->limit == 0 ? LIMIT_DEFAULT : q->limit > READ_PAGE_MAX ? READ_PAGE_MAX : q->limit;
    s.certs = arena_array(arena, s.limit, sizeof(*s.certs));
    s.scratch = arena_new(SCRATCH_BYTES);
    choose(&s);
    TRY(open_walk(&s));
    TRY(walk(&s, below, &page));
    *ret = page;
out:
    l->ops->cursor_free(s.cursor);
    l->ops->abort(s.txn);
    arena_free(s.scratch);
    return e;
}
