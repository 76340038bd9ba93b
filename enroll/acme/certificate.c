/* Certificates: handed out with their chain and the other chains there are (RFC 8555 7.4.2), and revoked by
 * the account, by who is authorized for all its names, or by its own key (7.6). */
#include "acme.h"

#include <stdlib.h>

#include "base/hex.h"
#include "ca_revoke.h"
#include "cert/pem.h"
#include "cert/tbs.h"

enum { CHAIN_MAX = 8 };

/* --- handing out --- */

static struct err *certificate_of(struct acme_ask *ask, struct ca_certificate *ret)
{
    struct err *e = NULL;
    struct ledger_entry order;
    struct ledger_cert *record = ARENA_NEW(ask->r->arena, struct ledger_cert);
    const struct ledger_acme_order *o = &order.body.acme_order;
    TRY(acme_own(ask, LEDGER_ACME_ORDER, &order));
    if (o->status != ACME_VALID)
        TRY(err_new(ERR_NOT_FOUND, "this order has no certificate"));
    TRY(ledger_find(ask->en->setup.ledger, o->issuer, o->serial, ask->r->arena, record));
    TRY(ca_certificate_of(record, ask->r->arena, ret));
out:
    return e;
}

/* The issuers above it, and the root's certificates by other roots. */
static size_t chains_of(const struct ca_setup *setup, const char *issuer, struct view chain[CHAIN_MAX],
                        const struct ca_issuer **ret_root)
{
    size_t n = 0;
    const struct ca_issuer *i = ca_issuer_find(setup, issuer);
    for (; i && !i->root && n + 1 < CHAIN_MAX;
         i = i->parent_name ? ca_issuer_find(setup, i->parent_name) : NULL)
        chain[n++] = i->certificate;
    *ret_root = i;
    return n;
}

static const char *pem_of(struct acme_ask *ask, struct view leaf, const struct view *chain, size_t n)
{
    const char *text = cert_pem_write("CERTIFICATE", leaf, ask->r->arena);
    for (size_t i = 0; i < n; i++)
        text =
            arena_printf(ask->r->arena, "%s%s", text, cert_pem_write("CERTIFICATE", chain[i], ask->r->arena));
    return text;
}

/* Which chain is asked for: 0 the one to our root, k the one that goes on to another by its k-th cross. */
static struct err *which_chain(struct acme_ask *ask, size_t most, size_t *ret)
{
    struct view text = http_segment(ask->r, "alternate");
    *ret = text.p ? strtoul(arena_str(ask->r->arena, text), NULL, 10) : 0;
    if (!text.p || (*ret >= 1 && *ret <= most))
        return NULL;
    return err_new(ERR_NOT_FOUND, "this certificate has no such chain");
}

struct err *certificate_show(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct ca_certificate cert;
    struct view chain[CHAIN_MAX], id;
    const struct ca_issuer *root;
    size_t which;
    TRY(acme_id_of(ask, &id));
    TRY(certificate_of(ask, &cert));
    size_t n = chains_of(ca_setup_get(ask->en->setup.ca), cert.issuer, chain, &root);
    size_t others = root ? root->cross_n : 0;
    TRY(which_chain(ask, others, &which));
    if (which)
        chain[n++] = root->cross[which - 1];
    const char *url = acme_object_url(ask, "cert", id);
    for (size_t i = 0; i <= others; i++)
        if (i != which)
            http_add(ask->r, "Link", i ? "<%s/%zu>;rel=\"alternate\"" : "<%s>;rel=\"alternate\"", url, i);
    acme_headers(ask->r, ask->template);
    http_reply(ask->r, 200, "application/pem-certificate-chain", view_str(pem_of(ask, cert.der, chain, n)));
out:
    return e;
}

/* --- which one is to be revoked --- */

static struct err *not_ours(void)
{
    return err_new(ERR_NOT_FOUND, "this certificate is not on record here");
}

/* By issuer and serial, and then octet by octet. */
static struct err *find_record(struct acme_ask *ask, struct view der, const struct cert_tbs *tbs,
                               struct ledger_cert *ret)
{
    struct err *e = NULL;
    const struct ca_setup *setup = ca_setup_get(ask->en->setup.ca);
    for (size_t i = 0; i < setup->issuers_n; i++) {
        struct ca_certificate cert;
        if (!view_eq(setup->issuers[i].facts.subject, tbs->issuer) || tbs->serial.n != SERIAL_BYTES)
            continue;
        e = ledger_find(ask->en->setup.ledger, setup->issuers[i].name, tbs->serial, ask->r->arena, ret);
        if (!e)
            e = ca_certificate_of(ret, ask->r->arena, &cert);
        if (!e && view_eq(cert.der, der))
            return NULL;
        if (e && err_code(e) != ERR_NOT_FOUND && err_code(e) != ERR_WRONG_STATE)
            return e;
        err_free(e);
    }
    return not_ours();
}

/* --- who may --- */

