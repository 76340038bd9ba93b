/*
 * The rules of all kinds but the intent: which entry may follow which, and what it changes in the indexes. A
 * check changes nothing. On the writer's thread.
 */
#include "base/check.h"
#include "entry.h"
#include "write.h"

static struct err *cert_get(struct write *w, uint64_t intent, struct cert_row *row, bool *ret_found)
{
    struct key k = key_seq(intent);
    return ROW_GET(w->ops, w->txn, TABLE_CERT, key_view(&k), row, ret_found);
}

static struct err *cert_put(struct write *w, uint64_t intent, const struct cert_row *row)
{
    struct key k = key_seq(intent);
    return ROW_PUT(w->ops, w->txn, TABLE_CERT, key_view(&k), row, STORE_PUT);
}

static struct err *open_del(struct write *w, uint64_t intent)
{
    struct key k = key_seq(intent);
    return w->ops->del(w->txn, TABLE_OPEN, key_view(&k));
}

/* --- the end of an intent: record, close --- */

static struct err *check_end(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct cert_row row;
    struct ledger_entry intent;
    bool found;
    TRY(cert_get(w, a->entry.ref, &row, &found));
    if (!found || row.state != LEDGER_STATE_OPEN) {
        a->item.error =
            err_new(ERR_WRONG_STATE, "entry %llu is not an open intent", (unsigned long long)a->entry.ref);
        return NULL;
    }
    TRY(core_entry(w->ledger, w->txn, a->entry.ref, a->arena, &intent));
    a->entry.issuer = intent.issuer;
    a->entry.serial = intent.serial;
    a->partition = intent.body.intent.partition;
    a->result.intent = a->entry.ref;
    if (a->entry.kind == LEDGER_RECORD)
        core_fingerprint(&intent, a->entry.body.record.signature, a->arena, a->fingerprint);
out:
    return e;
}

static struct err *apply_record(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct cert_row row;
    bool found;
    TRY(cert_get(w, a->entry.ref, &row, &found));
    row.state = LEDGER_STATE_RECORDED;
    row.record = a->entry.seq;
    TRY(cert_put(w, a->entry.ref, &row));
    TRY(open_del(w, a->entry.ref));
out:
    return e;
}

static struct err *check_close(struct write *w, struct core_append *a)
{
    uint64_t reason = a->entry.body.close.reason;
    if (reason == LEDGER_NEVER_SEALED || reason == LEDGER_SEALED_LOST || reason == LEDGER_REFUSED)
        return check_end(w, a);
    a->item.error = err_new(ERR_BAD_FIELD, "%llu is no reason to close", (unsigned long long)reason);
    return NULL;
}

/* Among all of the issuer, among those of its partition, and among what changed. */
static struct err *revoked_put(struct write *w, const struct core_append *a, const struct revoked_row *row)
{
    struct err *e = NULL;
    struct key k = key_serial(a->entry.issuer, a->entry.serial);
    struct key part = key_number(a->entry.issuer, a->partition);
    key_add(&part, a->entry.serial);
    TRY(ROW_PUT(w->ops, w->txn, TABLE_REVOKED, key_view(&k), row, STORE_PUT));
    TRY(ROW_PUT(w->ops, w->txn, TABLE_PART, key_view(&part), row, STORE_PUT));
    TRY(write_changed(w, a));
out:
    return e;
}

static struct err *apply_close(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct cert_row row;
    struct ledger_entry intent;
    bool found, lost = a->entry.body.close.reason == LEDGER_SEALED_LOST;
    TRY(cert_get(w, a->entry.ref, &row, &found));
    TRY(core_entry(w->ledger, w->txn, a->entry.ref, a->arena, &intent));
    row.state = lost ? LEDGER_STATE_SEALED_LOST : LEDGER_STATE_NEVER_SEALED;
    row.end = a->entry.seq;
    row.revoked_at = lost ? write_now_s(w) : 0;
    TRY(cert_put(w, a->entry.ref, &row));
    TRY(open_del(w, a->entry.ref));
    TRY(write_intent_give_back(w, a->entry.ref, &intent.body.intent));
    if (lost)
        TRY(write_mark(w, TABLE_GONE, a->entry.ref));
    if (lost)
        TRY(revoked_put(w, a,
                        &(struct revoked_row){.at = row.revoked_at,
                                              .not_after = row.not_after,
                                              .intent = a->entry.ref,
                                              .end = a->entry.seq}));
out:
    return e;
}

