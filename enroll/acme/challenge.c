/* Challenges (RFC 8555 7.5.1, 8): which there are, and the client's word that one of them is met. */
#include "acme.h"
#include "courier_check.h"

const char *const *challenge_types(const char *name, bool wildcard)
{
    static const char *const host[] = {"http-01", "dns-01", "tls-alpn-01", "dns-persist-01", NULL};
    static const char *const below[] = {"dns-01", "dns-persist-01", NULL};
    static const char *const address[] = {"http-01", "tls-alpn-01", NULL}; /* RFC 8738 4 */
    if (strncmp(name, "ip:", 3) == 0)
        return address;
    return wildcard ? below : host;
}

enum { PACE_S = 1 };

static const char *status_of(const struct ledger_acme_authz *z, const char *type)
{
    enum acme_status status = authz_status(z);
    if (strcmp(z->tried, type) != 0)
        return "pending";
    if (status == ACME_PENDING)
        return "processing";
    return status == ACME_INVALID ? "invalid" : "valid";
}

static const char *issuer_of(const struct acme_ask *ask)
{
    return ask->config->caa.n ? ask->config->caa.items[0] : "";
}

/* What the holder of the name is to write, once: for people, and for clients that know it. */
static json_t *record_of(struct acme_ask *ask, const struct ledger_acme_authz *z)
{
    const char *account = acme_object_url(ask, "account", z->object.owner);
    return json_string(courier_persist_text(issuer_of(ask), account, z->wildcard, ask->r->arena));
}

json_t *challenge_json(struct acme_ask *ask, const struct ledger_acme_authz *z, const char *type)
{
    bool mine = strcmp(z->tried, type) == 0;
    json_t *tree =
        json_pack("{s:s, s:s, s:s, s:o}", "type", type, "status", status_of(z, type), "token", z->token,
                  "url", json_sprintf("%s/%s", acme_object_url(ask, "challenge", z->object.id), type));
    if (strcmp(type, "dns-persist-01") == 0)
        json_object_set_new(tree, "record", record_of(ask, z));
    if (mine && z->validated)
        json_object_set_new(tree, "validated", answer_time(z->validated));
    if (mine && z->error[0])
        json_object_set_new(tree, "error", acme_error_json(z->error, z->detail));
    return tree;
}

/* --- the challenge --- */

void challenge_pace(struct acme_ask *ask, const struct ledger_acme_authz *z)
{
    if (z->tried[0] && authz_status(z) == ACME_PENDING)
        http_add(ask->r, "Retry-After", "%d", PACE_S);
}

static void answer_challenge(struct acme_ask *ask, const struct ledger_acme_authz *z, const char *type)
{
    http_add(ask->r, "Link", "<%s>;rel=\"up\"", acme_object_url(ask, "authz", z->object.id));
    challenge_pace(ask, z);
    acme_answer(ask, 200, challenge_json(ask, z, type));
}

static void chosen(struct acme_ask *ask, void *arg, struct err *e)
{
    const struct ledger_entry *next = arg;
    const struct ledger_acme_authz *z = &next->body.acme_authz;
    if (e) {
        acme_problem(ask, e);
        return;
    }
    challenge_again(ask, next);
    answer_challenge(ask, z, z->tried);
}

static const char *type_of(struct acme_ask *ask, const struct ledger_acme_authz *z)
{
    const char *const *types = challenge_types(z->name, z->wildcard);
    for (; *types; types++)
        if (view_eq_str(http_segment(ask->r, "type"), *types))
            return *types;
    return NULL;
}

struct err *challenge_show(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct ledger_entry authz, *next = ARENA_NEW(ask->r->arena, struct ledger_entry);
    TRY(acme_own(ask, LEDGER_ACME_AUTHZ, &authz));
    const struct ledger_acme_authz *z = &authz.body.acme_authz;
    const char *type = type_of(ask, z);
    if (!type)
        TRY(err_new(ERR_NOT_FOUND, "this authorization has no such challenge"));
    bool begins = ask->body && authz_status(z) == ACME_PENDING && !z->tried[0];
    if (begins) {
        *next = acme_next(&authz);
        next->body.acme_authz.tried = type;
        return acme_put(ask, next, 1, chosen, next);
    }
    if (authz_status(z) == ACME_PENDING)
        challenge_again(ask, &authz);
    answer_challenge(ask, z, type);
out:
    return e;
}
