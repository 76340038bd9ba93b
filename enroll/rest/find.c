/* GET /v1/certificates/{serial} and the search. A requester finds only its own; what is not its own is not
 * there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../house.h"
#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "proven.h"
#include "rest.h"
#include "select.h"
#include "tags.h"

enum { PAGE = 100, PAGE_MAX = 1000 };

static const char *status_text(const struct ledger_cert *c, int64_t now)
{
    switch (c->state) {
    case LEDGER_STATE_RECORDED:
        return c->decision.not_after < now ? "expired" : "valid";
    case LEDGER_STATE_REVOKED:
        return "revoked";
    case LEDGER_STATE_SEALED_LOST:
        return "lost";
    case LEDGER_STATE_NEVER_SEALED:
        return "never-issued";
    case LEDGER_STATE_OPEN:
        return "under-way";
    case LEDGER_STATE_UNRECORDED:
        return "unrecorded";
    }
    return "unknown";
}

/* What the books say of it, beside the certificate itself. */
static json_t *record_json(const struct ledger_cert *c)
{
    json_t *tree = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I}", "status", status_text(c, world_now_s()),
                             "owner", c->actor, "door", c->door, "subject", c->decision.subject, "names",
                             answer_texts(&c->decision.names), "requested_at",
                             answer_time(c->requested_ms / 1000), "entry", (json_int_t)c->intent);
    if (c->tags.n)
        json_object_set_new(tree, "tags", tags_json(&c->tags));
    if (c->decision.version)
        json_object_set_new(tree, "template_version", json_integer((json_int_t)c->decision.version));
    if (c->recorded_ms)
        json_object_set_new(tree, "issued_at", answer_time(c->recorded_ms / 1000));
    if (c->request && c->request[0])
        json_object_set_new(tree, "request", json_string(c->request));
    if (c->seal.n)
        json_object_set_new(tree, "seal", json_integer((json_int_t)c->seal.n));
    if (c->revoked_at) {
        json_object_set_new(tree, "revoked_at", answer_time(c->revoked_at));
        const char *reason = cert_crl_reason_name((enum cert_reason)c->reason);
        json_object_set_new(tree, "reason", json_string(reason ? reason : "unspecified"));
    }
    return tree;
}

static void add_kin(json_t *to, const char *member, const struct ledger_kin *kin, struct arena *arena)
{
    if (kin->intent)
        json_object_set_new(to, member, json_string(hex_of(arena, kin->serial)));
}

/* The same of one that was asked for by its serial: what it replaces, and what replaces it. */
static json_t *whole_record_json(const struct ledger_cert *c, const struct ledger_lineage *lineage,
                                 struct arena *arena)
{
    json_t *tree = record_json(c);
    add_kin(tree, "replaces", &lineage->replaces, arena);
    add_kin(tree, "renewed_by", &lineage->renewed_by, arena);
    return tree;
}

static json_t *row_json(const struct ledger_cert *c, struct arena *arena)
{
    json_t *tree = record_json(c);
    json_object_set_new(tree, "serial", json_string(hex_of(arena, c->serial)));
    json_object_set_new(tree, "issuer", json_string(c->issuer));
    json_object_set_new(tree, "template", json_string(c->decision.template));
    json_object_set_new(tree, "not_before", answer_time(c->decision.not_before));
    json_object_set_new(tree, "not_after", answer_time(c->decision.not_after));
    return tree;
}

