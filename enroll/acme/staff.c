/* /v1/acme/accounts, /orders, /authzs: what stands on record, for those who run this place and those who look
 * into it. Never changes anything. */
#include "staff.h"

#include <stdlib.h>

#include "acme.h"
#include "base/world.h"

enum { PAGE = 100 };

typedef json_t *show_fn(struct http_request *r, const struct ledger_entry *entry, bool whole);

static json_t *head(struct http_request *r, const struct ledger_entry *entry, const char *status)
{
    const struct ledger_object *o = &entry->body.object;
    return json_pack("{s:s, s:s, s:o, s:I, s:o}", "id", hex_of(r->arena, o->id), "status", status, "created",
                     answer_time(o->created), "entry", (json_int_t)entry->seq, "changed",
                     answer_time(entry->time_ms / 1000));
}

static json_t *account_json(struct http_request *r, const struct ledger_entry *entry, bool whole)
{
    const struct ledger_acme_account *a = &entry->body.acme_account;
    struct cert_key key;
    json_t *tree = head(r, entry, acme_status_text(a->status));
    struct err *e = cert_key_parse(a->spki, &key);
    (void)whole;
    json_object_set_new(tree, "contact", answer_texts(&a->contacts));
    json_object_set_new(tree, "key", json_string(e ? "" : cert_key_text(&key, r->arena)));
    json_object_set_new(tree, "thumbprint", json_string(base64url_of(r->arena, a->object.alias)));
    json_object_set_new(tree, "eab",
                        a->object.owner.n ? json_string(hex_of(r->arena, a->object.owner)) : json_null());
    json_object_set_new(tree, "owner", json_sprintf("acme:%s", hex_of(r->arena, a->object.id)));
    err_free(e);
    return tree;
}

static json_t *authz_tree(struct http_request *r, const struct ledger_entry *entry, bool whole)
{
    const struct ledger_acme_authz *z = &entry->body.acme_authz;
    json_t *tree = head(r, entry, acme_status_text(authz_status(z)));
    (void)whole;
    json_object_set_new(tree, "account", json_string(hex_of(r->arena, z->object.owner)));
    json_object_set_new(tree, "name", json_string(z->name));
    json_object_set_new(tree, "wildcard", json_boolean(z->wildcard));
    json_object_set_new(tree, "by", json_string(z->tried));
    json_object_set_new(tree, "validated", z->validated ? answer_time(z->validated) : json_null());
    json_object_set_new(tree, "expires", answer_time(z->expires));
    json_object_set_new(tree, "error", json_string(z->error));
    json_object_set_new(tree, "detail", json_string(z->detail));
    return tree;
}

static json_t *authzs_of(struct http_request *r, const struct ledger_acme_order *o, enum acme_status *ret)
{
    const struct enroll *en = r->app;
    json_t *list = json_array();
    for (size_t i = 0; i < o->authzs.n; i++) {
        struct view id;
        struct ledger_entry entry;
        struct err *e = hex_parse(r->arena, view_str(o->authzs.items[i]), &id);
        if (!e)
            e = ledger_object_find(en->setup.ledger, LEDGER_ACME_AUTHZ, id, r->arena, &entry);
        if (!e) {
            enum acme_status status = authz_status(&entry.body.acme_authz);
            json_array_append_new(list, authz_tree(r, &entry, false));
            if (status != ACME_VALID && *ret != ACME_INVALID)
                *ret = status == ACME_PENDING ? ACME_PENDING : ACME_INVALID;
        }
        err_free(e);
    }
    return list;
}

static json_t *order_json(struct http_request *r, const struct ledger_entry *entry, bool whole)
{
    const struct enroll *en = r->app;
    const struct ledger_acme_order *o = &entry->body.acme_order;
    enum acme_status status = o->expires > world_now_s() ? ACME_READY : ACME_INVALID;
    json_t *authzs = authzs_of(r, o, &status);
    if (o->status != ACME_PENDING)
        status = (enum acme_status)o->status;
    else if (en->acme && acme_work_of(en->acme, o->object.id))
        status = ACME_PROCESSING;
    json_t *tree = head(r, entry, acme_status_text(status));
    json_object_set_new(tree, "account", json_string(hex_of(r->arena, o->object.owner)));
    json_object_set_new(tree, "template", json_string(o->template));
    json_object_set_new(tree, "names", answer_texts(&o->names));
    json_object_set_new(tree, "expires", answer_time(o->expires));
    json_object_set_new(tree, "issuer", json_string(o->issuer));
    json_object_set_new(tree, "serial", json_string(hex_of(r->arena, o->serial)));
    json_object_set_new(tree, "error", json_string(o->error));
    json_object_set_new(tree, "detail", json_string(o->detail));
    json_object_set_new(tree, "waits", json_string(o->waits ? o->waits : ""));
    if (whole)
        json_object_set(tree, "authzs", authzs);
    json_decref(authzs);
    return tree;
}

/* --- one, and many --- */

static struct err *hex_id(struct http_request *r, struct view text, struct view *ret)
{
    struct err *e = hex_parse(r->arena, text, ret);
    if (!e && ret->n == ACME_ID_BYTES)
        return NULL;
    err_free(e);
    return err_new(ERR_NOT_FOUND, "an id has %d hexadecimal digits", 2 * ACME_ID_BYTES);
}

static void show_one(struct http_request *r, unsigned kind, show_fn *show)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct view id;
    struct ledger_entry entry;
    TRY(asker_admit(r, &asker));
    TRY(hex_id(r, http_segment(r, "id"), &id));
    TRY(ledger_object_find(en->setup.ledger, kind, id, r->arena, &entry));
    answer_json(r, 200, show(r, &entry, true));
out:
    if (e)
        asker_refuse(r, asker, e);
}

static void show_many(struct http_request *r, unsigned kind, const char *member, show_fn *show)
{
    static const char *const known[] = {"limit", "cursor", "account", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    const struct ledger_entry *list;
    const char *cursor, *account;
    struct view owner = view_of("", 0);
    size_t limit, n;
    uint64_t next;
    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(answer_limit(r, PAGE, PAGE, &limit));
    TRY(answer_query(r, "cursor", &cursor));
    TRY(answer_query(r, "account", &account));
    if (account)
        TRY(hex_id(r, view_str(account), &owner));
    TRY(ledger_object_list(en->setup.ledger, kind, owner, cursor ? strtoull(cursor, NULL, 10) : 0, limit,
                           r->arena, &list, &n, &next));
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, show(r, &list[i], false));
    answer_json(r, 200,
                json_pack("{s:o, s:o}", member, rows, "next",
                          next ? json_sprintf("%llu", (unsigned long long)next) : json_null()));
out:
    if (e)
        asker_refuse(r, asker, e);
}

void staff_accounts(struct http_request *r)
{
    show_many(r, LEDGER_ACME_ACCOUNT, "accounts", account_json);
}

void staff_account(struct http_request *r)
{
    show_one(r, LEDGER_ACME_ACCOUNT, account_json);
}

void staff_orders(struct http_request *r)
{
    show_many(r, LEDGER_ACME_ORDER, "orders", order_json);
}

void staff_order(struct http_request *r)
{
    show_one(r, LEDGER_ACME_ORDER, order_json);
}

void staff_authzs(struct http_request *r)
{
    show_many(r, LEDGER_ACME_AUTHZ, "authzs", authz_tree);
}

void staff_authz(struct http_request *r)
{
    show_one(r, LEDGER_ACME_AUTHZ, authz_tree);
}
