/*
 * Verification: what each entry changes, by the log alone, and whether it was allowed to. The rules are those
 * that write_rules.c keeps when writing, told a second time from the other side: from entries to states.
 * Reads no index. One thread.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "verify.h"

enum { HOLD = 6 };

static size_t issuer_of(struct verify *v, const char *name)
{
    struct verify_issuer *all = verify_issuers(v);
    for (size_t i = 0; i < v->issuers.n; i++)
        if (strcmp(all[i].name, name) == 0)
            return i;
    struct verify_issuer *fresh = verify_list_add(&v->issuers, sizeof(*fresh));
    snprintf(fresh->name, sizeof(fresh->name), "%s", name);
    return v->issuers.n - 1;
}

static void count_use(struct verify *v, const struct ledger_entry *en, struct verify_intent *to)
{
    size_t i;
    if (en->body.intent.token.n == 0)
        return;
    if (!map_get(&v->token_of, en->body.intent.token.p, &i)) {
        verify_found(v, en->seq, "the intent counts a token that was never made");
        return;
    }
    struct token_row *row = &verify_tokens(v)[i].row;
    to->token = i + 1;
    row->used++;
    if (row->uses != 0 && row->used > row->uses)
        verify_found(v, en->seq, "the intent takes more uses of its token than it has");
    if (row->revoked_at != 0)
        verify_found(v, en->seq, "the intent uses a token that was revoked");
    if (row->expires != 0 && row->expires <= en->time_ms / 1000)
        verify_found(v, en->seq, "the intent uses a token that had expired");
}

static struct template_row *template_of(struct verify *v, const char *name)
{
    uint8_t hash[SHA256_BYTES];
    size_t i;
    digest_sha256(view_str(name), hash);
    if (map_get(&v->template_of, hash, &i))
        return &verify_templates(v)[i].row;
    struct verify_template *fresh = verify_list_add(&v->templates, sizeof(*fresh));
    snprintf(fresh->name, sizeof(fresh->name), "%s", name);
    map_set(&v->template_of, hash, v->templates.n - 1);
    return &fresh->row;
}

static void on_template(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_template *t = &en->body.template;
    struct template_row *row = template_of(v, t->name);
    uint8_t hash[SHA256_BYTES];
    digest_sha256(t->text, hash);
    if (t->version != row->version + 1 || en->ref != row->seq)
        verify_found(v, en->seq, "version %" PRIu64 " of a template whose newest is %" PRIu64, t->version,
                     row->version);
    if (!view_eq(t->sha256, view_of(hash, SHA256_BYTES)))
        verify_found(v, en->seq, "the template's text does not have the hash it was written with");
    *row = (struct template_row){en->seq, t->version};
}

/* What the log has said by now: a record names a version that was in force before it. */
static void check_version(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_intent *in = &en->body.intent;
    if (in->version > template_of(v, in->template)->version)
        verify_found(v, en->seq,
                     "the intent names version %" PRIu64 " of its template, which was never there",
                     in->version);
}

static void count_partition(struct verify *v, const struct verify_intent *in)
{
    struct verify_partition *all = v->partitions.items, *to = NULL;
    if (in->partition == 0)
        return;
    for (size_t i = v->partitions.n; !to && i-- > 0;) /* the last ones are those that fill */
        if (all[i].issuer == in->issuer && all[i].partition == in->partition)
            to = &all[i];
    if (!to) {
        to = verify_list_add(&v->partitions, sizeof(*to));
        to->issuer = in->issuer;
        to->partition = in->partition;
    }
    to->row.certificates++;
    if (in->not_after > to->row.not_after)
        to->row.not_after = in->not_after;
}