/* --- revocation --- */

enum { KEY_COMPROMISE = 1, HOLD = 6 };

/* RFC 5280 5.3.1: 7 is not used, 8 (removeFromCRL) belongs to delta lists. */
static bool reason_known(uint64_t reason)
{
    return reason <= 6 || reason == 9 || reason == 10;
}

static void settle(struct core_append *a, const struct cert_row *row)
{
    a->result.outcome = LEDGER_ALREADY;
    a->result.state = (enum ledger_state)row->state;
    a->result.revoked_at = row->revoked_at;
    a->result.reason = (unsigned)row->reason;
}

/* A hold may become final; whatever else is revoked stays as it is. */
static void check_revocable(struct core_append *a, const struct cert_row *row)
{
    const struct ledger_revoke *r = &a->entry.body.revoke;
    bool held = row->state == LEDGER_STATE_REVOKED && row->reason == HOLD;
    if (row->state == LEDGER_STATE_OPEN || row->state == LEDGER_STATE_NEVER_SEALED)
        a->item.error = err_new(ERR_WRONG_STATE, "no certificate of this serial was handed out");
    else if (row->state != LEDGER_STATE_RECORDED && row->state != LEDGER_STATE_UNRECORDED &&
             !(held && r->reason != HOLD))
        settle(a, row);
    if (a->item.error || a->result.outcome != LEDGER_WRITTEN)
        return;
    a->result.state = LEDGER_STATE_REVOKED;
    a->result.reason = (unsigned)r->reason;
    a->result.revoked_at = held ? row->revoked_at : r->at ? r->at : a->result.time_ms / 1000;
}

static struct err *find_partition(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct ledger_entry intent;
    TRY(core_entry(w->ledger, w->txn, a->entry.ref, a->arena, &intent));
    a->partition = intent.kind == LEDGER_INTENT ? intent.body.intent.partition : 0;
out:
    return e;
}

static struct err *check_revoke(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct seq_row serial;
    struct cert_row row;
    bool found;
    if (!reason_known(a->entry.body.revoke.reason)) {
        a->item.error = err_new(ERR_BAD_FIELD, "not a reason of RFC 5280 5.3.1 that may be given");
        return NULL;
    }
    struct key k = key_serial(a->entry.issuer, a->entry.serial);
    TRY(ROW_GET(w->ops, w->txn, TABLE_SERIAL, key_view(&k), &serial, &found));
    if (!found) {
        a->item.error = err_new(ERR_NOT_FOUND, "no certificate of this serial is on record");
        return NULL;
    }
    a->entry.ref = a->result.intent = serial.seq;
    TRY(cert_get(w, serial.seq, &row, &found));
    check_revocable(a, &row);
    if (!a->item.error && a->result.outcome == LEDGER_WRITTEN)
        TRY(find_partition(w, a));
out:
    return e;
}

/* RFC 5280 5.3.1: a key that others may have is certified for nobody any more. */
static struct err *block_key(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct ledger_entry intent;
    struct seq_row row = {a->entry.seq};
    TRY(core_entry(w->ledger, w->txn, a->entry.ref, a->arena, &intent));
    if (intent.kind != LEDGER_INTENT) /* of a seal that only the roll has nobody knows the key */
        return NULL;
    TRY(ROW_PUT(w->ops, w->txn, TABLE_BLOCKED, intent.body.intent.spki_sha256, &row, STORE_PUT));
out:
    return e;
}

