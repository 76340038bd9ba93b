/*
 * External account binding (RFC 8555 7.3.4): a key that an operator hands to a team, for templates and a
 * namespace. Of the key only its id stands on record; the key itself is made anew from the installation's
 * secret each time it is asked for.
 */
#include "acme.h"

#include "base/check.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/world.h"

#include <openssl/evp.h>

void eab_secret(const struct acme *a, struct view id, uint8_t ret[32])
{
    uint8_t text[4 + ACME_ID_BYTES] = "eab:";
    size_t n = 0;
    CHECK(id.n == ACME_ID_BYTES);
    memcpy(text + 4, id.p, id.n);
    CHECK(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, a->secret, sizeof a->secret, text, sizeof text, ret,
                    SHA256_BYTES, &n));
}

/* --- binding --- */

static struct err *find(struct acme_ask *ask, const char *kid, struct ledger_entry *ret)
{
    struct view id;
    struct err *e = kid ? hex_parse(ask->r->arena, view_str(kid), &id) : NULL;
    if (kid && !e)
        e = ledger_object_find(ask->en->setup.ledger, LEDGER_ACME_EAB, id, ask->r->arena, ret);
    if (kid && !e)
        return NULL;
    if (e && err_code(e) != ERR_NOT_FOUND && err_code(e) != ERR_BAD_FIELD)
        return e;
    err_free(e);
    return err_new(ERR_FORBIDDEN, "external account binding: no key has this \"kid\" (RFC 8555 7.3.4)");
}

static bool is_listed(const struct ledger_texts *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    return false;
}

static struct err *check_stands(const struct ledger_acme_eab *eab)
{
    if (eab->revoked_at)
        return err_new(ERR_FORBIDDEN, "external account binding: this key has been revoked");
    if (eab->expires && eab->expires <= world_now_s())
        return err_new(ERR_FORBIDDEN, "external account binding: this key has expired");
    return NULL;
}

struct err *eab_check(const struct acme_ask *ask, const struct ledger_acme_eab *eab)
{
    if (eab->accounts && eab->used >= eab->accounts)
        return err_new(ERR_FORBIDDEN,
                       "external account binding: this key is used up; it was for %llu account%s",
                       (unsigned long long)eab->accounts, eab->accounts == 1 ? "" : "s");
    if (!is_listed(&eab->templates, ask->template))
        return err_new(ERR_FORBIDDEN, "external account binding: this key is not for the template '%s'",
                       ask->template);
    return check_stands(eab);
}

/* The payload is the key of the account to be made. */
static struct err *check_payload(struct acme_ask *ask, const struct cert_jws *inner)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct cert_key key;
    TRY(conf_parse_json(inner->payload, &c));
    TRY(cert_jwk_read(conf_root(c), ask->r->arena, &key));
    if (!view_eq(key.spki, ask->key.spki))
        e = err_new(ERR_BAD_FIELD,
                    "external account binding: its payload is not the account's key (RFC 8555 7.3.4)");
out:
    conf_free(c);
    return e;
}

static struct err *check_mac(struct acme_ask *ask, const struct cert_jws *inner,
                             const struct ledger_entry *eab)
{
    uint8_t secret[SHA256_BYTES];
    eab_secret(ask->en->acme, eab->body.object.id, secret);
    struct err *e = cert_jws_verify_mac(inner, view_of(secret, sizeof secret));
    secret_wipe(secret, sizeof secret);
    if (!e || err_code(e) != ERR_BAD_SIGNATURE)
        return e;
    err_free(e);
    return err_new(ERR_FORBIDDEN, "external account binding: the MAC does not verify with the key of this "
                                  "\"kid\" (RFC 8555 7.3.4)");
}

struct err *eab_verify(struct acme_ask *ask, const json_t *binding, struct ledger_entry *ret)
{
    struct err *e = NULL;
    struct cert_jws inner;
    TRY(err_wrap(acme_inner(ask, binding, &inner), "external account binding"));
    if (inner.nonce || inner.has_jwk || !inner.url || strcmp(inner.url, ask->jws.url) != 0)
        TRY(err_new(ERR_BAD_FIELD,
                    "external account binding: its header has \"kid\", the same \"url\" and no "
                    "nonce (RFC 8555 7.3.4)"));
    TRY(find(ask, inner.kid, ret));
    TRY(check_mac(ask, &inner, ret));
    TRY(check_payload(ask, &inner));
out:
    return e;
}

/* --- what follows from it --- */

struct err *eab_of(struct acme_ask *ask, bool *ret_bound, struct ledger_entry *ret)
{
    struct view owner = ask->account.body.object.owner;
    *ret_bound = owner.n > 0;
    return owner.n ? ledger_object_find(ask->en->setup.ledger, LEDGER_ACME_EAB, owner, ask->r->arena, ret)
                   : NULL;
}

struct err *eab_admits(struct acme_ask *ask, const char *template, const struct ledger_acme_eab **ret)
{
    struct err *e = NULL;
    struct ledger_entry *entry = ARENA_NEW(ask->r->arena, struct ledger_entry);
    bool is_bound, open = is_listed(&ask->config->open, template);
    *ret = NULL;
    TRY(eab_of(ask, &is_bound, entry));
    if (!is_bound && !open)
        TRY(err_new(ERR_EAB_REQUIRED,
                    "the template '%s' is for accounts with an external account binding alone", template));
    if (!is_bound)
        return NULL;
    const struct ledger_acme_eab *eab = &entry->body.acme_eab;
    TRY(check_stands(eab));
    if (!is_listed(&eab->templates, template))
        TRY(err_new(ERR_FORBIDDEN, "this account was bound to other templates than '%s'", template));
    *ret = eab;
out:
    return e;
}
