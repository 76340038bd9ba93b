/* GET /v1/certificates/{serial} and the search. A requester finds only its own; what is not its own is not
 * there. */
#include <string.h>

#include "../house.h"
#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "rest.h"

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
    if (c->decision.version)
        json_object_set_new(tree, "template_version", json_integer((json_int_t)c->decision.version));
    if (c->seal.n)
        json_object_set_new(tree, "seal", json_integer((json_int_t)c->seal.n));
    if (c->revoked_at) {
        json_object_set_new(tree, "revoked_at", answer_time(c->revoked_at));
        const char *reason = cert_crl_reason_name((enum cert_reason)c->reason);
        json_object_set_new(tree, "reason", json_string(reason ? reason : "unspecified"));
    }
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
    static const char *const known[] = {"issuer", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct view serial;
    struct ledger_cert record;
    struct ca_certificate cert;
    const char *issuer;

    TRY(asker_admit(r, &asker));
    TRY(answer_acceptable(r));
    TRY(http_query_only(r, known));
    TRY(answer_query(r, "issuer", &issuer));
    TRY(answer_serial(r, &serial));
    TRY(ledger_find(en->setup.ledger, issuer, serial, r->arena, &record));
    if (!ca_may_see(asker, &record))
        TRY(err_new(ERR_NOT_FOUND, "no certificate of this serial is on record"));
    if (record.state == LEDGER_STATE_RECORDED || record.state == LEDGER_STATE_REVOKED) {
        TRY(ca_certificate_of(&record, r->arena, &cert));
        answer_certificate(r, 200, &cert, record_json(&record));
    } else {
        answer_json(r, 200, row_json(&record, r->arena));
    }
out:
    if (e)
        asker_refuse(r, asker, e);
}

static struct err *status_filter(const char *text, enum ledger_filter *ret)
{
    static const char *const texts[] = {"any", "valid", "expired", "revoked"};
    static const enum ledger_filter filters[] = {LEDGER_ANY, LEDGER_VALID, LEDGER_EXPIRED, LEDGER_IS_REVOKED};
    *ret = LEDGER_ANY;
    if (!text)
        return NULL;
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(text, texts[i]) != 0)
            continue;
        *ret = filters[i];
        return NULL;
    }
    return err_at(err_new(ERR_BAD_FIELD, "status is any, valid, expired or revoked"), "/status");
}

static struct err *time_of(struct http_request *r, const char *name, int64_t *ret)
{
    const char *text;
    struct err *e = answer_query(r, name, &text);
    if (e || !text)
        return e;
    return err_at(when_parse(view_str(text), ret), "/%s", name);
}

static struct err *decode(struct http_request *r, const struct ca_asker *asker, struct ledger_query *q)
{
    static const char *const known[] = {"issuer",         "name",           "under", "owner",
                                        "template",       "status",         "limit", "cursor",
                                        "not_after_from", "not_after_till", NULL};
    struct err *e = NULL;
    const char *status;

    TRY(http_query_only(r, known));
    TRY(answer_query(r, "issuer", &q->issuer));
    TRY(answer_query(r, "name", &q->name));
    TRY(answer_query(r, "under", &q->under));
    TRY(answer_query(r, "owner", &q->actor));
    TRY(answer_query(r, "template", &q->template));
    TRY(answer_query(r, "cursor", &q->cursor));
    TRY(answer_query(r, "status", &status));
    TRY(status_filter(status, &q->status));
    TRY(time_of(r, "not_after_from", &q->not_after_from));
    TRY(time_of(r, "not_after_till", &q->not_after_till));
    TRY(answer_limit(r, PAGE, PAGE_MAX, &q->limit));
    q->now = world_now_s();
    if (asker->role == CA_ROLE_REQUESTER)
        q->actor = asker->id;
out:
    return e;
}

void find_many(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct ledger_query q = {.limit = 0};
    struct ledger_page page;

    TRY(asker_admit(r, &asker));
    TRY(decode(r, asker, &q));
    TRY(ledger_search(en->setup.ledger, &q, r->arena, &page));
    json_t *list = json_array();
    for (size_t i = 0; i < page.n; i++)
        json_array_append_new(list, row_json(&page.certs[i], r->arena));
    json_t *tree = json_pack("{s:o}", "certificates", list);
    json_object_set_new(tree, "next", page.next ? json_string(page.next) : json_null());
    answer_json(r, 200, tree);
out:
    if (e)
        asker_refuse(r, asker, e);
}
