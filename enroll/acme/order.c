/*
 * Orders (RFC 8555 7.1.3, 7.4). Whether one is ready follows from its authorizations whenever it is looked
 * at, so that a change of these needs no second entry.
 */
#include "acme.h"

#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "cert/san.h"

enum { NOT_BEFORE_SLACK_S = 300, RETRY_S = 2, APPROVAL_RETRY_S = 30 };

/* --- names --- */

struct err *order_name(struct acme_ask *ask, const json_t *tree, const char **ret)
{
    struct cert_san san;
    const char *type = json_string_value(json_object_get(tree, "type"));
    const char *value = json_string_value(json_object_get(tree, "value"));
    if (!type || !value)
        return err_new(ERR_BAD_FIELD, "an identifier has a type and a value (RFC 8555 7.1.3)");
    if (strcmp(type, "dns") != 0 && strcmp(type, "ip") != 0)
        return err_new(ERR_UNSUPPORTED_NAME,
                       "identifiers are of type dns (RFC 8555) or ip (RFC 8738), not '%.40s'", type);
    struct err *e =
        cert_san_of_text(view_str(arena_printf(ask->r->arena, "%s:%s", type, value)), ask->r->arena, &san);
    if (!e)
        *ret = cert_san_text(&san, ask->r->arena);
    return acme_as(e, ERR_BAD_NAME);
}

static bool is_there(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* What the template says of names is told before anybody meets a challenge for them. */
struct err *order_allows(const struct acme_ask *ask, const char *template, const struct ledger_texts *names)
{
    const struct templates *set = ca_setup_get(ask->en->setup.ca)->templates;
    const struct template *t = templates_find(set, view_str(template));
    if (!t)
        return err_new(ERR_TEMPLATE_UNKNOWN, "no template '%.100s'", template);
    struct err *e = templates_names_check(t, names->items, names->n, ask->r->arena);
    return e && err_code(e) == ERR_POLICY ? acme_as(e, ERR_NAME_FORBIDDEN) : e;
}

/* An account that was bound to a namespace stays inside it. */
static struct err *check_name(struct acme_ask *ask, const struct ledger_acme_eab *eab, const char *template,
                              const char *name)
{
    struct err *e = NULL;
    if (eab)
        TRY(templates_patterns_cover(eab->names.items, eab->names.n, &name, 1));
    TRY(order_allows(ask, template, &(struct ledger_texts){1, &name}));
    TRY(acme_limit(ask->en->acme->limits, "orders of one name", name, ask->config->orders_per_name));
out:
    return e;
}

/* Every bad name is told, not only the first (RFC 8555 6.7.1). */
static struct err *read_names(struct acme_ask *ask, const struct ledger_acme_eab *eab, const char *template,
                              struct ledger_texts *ret)
{
    const json_t *list = json_object_get(ask->body, "identifiers");
    size_t n = json_array_size(list), kept = 0;
    enum err_code worst = ERR__COUNT;
    if (!json_is_array(list) || n == 0 || n > ACME_NAMES_MAX)
        return err_new(ERR_BAD_FIELD, "identifiers is a list of 1 to %d (RFC 8555 7.4)", ACME_NAMES_MAX);
    const char **names = arena_array(ask->r->arena, n, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        const json_t *tree = json_array_get(list, i);
        const char *name = NULL, *shown = json_string_value(json_object_get(tree, "value"));
        struct err *e = order_name(ask, tree, &name);
        if (!e)
            e = check_name(ask, eab, template, name);
        if (e && (n == 1 || !shown))
            return e;
        if (e) {
            worst = err_code(e);
            acme_subproblem(ask, name ? name : arena_printf(ask->r->arena, "dns:%s", shown), e);
        } else if (!is_there(names, kept, name)) {
            names[kept++] = name;
        }
    }
    *ret = (struct ledger_texts){kept, names};
    return worst == ERR__COUNT ? NULL : err_new(worst, "some of the names are refused: see subproblems");
}

/* --- the rest of the payload --- */

/* Zero values are as good as none: Go's clients send them. */
static const char *text_of(const struct acme_ask *ask, const char *name)
{
    const char *text = json_string_value(json_object_get(ask->body, name));
    return text && *text && strncmp(text, "0001-01-01T", 11) != 0 ? text : NULL;
}

static struct err *read_times(struct acme_ask *ask, struct ledger_acme_order *o)
{
    struct err *e = NULL;
    const char *not_before = text_of(ask, "notBefore"), *not_after = text_of(ask, "notAfter");
    int64_t now = world_now_s();
    if (not_before)
        TRY(err_wrap(when_parse(view_str(not_before), &o->not_before), "notBefore"));
    if (not_after)
        TRY(err_wrap(when_parse(view_str(not_after), &o->not_after), "notAfter"));
    if (not_before && (o->not_before > now + NOT_BEFORE_SLACK_S || o->not_before < now - NOT_BEFORE_SLACK_S))
        TRY(err_new(ERR_BAD_FIELD, "notBefore: certificates begin when they are made; leave it out"));
    if (not_after && o->not_after <= now)
        TRY(err_new(ERR_BAD_FIELD, "notAfter: %s is over", not_after));
out:
    return e;
}

static struct err *read_profile(struct acme_ask *ask, struct ledger_acme_order *o)
{
    const char *profile = text_of(ask, "profile");
    bool named = http_segment(ask->r, "template").p != NULL;
    o->template = ask->template;
    if (!profile)
        return NULL;
    for (size_t i = 0; i < ask->config->templates.n; i++) {
        const char *name = ask->config->templates.items[i];
        if (strcmp(name, profile) == 0 && (!named || strcmp(name, ask->template) == 0)) {
            o->template = name;
            return NULL;
        }
    }
    return err_new(ERR_BAD_PROFILE, "no profile '%.60s' in this directory: its meta.profiles names them",
                   profile);
}

/* RFC 9773 5: one certificate is replaced by one other. */
static struct err *read_replaces(struct acme_ask *ask, struct ledger_acme_order *o)
{
    struct err *e = NULL;
    struct ledger_cert old;
    struct ledger_entry other;
    const char *text = text_of(ask, "replaces");
    uint8_t *alias = arena_alloc(ask->r->arena, SHA256_BYTES);
    o->replaces = "";
    if (!text)
        return NULL;
    TRY(err_wrap(renewal_find(ask->en, view_str(text), ask->r->arena, &old), "replaces"));
    if (strcmp(old.actor, account_owner(ask)) != 0)
        TRY(err_new(ERR_FORBIDDEN, "replaces: this certificate is not of this account (RFC 9773 5)"));
    digest_sha256(view_str(text), alias);
    o->object.alias = view_of(alias, SHA256_BYTES);
    o->replaces = arena_str(ask->r->arena, view_str(text));
    e = ledger_object_aliased(ask->en->setup.ledger, LEDGER_ACME_ORDER, o->object.alias, ask->r->arena,
                              &other);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        return NULL;
    }
    TRY(e);
    const struct ledger_acme_order *first = &other.body.acme_order;
    if (first->status == ACME_VALID || (first->status == ACME_PENDING && first->expires > world_now_s()))
        e = err_new(ERR_ALREADY_REPLACED, "replaces: another order replaces this certificate (RFC 9773 5)");
out:
    return e;
}

