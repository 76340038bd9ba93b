/*
 * The gate: a request becomes a `struct acme_ask` (RFC 8555 6.2 to 6.5). What is cheap is looked at first:
 * form, URL, nonce; then whose key; the signature last. A refusal is on record before it is told.
 */
#include "acme.h"

#include "base/hex.h"

struct err *acme_directory_of(struct http_request *r, const struct enroll_acme **ret,
                              const char **ret_template)
{
    const struct enroll *en = r->app;
    const struct enroll_acme *config = en->config.acme;
    struct view name = http_segment(r, "template");
    if (!config || !en->acme)
        return err_new(ERR_NOT_FOUND, "ACME is not switched on here");
    *ret = config;
    *ret_template = config->template;
    for (size_t i = 0; name.p && i < config->templates.n; i++)
        if (view_eq_str(name, config->templates.items[i])) {
            *ret_template = config->templates.items[i];
            return NULL;
        }
    return name.p ? err_new(ERR_NOT_FOUND, "no ACME directory of this name") : NULL;
}

/* --- the header --- */

/* What the client must have signed: the URL as we gave it out, whatever Host says. */
static struct err *check_url(const struct acme_ask *ask)
{
    const struct http_request *r = ask->r;
    struct view base = view_str(ask->config->url), said = view_str(ask->jws.url);
    if (!ask->jws.url)
        return err_new(ERR_BAD_FIELD, "JWS header: \"url\" is missing (RFC 8555 6.4)");
    if (r->query.n == 0 && view_starts(said, base) && view_eq(view_from(said, base.n), r->path))
        return NULL;
    return err_new(ERR_FORBIDDEN,
                   "JWS header: \"url\" is not the URL that this was sent to, under %s (RFC 8555 6.4)",
                   ask->config->url);
}

static struct err *check_nonce(const struct acme_ask *ask)
{
    if (!ask->jws.nonce)
        return err_new(ERR_BAD_NONCE, "JWS has an invalid anti-replay nonce: there is none (RFC 8555 6.5)");
    return acme_nonce_check(ask->en->acme->nonces, view_str(ask->jws.nonce));
}

static struct err *check_by(const struct acme_ask *ask)
{
    const struct cert_jws *jws = &ask->jws;
    if (jws->has_jwk && jws->kid)
        return err_new(ERR_BAD_FIELD, "JWS header: \"jwk\" and \"kid\" exclude each other (RFC 8555 6.2)");
    if (!jws->has_jwk && !jws->kid)
        return err_new(ERR_BAD_FIELD, "JWS header: \"jwk\" or \"kid\" is needed (RFC 8555 6.2)");
    if (jws->has_jwk && !(ask->row->by & ACME_BY_JWK))
        return err_new(ERR_BAD_FIELD, "JWS header: name the account by \"kid\" (RFC 8555 6.2)");
    if (jws->kid && !(ask->row->by & ACME_BY_KID))
        return err_new(ERR_BAD_FIELD, "JWS header: send the key as \"jwk\" (RFC 8555 6.2)");
    return NULL;
}

/* --- whose key --- */

static struct err *account_unknown(void)
{
    return err_new(ERR_ACCOUNT_UNKNOWN, "no account of this URL or key is known here (RFC 8555 7.3)");
}

static struct err *find_account(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct view id, kid = view_str(ask->jws.kid), base = view_str(acme_url(ask, "/acme/account/"));
    if (!view_starts(kid, base))
        return account_unknown();
    e = hex_parse(ask->r->arena, view_from(kid, base.n), &id);
    if (!e)
        e = ledger_object_find(ask->en->setup.ledger, LEDGER_ACME_ACCOUNT, id, ask->r->arena, &ask->account);
    if (e && (err_code(e) == ERR_NOT_FOUND || err_code(e) == ERR_BAD_FIELD)) {
        err_free(e);
        return account_unknown();
    }
    TRY(e);
    ask->has_account = true;
    if (ask->account.body.acme_account.status != ACME_VALID)
        TRY(err_new(ERR_UNAUTHENTICATED, "this account is %s (RFC 8555 7.3.6)",
                    acme_status_text(ask->account.body.acme_account.status)));
    TRY(cert_key_parse(ask->account.body.acme_account.spki, &ask->key));
out:
    return e;
}

/* --- the payload --- */

static struct err *read_payload(struct acme_ask *ask)
{
    struct err *e = NULL;
    if (ask->jws.payload.n == 0 && (ask->row->body & ACME_GET))
        return NULL;
    if (ask->jws.payload.n == 0)
        return err_new(ERR_BAD_FIELD, "the payload must be an object, not empty (RFC 8555 6.3)");
    if (!(ask->row->body & ACME_OBJECT))
        return err_new(ERR_BAD_FIELD, "this is read with an empty payload (RFC 8555 6.3)");
    TRY(conf_parse_json(ask->jws.payload, &ask->conf));
    if (!json_is_object(conf_root(ask->conf)))
        TRY(err_new(ERR_BAD_FIELD, "the payload must be an object"));
    ask->body = conf_root(ask->conf);
out:
    return err_wrap(e, "payload");
}

struct err *acme_inner(struct acme_ask *ask, const json_t *tree, struct cert_jws *ret)
{
    char *text = json_is_object(tree) ? json_dumps(tree, JSON_COMPACT) : NULL;
    if (!text)
        return err_new(ERR_BAD_FIELD, "a JWS in flattened JSON is needed (RFC 7515 7.2.2)");
    struct err *e = cert_jws_read(arena_dup(ask->r->arena, view_str(text)), ask->r->arena, ret);
    free(text);
    return e;
}

/* --- all of it --- */

static struct err *verify(struct acme_ask *ask)
{
    struct err *e = NULL;
    TRY(check_by(ask));
    TRY(check_url(ask));
    TRY(check_nonce(ask));
    if (ask->jws.kid)
        TRY(find_account(ask));
    else
        ask->key = ask->jws.jwk;
    TRY(cert_jws_verify(&ask->jws, &ask->key));
    acme_nonce_use(ask->en->acme->nonces, view_str(ask->jws.nonce));
    TRY(read_payload(ask));
out:
    return e;
}

static struct err *read_ask(struct acme_ask *ask)
{
    struct err *e = NULL;
    if (!http_is_type(ask->r, "application/jose+json"))
        return err_new(ERR_BAD_MEDIA_TYPE, "send application/jose+json (RFC 8555 6.2)");
    TRY(cert_jws_read(ask->r->body, ask->r->arena, &ask->jws));
    TRY(verify(ask));
out:
    return e;
}

static void refuse(struct acme_ask *ask, struct err *e)
{
    const struct ca_asker asker = {.id = ask->has_account ? account_owner(ask) : "",
                                   .door = "acme",
                                   .peer = ask->r->peer->address,
                                   .request_id = ask->r->id};
    ca_deny(ask->en->setup.ca, &asker, ask->template, e);
    acme_problem(ask, e);
}

void acme_post(struct http_request *r)
{
    struct err *e = NULL;
    struct acme_ask *ask = ARENA_NEW(r->arena, struct acme_ask);
    *ask = (struct acme_ask){.r = r, .en = r->app, .row = r->route_arg};
    e = acme_directory_of(r, &ask->config, &ask->template);
    if (e) {
        http_problem(r, e);
        return;
    }
    TRY(read_ask(ask));
    TRY(ask->row->handle(ask));
out:
    conf_free(ask->conf);
    ask->conf = NULL;
    ask->body = NULL;
    if (e)
        refuse(ask, e);
}
