/* GET /v1/log?from=&limit=: the ledger's entries as they stand, for auditors. And the clock's confirmation.
 */
#include <stdlib.h>

#include "../house.h"
#include "base/hex.h"
#include "base/when.h"
#include "rest.h"

enum { PAGE = 100, PAGE_MAX = 1000 };

static json_t *detail_json(const struct ledger_entry *entry, struct arena *arena)
{
    switch (entry->kind) {
    case LEDGER_INTENT:
        return json_pack("{s:s, s:s, s:o, s:o}", "template", entry->body.intent.template, "subject",
                         entry->body.intent.subject, "names", answer_texts(&entry->body.intent.names),
                         "not_after", answer_time(entry->body.intent.not_after));
    case LEDGER_RECORD:
        return json_pack("{s:I}", "seal", (json_int_t)entry->body.record.n);
    case LEDGER_CLOSE:
        return json_pack("{s:I, s:s}", "reason", (json_int_t)entry->body.close.reason, "detail",
                         entry->body.close.detail);
    case LEDGER_REVOKE:
        return json_pack("{s:s?}", "reason",
                         cert_crl_reason_name((enum cert_reason)entry->body.revoke.reason));
    case LEDGER_DENY:
        return json_pack("{s:s, s:s, s:s, s:I}", "type", entry->body.deny.type, "detail",
                         entry->body.deny.detail, "template", entry->body.deny.template, "count",
                         (json_int_t)entry->body.deny.count);
    case LEDGER_TOKEN_CREATE:
        return json_pack("{s:s, s:s, s:o, s:o}", "id", hex_of(arena, entry->body.token.id), "label",
                         entry->body.token.label, "templates", answer_texts(&entry->body.token.templates),
                         "names", answer_texts(&entry->body.token.names));
    case LEDGER_TOKEN_REVOKE:
        return json_pack("{s:s}", "id", hex_of(arena, entry->body.token_revoke.id));
    case LEDGER_CRL:
        return json_pack("{s:I, s:I, s:I}", "number", (json_int_t)entry->body.crl.number, "entries",
                         (json_int_t)entry->body.crl.entries, "seal", (json_int_t)entry->body.crl.n);
    case LEDGER_TEMPLATE:
        return json_pack("{s:s, s:I, s:s}", "template", entry->body.template.name, "version",
                         (json_int_t)entry->body.template.version, "sha256",
                         hex_of(arena, entry->body.template.sha256));
    case LEDGER_TRANSCRIPT:
        return json_pack("{s:s, s:b, s:b, s:s}", "ceremony", entry->body.transcript.title, "rehearsal",
                         (int)entry->body.transcript.rehearsal, "complete",
                         (int)entry->body.transcript.complete, "sha256",
                         hex_of(arena, entry->body.transcript.sha256));
    case LEDGER_ISSUER:
        return json_object();
    case LEDGER_START:
    case LEDGER_GENERATION:
    case LEDGER_OCSP_KEY:
    case LEDGER_CLOCK:
    case LEDGER_RECOVERY:
    case LEDGER_NOTE:
    case LEDGER_ACT_DONE:
    case LEDGER_FREEZE:
    case LEDGER_LOG_KEY:
    case LEDGER_BREAK_GLASS:
    case LEDGER_RESTORED:
    case LEDGER_ACCEPT_LOSS:
    case LEDGER_LIST_FLOOR:
        return json_pack("{s:s, s:I, s:s}", "what", entry->body.note.what, "number",
                         (json_int_t)entry->body.note.number, "hash", hex_of(arena, entry->body.note.hash));
    case LEDGER_STRAY:
    case LEDGER_UNRECORDED:
        return json_pack("{s:I, s:s, s:o}", "seal", (json_int_t)entry->body.stray.n, "template",
                         entry->body.stray.template, "sealed_at", answer_time(entry->body.stray.sealed_at));
    case LEDGER_HEAD:
        return json_pack("{s:I, s:s, s:I}", "size", (json_int_t)entry->body.signed_head.size, "root",
                         hex_of(arena, entry->body.signed_head.root), "seal",
                         (json_int_t)entry->body.signed_head.n);
    case LEDGER_ACT_REQUEST:
        return json_pack("{s:s, s:s}", "id", hex_of(arena, entry->body.act.id), "act",
                         base64_of(arena, entry->body.act.act));
    case LEDGER_ROSTER:
        return json_pack("{s:s}", "sha256", hex_of(arena, entry->body.roster.sha256));
    default:
        return json_object();
    }
}

static json_t *entry_json(const struct ledger_entry *entry, struct arena *arena)
{
    char time[WHEN_TEXT_MAX];
    when_put_ms(time, entry->time_ms);
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:o}", "entry",
                     (json_int_t)entry->seq, "time", time, "kind", ledger_kind_text(entry->kind), "actor",
                     entry->actor, "door", entry->door, "peer", entry->peer, "request", entry->request,
                     "issuer", entry->issuer, "serial", hex_of(arena, entry->serial), "ref",
                     (json_int_t)entry->ref, "leaf", hex_of(arena, view_of(entry->leaf, SHA256_BYTES)),
                     "detail", detail_json(entry, arena));
}

static struct err *from_of(struct http_request *r, uint64_t *ret)
{
    const char *text;
    struct err *e = answer_query(r, "from", &text);
    *ret = 1;
    if (e || !text)
        return e;
    char *end;
    *ret = strtoull(text, &end, 10);
    if (*end || text[0] < '0' || text[0] > '9')
        return err_at(err_new(ERR_BAD_FIELD, "from is the number of an entry"), "/from");
    return NULL;
}

void log_page(struct http_request *r)
{
    static const char *const known[] = {"from", "limit", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    const struct ledger_entry *entries;
    struct ledger_head head;
    size_t n, limit;
    uint64_t from;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(from_of(r, &from));
    TRY(answer_limit(r, PAGE, PAGE_MAX, &limit));
    TRY(ledger_head(en->setup.ledger, &head));
    TRY(ledger_log(en->setup.ledger, from, limit, r->arena, &entries, &n));
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, entry_json(&entries[i], r->arena));
    json_t *tree = json_pack("{s:o}", "entries", list);
    uint64_t last = n ? entries[n - 1].seq : head.entries;
    json_object_set_new(tree, "next",
                        last < head.entries ? json_integer((json_int_t)(last + 1)) : json_null());
    answer_json(r, 200, tree);
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* --- POST /v1/clock/confirm --- */

struct job {
    struct enroll *enroll;
    ticket_id ticket;
};

static void confirmed(void *arg, struct err *e, const struct ledger_result *result)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (!e)
        ca_clock_confirm(job->enroll->setup.ca);
    if (r && e)
        asker_problem(r, e);
    else if (r)
        answer_json(r, 200, json_pack("{s:o}", "time", answer_time(result->time_ms / 1000)));
    else
        err_free(e);
}

void clock_confirm_post(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct job *job = ARENA_NEW(r->arena, struct job);

    TRY(asker_admit(r, &asker));
    const struct ledger_entry entry = {
        .kind = LEDGER_CLOCK,
        .actor = asker->id,
        .door = asker->door,
        .peer = asker->peer,
        .request = asker->request_id,
        .body.note = {.what = "the clock is right", .number = CA_CLOCK_CONFIRMED},
    };
    job->enroll = en;
    TRY(ledger_append(en->setup.ledger, &entry, confirmed, job, NULL));
    job->ticket = http_park(r);
out:
    if (e)
        asker_refuse(r, asker, e);
}