static void on_intent(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_intent *in = &en->body.intent;
    size_t issuer = issuer_of(v, en->issuer), same;
    struct verify_intent *to = verify_list_add(&v->intents, sizeof(*to));
    v->report->intents++;
    to->seq = en->seq;
    to->state = LEDGER_STATE_OPEN;
    to->roll_floor = in->roll_floor;
    to->time_ms = en->time_ms;
    to->not_after = in->not_after;
    to->issuer = issuer;
    to->keyed = in->idempotency.n > 0;
    if (en->serial.n == SERIAL_BYTES)
        memcpy(to->serial, en->serial.p, SERIAL_BYTES);
    else
        verify_found(v, en->seq, "the intent has a serial of %zu octets", en->serial.n);
    digest_sha256(in->tbs, to->tbs);
    if (map_get(&v->tbs_of, to->tbs, &same))
        verify_found(v, en->seq, "the intent has the same tbs as entry %" PRIu64,
                     verify_intents(v)[same].seq);
    map_set(&v->tbs_of, to->tbs, v->intents.n - 1);
    to->partition = in->partition;
    to->tagged = in->tags.n ? en->seq : 0;
    count_partition(v, to);
    count_use(v, en, to);
    if (in->version != 0)
        check_version(v, en);
}

/* An intent that was never written and its closing, in one. */
static void on_stray(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_stray *s = &en->body.stray;
    size_t issuer = issuer_of(v, en->issuer), same;
    struct verify_intent *to = verify_list_add(&v->intents, sizeof(*to));
    v->report->intents++;
    v->report->closed++;
    v->report->closed_sealed++;
    *to = (struct verify_intent){.seq = en->seq,
                                 .end = en->seq,
                                 .n = s->n,
                                 .time_ms = en->time_ms,
                                 .not_after = CORE_NEVER_S,
                                 .revoked_at = en->time_ms / 1000,
                                 .issuer = issuer,
                                 .state = LEDGER_STATE_SEALED_LOST};
    if (en->serial.n == SERIAL_BYTES)
        memcpy(to->serial, en->serial.p, SERIAL_BYTES);
    memcpy(to->tbs, s->tbs_sha256.p, SHA256_BYTES);
    if (map_get(&v->tbs_of, to->tbs, &same))
        verify_found(v, en->seq, "its tbs stands in entry %" PRIu64, verify_intents(v)[same].seq);
    map_set(&v->tbs_of, to->tbs, v->intents.n - 1);
}

/* What the roll alone knows, and nobody has judged yet. */
static void on_unrecorded(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_stray *s = &en->body.stray;
    size_t issuer = issuer_of(v, en->issuer), same;
    struct verify_intent *to = verify_list_add(&v->intents, sizeof(*to));
    v->report->unrecorded++;
    *to = (struct verify_intent){.seq = en->seq,
                                 .n = s->n,
                                 .time_ms = en->time_ms,
                                 .not_after = CORE_NEVER_S,
                                 .issuer = issuer,
                                 .unrecorded = true,
                                 .state = LEDGER_STATE_UNRECORDED};
    if (en->serial.n == SERIAL_BYTES)
        memcpy(to->serial, en->serial.p, SERIAL_BYTES);
    memcpy(to->tbs, s->tbs_sha256.p, SHA256_BYTES);
    if (map_get(&v->tbs_of, to->tbs, &same))
        verify_found(v, en->seq, "its tbs stands in entry %" PRIu64, verify_intents(v)[same].seq);
    map_set(&v->tbs_of, to->tbs, v->intents.n - 1);
}

static void on_restored(struct verify *v, const struct ledger_entry *en)
{
    uint8_t root[SHA256_BYTES];
    if (en->body.note.number != en->seq - 1)
        verify_found(v, en->seq, "it was restored to entry %" PRIu64 ", which is not the one before",
                     en->body.note.number);
    struct tree before = v->tree_before;
    tree_root(&before, root);
    if (!view_eq(en->body.note.hash, view_of(root, SHA256_BYTES)))
        verify_found(v, en->seq, "the restored entries do not have the root that it names");
    v->restored = en->seq;
    v->lost_after = en->body.note.number;
}

