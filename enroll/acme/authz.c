/* Authorizations (RFC 8555 7.1.4, 7.4.1, 7.5): made for an order or ahead of one, used again while they hold,
 * given up by the account. */
#include "acme.h"

#include "base/hex.h"
#include "base/world.h"

enum { LEFT_S = 300, TOKEN_BYTES = 32 }; /* one that ends sooner is not used again */

enum acme_status authz_status(const struct ledger_acme_authz *z)
{
    bool over = z->expires <= world_now_s();
    if (z->status == ACME_VALID && over)
        return ACME_EXPIRED;
    if (z->status == ACME_PENDING && over)
        return ACME_INVALID;
    return (enum acme_status)z->status;
}

bool authz_preapproved(const struct ledger_acme_eab *eab, const char *name)
{
    if (!eab || !eab->preapproved)
        return false;
    struct err *e = templates_patterns_cover(eab->names.items, eab->names.n, &name, 1);
    bool covered = e == NULL;
    err_free(e);
    return covered;
}

/* By account and name, the wildcard apart from the name itself. */
static struct view alias_of(struct acme_ask *ask, const char *name)
{
    uint8_t *hash = arena_alloc(ask->r->arena, SHA256_BYTES);
    const struct view parts[] = {ask->account.body.object.id, view_str(name)};
    digest_sha256_parts(parts, 2, hash);
    return view_of(hash, SHA256_BYTES);
}

static bool usable(const struct ledger_acme_authz *z, bool preapproved)
{
    enum acme_status status = authz_status(z);
    bool good = status == ACME_VALID || (status == ACME_PENDING && !preapproved);
    return good && z->expires > world_now_s() + LEFT_S;
}

static void make(struct acme_ask *ask, const char *name, bool preapproved, struct ledger_entry *ret)
{
    uint8_t token[TOKEN_BYTES];
    bool wildcard = strncmp(name, "dns:*.", 6) == 0;
    struct ledger_acme_authz *z = &ret->body.acme_authz;
    *ret = (struct ledger_entry){.kind = LEDGER_ACME_AUTHZ};
    acme_id_new(ask, &z->object);
    world_random(token, sizeof token);
    z->object.owner = ask->account.body.object.id;
    z->object.alias = alias_of(ask, name);
    z->wildcard = wildcard;
    z->name = wildcard ? arena_printf(ask->r->arena, "dns:%s", name + 6) : name;
    z->token = base64url_of(ask->r->arena, view_of(token, sizeof token));
    z->status = preapproved ? ACME_VALID : ACME_PENDING;
    z->tried = preapproved ? "pre-approved" : "";
    z->validated = preapproved ? z->object.created : 0;
    z->expires = z->object.created + (preapproved ? ask->config->authz_s : ask->config->order_s);
    z->error = z->detail = "";
}

struct err *authz_for(struct acme_ask *ask, const char *name, bool preapproved, struct ledger_entry *ret,
                      bool *ret_new)
{
    struct err *e = ledger_object_aliased(ask->en->setup.ledger, LEDGER_ACME_AUTHZ, alias_of(ask, name),
                                          ask->r->arena, ret);
    *ret_new = false;
    if (!e && usable(&ret->body.acme_authz, preapproved))
        return NULL;
    if (e && err_code(e) != ERR_NOT_FOUND)
        return e;
    err_free(e);
    make(ask, name, preapproved, ret);
    *ret_new = true;
    return NULL;
}

/* --- as JSON --- */

json_t *authz_json(struct acme_ask *ask, const struct ledger_acme_authz *z)
{
    enum acme_status status = authz_status(z);
    const char *const *types = challenge_types(z->name, z->wildcard);
    json_t *list = json_array();
    for (; *types; types++) {
        bool shown = status == ACME_PENDING || strcmp(*types, z->tried) == 0;
        if (shown)
            json_array_append_new(list, challenge_json(ask, z, *types));
    }
    json_t *tree =
        json_pack("{s:o, s:s, s:o, s:o}", "identifier", acme_identifier_json(z->name, false), "status",
                  acme_status_text(status), "expires", answer_time(z->expires), "challenges", list);
    if (z->wildcard)
        json_object_set_new(tree, "wildcard", json_true());
    return tree;
}

static void answer_authz(struct acme_ask *ask, int status, const struct ledger_acme_authz *z)
{
    http_add(ask->r, "Location", "%s", acme_object_url(ask, "authz", z->object.id));
    challenge_pace(ask, z);
    acme_answer(ask, status, authz_json(ask, z));
}

/* --- newAuthz (7.4.1) --- */

static void made(struct acme_ask *ask, void *arg, struct err *e)
{
    const struct ledger_entry *authz = arg;
    if (e)
        acme_problem(ask, e);
    else
        answer_authz(ask, 201, &authz->body.acme_authz);
}

struct err *authz_new(struct acme_ask *ask)
{
    struct err *e = NULL;
    const char *name;
    const struct ledger_acme_eab *eab;
    struct ledger_entry *authz = ARENA_NEW(ask->r->arena, struct ledger_entry);
    bool is_new;
    TRY(eab_admits(ask, ask->template, &eab));
    TRY(acme_limit(ask->en->acme->limits, "orders of one account", account_owner(ask),
                   ask->config->orders_per_account));
    TRY(order_name(ask, json_object_get(ask->body, "identifier"), &name));
    if (strncmp(name, "dns:*.", 6) == 0)
        TRY(err_new(ERR_BAD_FIELD,
                    "a wildcard is authorized by an order, not ahead of one (RFC 8555 7.4.1)"));
    if (eab)
        TRY(templates_patterns_cover(eab->names.items, eab->names.n, &name, 1));
    TRY(order_allows(ask, ask->template, &(struct ledger_texts){1, &name}));
    TRY(authz_for(ask, name, authz_preapproved(eab, name), authz, &is_new));
    if (is_new)
        return acme_put(ask, authz, 1, made, authz);
    answer_authz(ask, 200, &authz->body.acme_authz);
out:
    return e;
}

/* --- the authorization itself --- */

static void given_up(struct acme_ask *ask, void *arg, struct err *e)
{
    const struct ledger_entry *authz = arg;
    if (e)
        acme_problem(ask, e);
    else
        answer_authz(ask, 200, &authz->body.acme_authz);
}

struct err *authz_show(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct ledger_entry authz, *next = ARENA_NEW(ask->r->arena, struct ledger_entry);
    const char *status = json_string_value(json_object_get(ask->body, "status"));
    TRY(acme_own(ask, LEDGER_ACME_AUTHZ, &authz));
    enum acme_status now = authz_status(&authz.body.acme_authz);
    if (status && strcmp(status, "deactivated") == 0) {
        if (now != ACME_VALID && now != ACME_PENDING)
            TRY(err_new(ERR_BAD_FIELD, "this authorization is %s (RFC 8555 7.5.2)", acme_status_text(now)));
        *next = acme_next(&authz);
        next->body.acme_authz.status = ACME_DEACTIVATED;
        return acme_put(ask, next, 1, given_up, next);
    }
    if (now == ACME_PENDING)
        challenge_again(ask, &authz);
    answer_authz(ask, 200, &authz.body.acme_authz);
out:
    return e;
}