/* --- newOrder --- */

struct making {
    struct ledger_entry *entries; /* authorizations that are new, then the order */
    size_t n;
};

static void made(struct acme_ask *ask, void *arg, struct err *e)
{
    const struct making *m = arg;
    if (!e)
        e = order_answer(ask, 201, &m->entries[m->n - 1].body.acme_order);
    if (e)
        acme_problem(ask, e);
}

static struct err *authorize(struct acme_ask *ask, const struct ledger_acme_eab *eab,
                             struct ledger_acme_order *o, struct making *m)
{
    struct err *e = NULL;
    const char **ids = arena_array(ask->r->arena, o->names.n, sizeof *ids);
    m->entries = arena_array(ask->r->arena, o->names.n + 1, sizeof *m->entries);
    for (size_t i = 0; i < o->names.n; i++) {
        const char *name = o->names.items[i];
        struct ledger_entry authz;
        bool is_new;
        TRY(authz_for(ask, name, authz_preapproved(eab, name), &authz, &is_new));
        ids[i] = hex_of(ask->r->arena, authz.body.object.id);
        if (authz.body.acme_authz.status == ACME_VALID && authz.body.acme_authz.expires < o->expires)
            o->expires = authz.body.acme_authz.expires;
        if (is_new)
            m->entries[m->n++] = authz;
    }
    o->authzs = (struct ledger_texts){o->names.n, ids};
out:
    return e;
}

struct err *order_new(struct acme_ask *ask)
{
    struct err *e = NULL;
    const struct ledger_acme_eab *eab;
    struct making *m = ARENA_NEW(ask->r->arena, struct making);
    struct ledger_entry order = {.kind = LEDGER_ACME_ORDER};
    struct ledger_acme_order *o = &order.body.acme_order;

    TRY(read_profile(ask, o));
    TRY(eab_admits(ask, o->template, &eab));
    TRY(acme_limit(ask->en->acme->limits, "orders of one account", account_owner(ask),
                   ask->config->orders_per_account));
    TRY(read_names(ask, eab, o->template, &o->names));
    TRY(order_allows(ask, o->template, &o->names));
    TRY(read_times(ask, o));
    TRY(read_replaces(ask, o));
    acme_id_new(ask, &o->object);
    o->object.owner = ask->account.body.object.id;
    o->status = ACME_PENDING;
    o->expires = o->object.created + ask->config->order_s;
    TRY(authorize(ask, eab, o, m));
    m->entries[m->n++] = order;
    TRY(acme_put(ask, m->entries, m->n, made, m));
out:
    return e;
}