static void on_accept_loss(struct verify *v, const struct ledger_entry *en)
{
    if (v->restored == 0 || en->ref != v->restored)
        verify_found(v, en->seq, "it accepts the loss of entry %" PRIu64 ", which does not wait for it",
                     en->ref);
    v->restored = 0;
    v->accepted_n = en->body.note.number;
}

static void on_list_floor(struct verify *v, const struct ledger_entry *en)
{
    struct issuer_row *row = &verify_issuers(v)[issuer_of(v, en->issuer)].row;
    if (en->body.note.number > row->number)
        row->number = en->body.note.number;
}

/* The intent that this entry speaks of, or NULL and a finding. */
static struct verify_intent *referred(struct verify *v, const struct ledger_entry *en)
{
    struct verify_intent *to = verify_intent_at(v, en->ref);
    if (!to)
        verify_found(v, en->seq, "it refers to entry %" PRIu64 ", which is no earlier intent", en->ref);
    else if (strcmp(verify_issuers(v)[to->issuer].name, en->issuer) != 0 ||
             !view_eq(en->serial, view_of(to->serial, SERIAL_BYTES)))
        verify_found(v, en->seq, "its issuer and serial are not those of entry %" PRIu64, en->ref);
    return to;
}

static struct verify_intent *ended(struct verify *v, const struct ledger_entry *en)
{
    struct verify_intent *to = referred(v, en);
    if (to && to->state != LEDGER_STATE_OPEN) {
        verify_found(v, en->seq, "it ends entry %" PRIu64 ", which had ended before", en->ref);
        return NULL;
    }
    return to;
}

static void on_record(struct verify *v, const struct ledger_entry *en)
{
    struct verify_intent *to = ended(v, en);
    v->report->records++;
    if (!to)
        return;
    to->state = LEDGER_STATE_RECORDED;
    to->record = en->seq;
    to->n = en->body.record.n;
}

static void on_close(struct verify *v, const struct ledger_entry *en)
{
    struct verify_intent *to = ended(v, en);
    bool lost = en->body.close.reason == LEDGER_SEALED_LOST;
    v->report->closed++;
    v->report->closed_sealed += lost;
    if (!to)
        return;
    to->state = lost ? LEDGER_STATE_SEALED_LOST : LEDGER_STATE_NEVER_SEALED;
    to->end = en->seq;
    to->n = en->body.close.n;
    to->revoked_at = lost ? en->time_ms / 1000 : 0;
    if (to->token != 0)
        verify_tokens(v)[to->token - 1].row.used--;
}

static void on_revoke(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_revoke *r = &en->body.revoke;
    struct verify_intent *to = referred(v, en);
    if (!to)
        return;
    bool held = to->state == LEDGER_STATE_REVOKED && to->reason == HOLD && r->reason != HOLD;
    if (to->state != LEDGER_STATE_RECORDED && to->state != LEDGER_STATE_UNRECORDED && !held) {
        verify_found(v, en->seq, "it revokes entry %" PRIu64 ", which is not a certificate in force",
                     en->ref);
        return;
    }
    if (!held)
        to->revoked_at = r->at ? r->at : en->time_ms / 1000;
    to->state = LEDGER_STATE_REVOKED;
    to->reason = (uint8_t)r->reason;
    to->invalidity = r->invalidity;
    to->end = en->seq;
}

static void on_tags(struct verify *v, const struct ledger_entry *en)
{
    struct verify_intent *to = referred(v, en);
    if (to)
        to->tagged = en->seq;
}

static void on_release(struct verify *v, const struct ledger_entry *en)
{
    struct verify_intent *to = referred(v, en);
    if (!to)
        return;
    if (to->state != LEDGER_STATE_REVOKED || to->reason != HOLD)
        verify_found(v, en->seq, "it lets entry %" PRIu64 " go, which was not on hold", en->ref);
    to->state = to->unrecorded ? LEDGER_STATE_UNRECORDED : LEDGER_STATE_RECORDED;
    to->reason = 0;
    to->revoked_at = to->invalidity = 0;
    to->end = 0;
}