static struct err *apply_revoke(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct cert_row row;
    bool found;
    TRY(cert_get(w, a->entry.ref, &row, &found));
    row.state = LEDGER_STATE_REVOKED;
    row.reason = a->result.reason;
    row.revoked_at = a->result.revoked_at;
    row.end = a->entry.seq;
    TRY(cert_put(w, a->entry.ref, &row));
    TRY(write_mark(w, TABLE_GONE, a->entry.ref));
    if (row.reason == KEY_COMPROMISE)
        TRY(block_key(w, a));
    TRY(revoked_put(w, a,
                    &(struct revoked_row){.at = row.revoked_at,
                                          .reason = row.reason,
                                          .invalidity = a->entry.body.revoke.invalidity,
                                          .not_after = row.not_after,
                                          .intent = a->entry.ref,
                                          .end = a->entry.seq}));
out:
    return e;
}

/* --- the end of a hold --- */

/* Only a hold ends; what was never revoked, or let go already, stays as it is. */
static struct err *check_release(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct seq_row serial;
    struct cert_row row;
    bool found;
    struct key k = key_serial(a->entry.issuer, a->entry.serial);
    TRY(ROW_GET(w->ops, w->txn, TABLE_SERIAL, key_view(&k), &serial, &found));
    if (!found) {
        a->item.error = err_new(ERR_NOT_FOUND, "no certificate of this serial is on record");
        return NULL;
    }
    a->entry.ref = a->result.intent = serial.seq;
    TRY(cert_get(w, serial.seq, &row, &found));
    if (row.state == LEDGER_STATE_RECORDED || row.state == LEDGER_STATE_UNRECORDED)
        settle(a, &row);
    else if (row.state != LEDGER_STATE_REVOKED || row.reason != HOLD)
        a->item.error = err_new(ERR_WRONG_STATE, "only certificateHold can be taken back (RFC 5280 5.3.1)");
    a->result.state = LEDGER_STATE_RECORDED;
    if (!a->item.error && a->result.outcome == LEDGER_WRITTEN)
        TRY(find_partition(w, a));
out:
    return e;
}

static struct err *apply_release(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct cert_row row;
    bool found;
    struct key k = key_serial(a->entry.issuer, a->entry.serial), mine = key_seq(a->entry.ref);
    struct key part = key_number(a->entry.issuer, a->partition);
    key_add(&part, a->entry.serial);
    TRY(cert_get(w, a->entry.ref, &row, &found));
    row.state = row.record ? LEDGER_STATE_RECORDED : LEDGER_STATE_UNRECORDED;
    row.end = row.reason = 0;
    row.revoked_at = 0;
    TRY(cert_put(w, a->entry.ref, &row));
    TRY(w->ops->del(w->txn, TABLE_GONE, key_view(&mine)));
    TRY(w->ops->del(w->txn, TABLE_REVOKED, key_view(&k)));
    TRY(w->ops->del(w->txn, TABLE_PART, key_view(&part)));
    TRY(write_changed(w, a));
out:
    return e;
}

/* --- what the seal roll alone knows --- */

static struct err *check_stray(struct write *w, struct core_append *a)
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

/* Nobody knows when it ends, so it stays on the lists. */
static struct err *apply_stray(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct key k = key_serial(a->entry.issuer, a->entry.serial), mine = key_seq(a->entry.seq);
    struct seq_row serial = {a->entry.seq};
    struct cert_row row = {.state = LEDGER_STATE_SEALED_LOST,
                           .end = a->entry.seq,
                           .not_after = CORE_NEVER_S,
                           .revoked_at = write_now_s(w)};
    TRY(ROW_PUT(w->ops, w->txn, TABLE_CERT, key_view(&mine), &row, STORE_PUT_LAST));
    TRY(ROW_PUT(w->ops, w->txn, TABLE_SERIAL, key_view(&k), &serial, STORE_PUT));
    TRY(write_mark(w, TABLE_GONE, a->entry.seq));
    TRY(write_issuer_seen(w, a->entry.issuer));
    TRY(revoked_put(
        w, a,
        &(struct revoked_row){
            .at = row.revoked_at, .not_after = row.not_after, .intent = a->entry.seq, .end = a->entry.seq}));
out:
    return e;
}