static struct err *authorized_for(struct acme_ask *ask, const char *name, bool *ret)
{
    struct ledger_entry authz;
    bool is_new;
    struct err *e = authz_for(ask, name, false, &authz, &is_new);
    *ret = !e && !is_new && authz_status(&authz.body.acme_authz) == ACME_VALID;
    return e;
}

/* RFC 8555 7.6: an account that holds authorizations for all its names. */
static struct err *check_account(struct acme_ask *ask, const struct ledger_cert *record)
{
    struct err *e = NULL;
    const struct ledger_texts *names = &record->decision.names;
    bool all = names->n > 0;
    if (strcmp(record->actor, account_owner(ask)) == 0)
        return NULL;
    for (size_t i = 0; i < names->n && all; i++)
        TRY(authorized_for(ask, names->items[i], &all));
    if (!all)
        e = err_new(ERR_FORBIDDEN,
                    "this account did not get the certificate, and is not authorized for all of its "
                    "names (RFC 8555 7.6)");
out:
    return e;
}

static struct err *check_who(struct acme_ask *ask, const struct cert_tbs *tbs,
                             const struct ledger_cert *record)
{
    if (ask->has_account)
        return check_account(ask, record);
    if (view_eq(ask->key.spki, tbs->spki))
        return NULL;
    return err_new(ERR_FORBIDDEN,
                   "sign with the account's key (\"kid\") or the certificate's own (\"jwk\") (RFC 8555 "
                   "7.6)");
}

static struct ca_asker revoker(struct acme_ask *ask, const struct ledger_cert *record)
{
    const char *key =
        arena_printf(ask->r->arena, "key:%s/%s", record->issuer, hex_of(ask->r->arena, record->serial));
    return (struct ca_asker){.role = CA_ROLE_REQUESTER,
                             .id = ask->has_account ? account_owner(ask) : key,
                             .door = "acme",
                             .peer = ask->r->peer->address,
                             .request_id = ask->r->id,
                             .shown = record->intent};
}

/* --- revoking --- */

struct job {
    struct acme_ask *ask;
    ticket_id ticket;
};

static struct err *already_revoked(void)
{
    return err_new(ERR_ALREADY_REVOKED, "this certificate is revoked already (RFC 8555 7.6)");
}

static void revoked(void *arg, struct err *e, int64_t at, enum cert_reason reason, bool already)
{
    struct job *job = arg;
    struct acme_ask *ask = job->ask;
    (void)at, (void)reason;
    if (!http_resume(ask->en->http, job->ticket)) {
        err_free(e);
        return;
    }
    if (!e && already)
        e = already_revoked();
    if (e)
        acme_problem(ask, e);
    else
        acme_answer(ask, 200, NULL);
}

static struct err *read_reason(struct acme_ask *ask, struct ca_revocation *ret)
{
    const json_t *reason = json_object_get(ask->body, "reason");
    json_int_t n = json_integer_value(reason);
    const char *name = n >= 0 && n <= 10 ? cert_crl_reason_name((enum cert_reason)n) : NULL;
    *ret = (struct ca_revocation){.reason = CERT_REASON_UNSPECIFIED};
    if (!reason || json_is_null(reason))
        return NULL;
    if (!json_is_integer(reason) || !name)
        return err_new(ERR_BAD_REASON, "reason is a number of RFC 5280 5.3.1");
    return acme_as(ca_reason_parse(name, &ret->reason), ERR_BAD_REASON);
}

static struct err *read_certificate(struct acme_ask *ask, struct view *ret_der, struct cert_tbs *ret)
{
    struct err *e = NULL;
    const char *text = json_string_value(json_object_get(ask->body, "certificate"));
    if (!text)
        TRY(err_new(ERR_BAD_FIELD, "certificate is needed: base64url of its DER (RFC 8555 7.6)"));
    TRY(err_wrap(base64url_parse(ask->r->arena, view_str(text), ret_der), "certificate"));
    TRY(err_wrap(cert_tbs_open(*ret_der, ask->r->arena, NULL, ret), "certificate"));
out:
    return e;
}

struct err *certificate_revoke(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct view der;
    struct cert_tbs tbs;
    struct ca_revocation what;
    struct ledger_cert record;
    struct job *job = ARENA_NEW(ask->r->arena, struct job);
    TRY(read_certificate(ask, &der, &tbs));
    TRY(find_record(ask, der, &tbs, &record));
    TRY(check_who(ask, &tbs, &record));
    TRY(read_reason(ask, &what));
    if (record.state == LEDGER_STATE_REVOKED)
        TRY(already_revoked());
    const struct ca_asker asker = revoker(ask, &record);
    *job = (struct job){.ask = ask, .ticket = http_park(ask->r)};
    e = ca_revoke(ask->en->setup.ca, &asker, record.issuer, record.serial, &what, revoked, job);
    if (e)
        http_resume(ask->en->http, job->ticket);
out:
    return e;
}