/* --- as it stands --- */

static struct err *authz_at(struct acme_ask *ask, const char *hex, struct ledger_entry *ret)
{
    struct view id;
    struct err *e = hex_parse(ask->r->arena, view_str(hex), &id);
    return e ? e : ledger_object_find(ask->en->setup.ledger, LEDGER_ACME_AUTHZ, id, ask->r->arena, ret);
}

struct err *order_status(struct acme_ask *ask, const struct ledger_acme_order *o, enum acme_status *ret)
{
    struct err *e = NULL;
    *ret = (enum acme_status)o->status;
    if (o->status != ACME_PENDING)
        return NULL;
    *ret = ACME_PROCESSING;
    if (acme_work_of(ask->en->acme, o->object.id))
        return NULL;
    *ret = o->expires > world_now_s() ? ACME_READY : ACME_INVALID;
    for (size_t i = 0; i < o->authzs.n && *ret != ACME_INVALID; i++) {
        struct ledger_entry authz;
        TRY(authz_at(ask, o->authzs.items[i], &authz));
        enum acme_status status = authz_status(&authz.body.acme_authz);
        if (status != ACME_VALID)
            *ret = status == ACME_PENDING ? ACME_PENDING : ACME_INVALID;
        if (status == ACME_PENDING)
            challenge_again(ask, &authz);
    }
out:
    return e;
}

/* What became of its names, where that is why it failed. */
static json_t *authz_problems(struct acme_ask *ask, const struct ledger_acme_order *o)
{
    json_t *list = json_array();
    for (size_t i = 0; i < o->authzs.n; i++) {
        struct ledger_entry authz;
        struct err *e = authz_at(ask, o->authzs.items[i], &authz);
        const struct ledger_acme_authz *z = &authz.body.acme_authz;
        if (!e && z->error[0]) {
            json_t *problem = acme_error_json(z->error, z->detail);
            json_object_set_new(problem, "identifier", acme_identifier_json(z->name, false));
            json_array_append_new(list, problem);
        }
        err_free(e);
    }
    return list;
}

static json_t *error_of(struct acme_ask *ask, const struct ledger_acme_order *o)
{
    if (o->error && o->error[0])
        return acme_error_json(o->error, o->detail);
    json_t *problems = authz_problems(ask, o);
    if (json_array_size(problems) == 0) {
        json_decref(problems);
        return acme_error_json("malformed", o->expires <= world_now_s()
                                                ? "the order has expired"
                                                : "an authorization of this order is no longer valid");
    }
    json_t *first = json_array_get(problems, 0);
    json_t *tree = acme_error_json("", "");
    json_object_set(tree, "type", json_object_get(first, "type"));
    json_object_set(tree, "detail", json_object_get(first, "detail"));
    json_object_set_new(tree, "subproblems", problems);
    return tree;
}

static json_t *names_json(const struct ledger_texts *names)
{
    json_t *list = json_array();
    for (size_t i = 0; i < names->n; i++)
        json_array_append_new(list, acme_identifier_json(names->items[i], false));
    return list;
}

struct err *order_answer(struct acme_ask *ask, int http_status, const struct ledger_acme_order *o)
{
    enum acme_status status;
    const char *url = acme_object_url(ask, "order", o->object.id);
    struct err *e = order_status(ask, o, &status);
    if (e)
        return e;
    json_t *authzs = json_array();
    for (size_t i = 0; i < o->authzs.n; i++)
        json_array_append_new(authzs, json_string(acme_url(ask, "/acme/authz/%s", o->authzs.items[i])));
    json_t *tree = json_pack("{s:s, s:o, s:o, s:o, s:o, s:s}", "status", acme_status_text(status), "expires",
                             answer_time(o->expires), "identifiers", names_json(&o->names), "authorizations",
                             authzs, "finalize", json_sprintf("%s/finalize", url), "profile", o->template);
    if (o->not_before)
        json_object_set_new(tree, "notBefore", answer_time(o->not_before));
    if (o->not_after)
        json_object_set_new(tree, "notAfter", answer_time(o->not_after));
    if (o->replaces[0])
        json_object_set_new(tree, "replaces", json_string(o->replaces));
    if (status == ACME_VALID)
        json_object_set_new(tree, "certificate", json_string(acme_object_url(ask, "cert", o->object.id)));
    if (status == ACME_INVALID)
        json_object_set_new(tree, "error", error_of(ask, o));
    if (status == ACME_PROCESSING)
        http_add(ask->r, "Retry-After", "%d", o->waits && o->waits[0] ? APPROVAL_RETRY_S : RETRY_S);
    http_add(ask->r, "Location", "%s", url);
    acme_answer(ask, http_status, tree);
    return NULL;
}

struct err *order_show(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct ledger_entry order;
    TRY(acme_own(ask, LEDGER_ACME_ORDER, &order));
    finalize_again(ask, &order);
    TRY(order_answer(ask, 200, &order.body.acme_order));
out:
    return e;
}