/* --- tokens --- */

static struct err *check_token_create(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct view v;
    TRY(w->ops->get(w->txn, TABLE_TOKEN, a->entry.body.token.id, &v));
    if (v.p)
        a->item.error = err_new(ERR_WRONG_STATE, "this token stands already");
out:
    return e;
}

static struct err *apply_token_create(struct write *w, const struct core_append *a)
{
    const struct ledger_token *t = &a->entry.body.token;
    struct token_row row = {.seq = a->entry.seq, .uses = t->uses, .expires = t->expires};
    return ROW_PUT(w->ops, w->txn, TABLE_TOKEN, t->id, &row, STORE_PUT);
}

static struct err *check_token_revoke(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct token_row row;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_TOKEN, a->entry.body.token_revoke.id, &row, &found));
    if (!found)
        a->item.error = err_new(ERR_NOT_FOUND, "no such token");
    if (found && row.revoked_at != 0) {
        a->result.outcome = LEDGER_ALREADY;
        a->result.revoked_at = row.revoked_at;
    }
out:
    return e;
}

static struct err *apply_token_revoke(struct write *w, const struct core_append *a)
{
    struct err *e = NULL;
    struct token_row row;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_TOKEN, a->entry.body.token_revoke.id, &row, &found));
    row.revoked_at = write_now_s(w);
    TRY(ROW_PUT(w->ops, w->txn, TABLE_TOKEN, a->entry.body.token_revoke.id, &row, STORE_PUT));
out:
    return e;
}

/* --- issuers --- */

struct err *write_issuer_seen(struct write *w, const char *issuer)
{
    struct err *e = NULL;
    struct issuer_row row;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_ISSUER, view_str(issuer), &row, &found));
    if (!found)
        TRY(ROW_PUT(w->ops, w->txn, TABLE_ISSUER, view_str(issuer), &row, STORE_PUT));
out:
    return e;
}

static struct err *apply_issuer(struct write *w, const struct core_append *a)
{
    return write_issuer_seen(w, a->entry.issuer);
}

/* Whether the clock is trusted must be known at the next start. */
static struct err *apply_clock(struct write *w, const struct core_append *a)
{
    struct seq_row row = {a->entry.seq};
    return ROW_PUT(w->ops, w->txn, TABLE_META, view_str("clock"), &row, STORE_PUT);
}

/* --- signed heads --- */

static struct err *check_head(struct write *w, struct core_append *a)
{
    if (a->entry.body.signed_head.size > w->tree.n)
        a->item.error =
            err_new(ERR_BAD_FIELD, "a head over %llu entries; there are %llu",
                    (unsigned long long)a->entry.body.signed_head.size, (unsigned long long)w->tree.n);
    return NULL;
}

/* Which it was before; the same: nothing is written. */
static struct err *check_log_key(struct write *w, struct core_append *a)
{
    struct err *e = NULL;
    struct seq_row row;
    struct ledger_entry before;
    bool found;
    TRY(ROW_GET(w->ops, w->txn, TABLE_META, view_str("log-key"), &row, &found));
    if (!found)
        return NULL;
    TRY(core_entry(w->ledger, w->txn, row.seq, a->arena, &before));
    if (view_eq(before.body.note.hash, a->entry.body.note.hash))
        a->result.outcome = LEDGER_ALREADY;
out:
    return e;
}

static struct err *apply_log_key(struct write *w, const struct core_append *a)
{
    struct seq_row row = {a->entry.seq};
    return ROW_PUT(w->ops, w->txn, TABLE_META, view_str("log-key"), &row, STORE_PUT);
}

/* The newest is what every proof is made for. */
static struct err *apply_head(struct write *w, const struct core_append *a)
{
    struct seq_row row = {a->entry.seq};
    return ROW_PUT(w->ops, w->txn, TABLE_META, view_str("head"), &row, STORE_PUT);
}

