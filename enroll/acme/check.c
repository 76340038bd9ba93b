/*
 * Checks of challenges: the courier looks, and what it has found becomes the authorization's next state. A
 * check that is lost with its process or its courier is made again when the client asks.
 */
#include "acme.h"

#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "courier_check.h"

static const struct {
    const char *type;
    enum courier_check_kind kind;
} kinds[] = {{"http-01", COURIER_HTTP_01},
             {"dns-01", COURIER_DNS_01},
             {"tls-alpn-01", COURIER_TLS_ALPN_01},
             {"dns-persist-01", COURIER_DNS_PERSIST}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void written(void *arg, struct err *e, const struct ledger_result *r)
{
    (void)r;
    if (e)
        log_warn("acme.authz", log_err(e));
    err_free(e);
    acme_work_end(arg);
}

static void put_found(struct acme_work *w, const struct courier_finding *f)
{
    struct ledger_entry next = acme_next(&w->object);
    struct ledger_acme_authz *z = &next.body.acme_authz;
    const struct enroll_acme *config = w->en->config.acme;
    bool valid = f->verdict == COURIER_VALID;
    z->status = valid ? ACME_VALID : ACME_INVALID;
    z->validated = valid ? world_now_s() : 0;
    if (valid)
        z->expires = z->validated + config->authz_s;
    z->error = valid ? "" : courier_problem_type(f->problem);
    z->detail = f->detail;
    next.actor = w->object.actor;
    next.door = "acme";
    next.peer = w->object.peer;
    next.request = w->object.request;
    struct err *e = ledger_append(w->en->setup.ledger, &next, written, w, NULL);
    if (e)
        written(w, e, NULL);
}

static void found(void *arg, const struct courier_finding *f)
{
    struct acme_work *w = arg;
    const struct ledger_acme_authz *z = &w->object.body.acme_authz;
    log_info("acme.checked", log_text("name", z->name), log_text("type", z->tried),
             log_text("verdict", f->verdict == COURIER_VALID     ? "valid"
                                 : f->verdict == COURIER_INVALID ? "invalid"
                                                                 : "untried"),
             log_text("detail", f->detail));
    if (f->verdict == COURIER_UNTRIED || !w->en->config.acme)
        acme_work_end(w);
    else
        put_found(w, f);
}

static enum courier_check_kind kind_of(const char *type)
{
    size_t i = 0;
    while (i + 1 < KINDS && strcmp(kinds[i].type, type) != 0)
        i++;
    return kinds[i].kind;
}

/* token.thumbprint (RFC 8555 8.1), by the account's key as it is now. */
static struct err *key_authorization(struct acme_work *w, const char **ret)
{
    struct err *e = NULL;
    const struct ledger_acme_authz *z = &w->object.body.acme_authz;
    struct ledger_entry account;
    TRY(ledger_object_find(w->en->setup.ledger, LEDGER_ACME_ACCOUNT, z->object.owner, w->arena, &account));
    *ret = arena_printf(w->arena, "%s.%s", z->token, base64url_of(w->arena, account.body.object.alias));
out:
    return e;
}

static struct err *look(struct enroll *en, struct view id)
{
    struct err *e = NULL;
    struct acme_work *w = NULL;
    TRY(acme_work_new(en, LEDGER_ACME_AUTHZ, id, sizeof *w, &w));
    const struct ledger_acme_authz *z = &w->object.body.acme_authz;
    struct courier_check check = {.kind = kind_of(z->tried),
                                  .identifier = strchr(z->name, ':') + 1,
                                  .ip = strncmp(z->name, "ip:", 3) == 0,
                                  .wildcard = z->wildcard,
                                  .token = z->token,
                                  .method = z->tried};
    TRY(key_authorization(w, &check.key_authorization));
    check.account =
        arena_printf(w->arena, "%s/acme/account/%s", en->config.acme->url, hex_of(w->arena, z->object.owner));
    if (!en->setup.courier)
        TRY(err_new(ERR_BUSY, "nobody can look at challenges here"));
    TRY(courier_check(en->setup.courier, &check, found, w));
out:
    if (e && w)
        acme_work_end(w);
    return e;
}

void challenge_again(struct acme_ask *ask, const struct ledger_entry *authz)
{
    const struct ledger_acme_authz *z = &authz->body.acme_authz;
    if (!z->tried[0] || acme_work_of(ask->en->acme, z->object.id))
        return;
    struct err *e = look(ask->en, z->object.id);
    if (e)
        log_info("acme.unchecked", log_text("name", z->name), log_err(e));
    err_free(e);
}