void find_one(struct http_request *r)
{
    static const char *const known[] = {"issuer", "proof", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct view serial;
    struct ledger_cert record;
    struct ledger_lineage lineage;
    struct ca_certificate cert;
    const char *issuer;
    bool proof;

    TRY(asker_admit(r, &asker));
    TRY(answer_acceptable(r));
    TRY(http_query_only(r, known));
    TRY(answer_query(r, "issuer", &issuer));
    TRY(answer_serial(r, &serial));
    TRY(ledger_find(en->setup.ledger, issuer, serial, r->arena, &record));
    if (!ca_may_see(asker, &record))
        TRY(err_new(ERR_NOT_FOUND, "no certificate of this serial is on record"));
    TRY(ledger_lineage(en->setup.ledger, &record, r->arena, &lineage));
    TRY(proven_wanted(r, &proof));
    if (record.record && proof) {
        const struct proven_cert what = {record.issuer, record.serial, 200,
                                         whole_record_json(&record, &lineage, r->arena)};
        proven_answer(en, http_park(r), r->arena, &what);
    } else if (record.record) {
        TRY(ca_certificate_of(&record, r->arena, &cert));
        answer_certificate(r, 200, &cert, whole_record_json(&record, &lineage, r->arena));
    } else {
        answer_json(r, 200, row_json(&record, r->arena));
    }
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* --- the search: one page, in one of three forms --- */

/* Of RFC 4180: what has a comma, a quote or a line's end in it stands in quotes. A text that a spreadsheet
 * would take for a formula gets a blank before it. */
static const char *csv_cell(const char *text, struct arena *arena)
{
    const char *blank = strchr("=+-@", text[0]) && text[0] ? " " : "";
    if (!strpbrk(text, ",\"\r\n"))
        return blank[0] ? arena_printf(arena, "%s%s", blank, text) : text;
    char *to = arena_alloc(arena, 2 * strlen(text) + 4), *at = to;
    *at++ = '"';
    at = stpcpy(at, blank);
    for (; *text; text++) {
        if (*text == '"')
            *at++ = '"';
        *at++ = *text;
    }
    *at = '"';
    return to;
}

static const char *csv_names(const struct ledger_texts *names, struct arena *arena)
{
    const char *text = names->n ? names->items[0] : "";
    for (size_t i = 1; i < names->n; i++)
        text = arena_printf(arena, "%s %s", text, names->items[i]);
    return csv_cell(text, arena);
}

static const char *csv_row(const struct ledger_cert *c, struct arena *arena)
{
    char from[WHEN_TEXT_MAX], till[WHEN_TEXT_MAX], revoked[WHEN_TEXT_MAX] = "";
    const char *reason = c->revoked_at ? cert_crl_reason_name((enum cert_reason)c->reason) : "";
    when_put(from, c->decision.not_before);
    when_put(till, c->decision.not_after);
    if (c->revoked_at)
        when_put(revoked, c->revoked_at);
    return arena_printf(arena, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%llu\r\n", hex_of(arena, c->serial),
                        c->issuer, status_text(c, world_now_s()), from, till,
                        csv_cell(c->decision.template, arena), csv_cell(c->actor, arena),
                        csv_cell(c->decision.subject, arena), csv_names(&c->decision.names, arena), revoked,
                        reason ? reason : "unspecified", (unsigned long long)c->intent);
}

static void reply_rows(struct http_request *r, const struct ledger_page *page, const char *type, bool csv,
                       const char *head)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    CHECK(out);
    fputs(head, out);
    for (size_t i = 0; i < page->n; i++) {
        json_t *row = csv ? NULL : row_json(&page->certs[i], r->arena);
        if (csv)
            fputs(csv_row(&page->certs[i], r->arena), out);
        else
            json_dumpf(row, out, JSON_COMPACT);
        if (!csv)
            fputc('\n', out);
        json_decref(row);
    }
    fclose(out);
    http_reply(r, 200, type, view_of(text, n));
    free(text);
}

static void reply_json(struct http_request *r, const struct ledger_page *page)
{
    json_t *list = json_array();
    for (size_t i = 0; i < page->n; i++)
        json_array_append_new(list, row_json(&page->certs[i], r->arena));
    json_t *tree = json_pack("{s:o}", "certificates", list);
    json_object_set_new(tree, "next", page->next ? json_string(page->next) : json_null());
    answer_json(r, 200, tree);
}

static const char csv_head[] =
    "serial,issuer,status,not_before,not_after,template,owner,subject,names,revoked_at,"
    "reason,entry\r\n";

static void reply_page(struct http_request *r, const struct ledger_query *q, const struct ledger_page *page,
                       int form)
{
    static const struct {
        const char *type;
        bool csv;
    } forms[] = {{"application/x-ndjson", false}, {"text/csv; charset=utf-8; header=present", true}};
    if (page->next)
        http_add(r, "X-Next-Cursor", "%s", page->next);
    if (form == 0)
        reply_json(r, page);
    else
        reply_rows(r, page, forms[form - 1].type, forms[form - 1].csv,
                   forms[form - 1].csv && !q->cursor ? csv_head : "");
}

/* The roster may hold an asker to some issuers and templates. */
static void keep_seen(const struct ca_asker *asker, struct arena *arena, struct ledger_page *page)
{
    struct ledger_cert *kept = arena_array(arena, page->n, sizeof *kept);
    size_t n = 0;
    for (size_t i = 0; i < page->n; i++)
        if (ca_may_see(asker, &page->certs[i]))
            kept[n++] = page->certs[i];
    page->certs = kept;
    page->n = n;
}

static struct err *decode(struct http_request *r, const struct ca_asker *asker, struct ledger_query *q)
{
    static const char *const further[] = {"limit", "cursor", NULL};
    struct err *e = NULL;
    struct select select;
    const char *cursor;

    TRY(select_of_query(r, further, &select));
    TRY(select_query(&select, ((struct enroll *)r->app)->setup.ledger, asker, r->arena, q));
    TRY(answer_query(r, "cursor", &cursor));
    TRY(answer_limit(r, PAGE, PAGE_MAX, &q->limit));
    q->cursor = cursor;
out:
    return e;
}

void find_many(struct http_request *r)
{
    static const char *const types[] = {"application/json", "application/x-ndjson", "text/csv"};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct ledger_query q = {.limit = 0};
    struct ledger_page page;
    int form = http_prefer(r, types, 3);

    TRY(asker_admit(r, &asker));
    if (form < 0)
        TRY(err_new(ERR_NOT_ACCEPTABLE, "there is %s, %s and %s", types[0], types[1], types[2]));
    TRY(decode(r, asker, &q));
    TRY(ledger_search(en->setup.ledger, &q, r->arena, &page));
    keep_seen(asker, r->arena, &page);
    reply_page(r, &q, &page, form);
out:
    if (e)
        asker_refuse(r, asker, e);
}