const struct write_rule *write_rule_of(unsigned kind)
{
    static const struct write_rule none = {.spare = false};
    static const struct write_rule rules[] = {
        [LEDGER_START] = {.spare = true},
        [LEDGER_GENERATION] = {.spare = true},
        [LEDGER_ISSUER] = {.spare = true, .apply = apply_issuer},
        [LEDGER_INTENT] = {.check = write_intent_check, .apply = write_intent_apply},
        [LEDGER_RECORD] = {.spare = true, .check = check_end, .apply = apply_record},
        [LEDGER_CLOSE] = {.spare = true, .check = check_close, .apply = apply_close},
        [LEDGER_REVOKE] = {.spare = true, .check = check_revoke, .apply = apply_revoke},
        [LEDGER_DENY] = {.spare = false},
        [LEDGER_TOKEN_CREATE] = {.check = check_token_create, .apply = apply_token_create},
        [LEDGER_TOKEN_REVOKE] = {.spare = true, .check = check_token_revoke, .apply = apply_token_revoke},
        [LEDGER_CRL] = {.spare = true, .check = write_list_check, .apply = write_list_apply},
        [LEDGER_CRL_PART] = {.spare = true, .check = write_list_check, .apply = write_list_apply},
        [LEDGER_CRL_DELTA] = {.spare = true, .check = write_list_check, .apply = write_list_apply},
        [LEDGER_CLOCK] = {.spare = true, .apply = apply_clock},
        [LEDGER_RECOVERY] = {.spare = true},
        [LEDGER_ALARM] = {.spare = true},
        [LEDGER_RELEASE] = {.spare = true, .check = check_release, .apply = apply_release},
        [LEDGER_STRAY] = {.spare = true, .check = check_stray, .apply = apply_stray},
        [LEDGER_REVOKE_MANY] = {.spare = true},
        [LEDGER_TAGS] = {.check = write_tags_check, .apply = write_tags_apply},
        [LEDGER_RESTORED] = {.spare = true, .apply = write_restored_apply},
        [LEDGER_ACCEPT_LOSS] = {.spare = true, .check = write_accept_check, .apply = write_accept_apply},
        [LEDGER_UNRECORDED] = {.spare = true, .check = check_stray, .apply = write_unrecorded_apply},
        [LEDGER_LIST_FLOOR] = {.spare = true, .apply = write_list_floor_apply},
        [LEDGER_TEMPLATE] = {.spare = true, .check = write_template_check, .apply = write_template_apply},
        [LEDGER_ACT_REQUEST] = {.check = write_act_check_request, .apply = write_act_apply_request},
        [LEDGER_ACT_APPROVE] = {.spare = true, .check = write_act_check_step, .apply = write_act_apply_step},
        [LEDGER_ACT_DENY] = {.spare = true, .check = write_act_check_step, .apply = write_act_apply_step},
        [LEDGER_ACT_DONE] = {.spare = true, .check = write_act_check_step, .apply = write_act_apply_step},
        [LEDGER_FREEZE] = {.spare = true},
        [LEDGER_BREAK_GLASS] = {.spare = true},
        [LEDGER_ACME_ACCOUNT] = {.check = write_object_check, .apply = write_object_apply},
        [LEDGER_ACME_ORDER] = {.check = write_object_check, .apply = write_object_apply},
        [LEDGER_ACME_AUTHZ] = {.check = write_object_check, .apply = write_object_apply},
        [LEDGER_ACME_EAB] = {.check = write_object_check, .apply = write_object_apply},
        [LEDGER_ACME_NONCES] = {.check = write_object_check, .apply = write_object_apply},
        [LEDGER_LOG_KEY] = {.spare = true, .check = check_log_key, .apply = apply_log_key},
        [LEDGER_HEAD] = {.spare = true, .check = check_head, .apply = apply_head},
        [LEDGER_ROSTER] = {.spare = true, .check = write_act_check_roster, .apply = write_act_apply_roster},
    };
    return kind < sizeof(rules) / sizeof(rules[0]) ? &rules[kind] : &none;
}