static void on_token_create(struct verify *v, const struct ledger_entry *en)
{
    size_t i;
    const struct ledger_token *t = &en->body.token;
    if (map_get(&v->token_of, t->id.p, &i)) {
        verify_found(v, en->seq, "the token was made before");
        return;
    }
    struct verify_token *to = verify_list_add(&v->tokens, sizeof(*to));
    memcpy(to->id, t->id.p, SHA256_BYTES);
    to->row = (struct token_row){.seq = en->seq, .uses = t->uses, .expires = t->expires};
    map_set(&v->token_of, to->id, v->tokens.n - 1);
    v->report->tokens++;
}

static void on_token_revoke(struct verify *v, const struct ledger_entry *en)
{
    size_t i;
    if (!map_get(&v->token_of, en->body.token_revoke.id.p, &i)) {
        verify_found(v, en->seq, "it revokes a token that was never made");
        return;
    }
    verify_tokens(v)[i].row.revoked_at = en->time_ms / 1000;
}

static void on_crl(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_crl *c = &en->body.crl;
    struct issuer_row *row = &verify_issuers(v)[issuer_of(v, en->issuer)].row;
    if (c->number <= row->number)
        verify_found(v, en->seq, "list number %" PRIu64 " after %" PRIu64 " (RFC 5280 5.2.3)", c->number,
                     row->number);
    *row = rows_issuer_after(row, en);
    struct verify_crl *to = verify_list_add(&v->crls, sizeof(*to));
    *to = (struct verify_crl){.n = c->n, .seq = en->seq, .issuer = issuer_of(v, en->issuer)};
    v->report->crls++;
}

static void on_head(struct verify *v, const struct ledger_entry *en)
{
    const struct ledger_signed_head *h = &en->body.signed_head;
    struct verify_head *to = verify_list_add(&v->heads, sizeof(*to));
    *to = (struct verify_head){.seq = en->seq, .size = h->size, .n = h->n};
    memcpy(to->root, h->root.p, SHA256_BYTES);
    if (h->size >= en->seq)
        verify_found(v, en->seq, "a head over %" PRIu64 " entries, more than there were", h->size);
    v->report->heads++;
}

static void on_issuer(struct verify *v, const struct ledger_entry *en)
{
    issuer_of(v, en->issuer);
}

void verify_state(struct verify *v, const struct ledger_entry *en)
{
    static void (*const on[])(struct verify *, const struct ledger_entry *) = {
        [LEDGER_HEAD] = on_head,
        [LEDGER_ISSUER] = on_issuer,
        [LEDGER_INTENT] = on_intent,
        [LEDGER_RECORD] = on_record,
        [LEDGER_CLOSE] = on_close,
        [LEDGER_REVOKE] = on_revoke,
        [LEDGER_RELEASE] = on_release,
        [LEDGER_STRAY] = on_stray,
        [LEDGER_TOKEN_CREATE] = on_token_create,
        [LEDGER_TOKEN_REVOKE] = on_token_revoke,
        [LEDGER_CRL] = on_crl,
        [LEDGER_TEMPLATE] = on_template,
        [LEDGER_CRL_PART] = on_crl,
        [LEDGER_CRL_DELTA] = on_crl,
        [LEDGER_TAGS] = on_tags,
        [LEDGER_RESTORED] = on_restored,
        [LEDGER_ACCEPT_LOSS] = on_accept_loss,
        [LEDGER_UNRECORDED] = on_unrecorded,
        [LEDGER_LIST_FLOOR] = on_list_floor,
    };
    if (en->kind < sizeof(on) / sizeof(on[0]) && on[en->kind])
        on[en->kind](v, en);
    if (strcmp(ledger_kind_text(en->kind), "unknown") == 0)
        v->report->unknown++;
}
