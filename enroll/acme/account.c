/* Accounts (RFC 8555 7.3): made, looked at, changed, given another key, ended; and the list of their orders.
 */
#include "acme.h"

#include <stdlib.h>

#include "base/hex.h"
#include "cert/san.h"

enum { CONTACTS_MAX = 10, ORDERS_PAGE = 100, BIND_TRIES = 100 };

const char *account_owner(struct acme_ask *ask)
{
    return arena_printf(ask->r->arena, "acme:%s", hex_of(ask->r->arena, ask->account.body.object.id));
}

/* --- as JSON --- */

static void answer_account(struct acme_ask *ask, int status)
{
    const struct ledger_acme_account *a = &ask->account.body.acme_account;
    const char *url = acme_object_url(ask, "account", a->object.id);
    json_t *tree = json_pack("{s:s, s:o, s:o, s:b}", "status", acme_status_text(a->status), "contact",
                             answer_texts(&a->contacts), "orders", json_sprintf("%s/orders", url),
                             "termsOfServiceAgreed", ask->config->terms != NULL);
    http_add(ask->r, "Location", "%s", url);
    acme_answer(ask, status, tree);
}

static void changed(struct acme_ask *ask, void *arg, struct err *e)
{
    (void)arg;
    if (e)
        acme_problem(ask, e);
    else
        answer_account(ask, 200);
}

static void created(struct acme_ask *ask, void *arg, struct err *e)
{
    (void)arg;
    if (e)
        acme_problem(ask, e);
    else
        answer_account(ask, 201);
}

static struct err *put_account(struct acme_ask *ask, struct ledger_entry *next, acme_put_done *done)
{
    ask->account.body = next->body;
    return acme_put(ask, next, 1, done, NULL);
}

/* --- contacts (7.3) --- */

static struct err *check_contact(const char *contact, struct arena *arena)
{
    struct cert_san san;
    struct view address = view_from(view_str(contact), 7);
    if (strncmp(contact, "mailto:", 7) != 0)
        return err_new(ERR_UNSUPPORTED_CONTACT, "a contact is a mailto: URL, not '%.60s' (RFC 8555 7.3)",
                       contact);
    if (view_find(address, '?') < address.n || view_find(address, ',') < address.n)
        return err_new(ERR_BAD_CONTACT, "a contact has one address and no header fields (RFC 8555 7.3)");
    return acme_as(cert_san_of_text(view_str(arena_printf(arena, "email:%s", contact + 7)), arena, &san),
                   ERR_BAD_CONTACT);
}

static struct err *read_contacts(struct acme_ask *ask, struct ledger_texts *ret)
{
    struct err *e = NULL;
    const json_t *list = json_object_get(ask->body, "contact");
    size_t n = json_array_size(list);
    if (!list || json_is_null(list))
        return NULL;
    if (!json_is_array(list) || n > CONTACTS_MAX)
        return err_new(ERR_BAD_FIELD, "contact is a list of at most %d URLs", CONTACTS_MAX);
    const char **items = arena_array(ask->r->arena, n, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text)
            return err_new(ERR_BAD_FIELD, "a contact is a text");
        items[i] = arena_str(ask->r->arena, view_str(text));
        TRY(check_contact(items[i], ask->r->arena));
    }
    *ret = (struct ledger_texts){n, items};
out:
    return e;
}

/* --- newAccount --- */

static bool flag(const struct acme_ask *ask, const char *name)
{
    return json_is_true(json_object_get(ask->body, name));
}

static struct view thumbprint_of(struct acme_ask *ask, const struct cert_key *key)
{
    uint8_t *hash = arena_alloc(ask->r->arena, SHA256_BYTES);
    cert_jwk_thumbprint(key, ask->r->arena, hash);
    return view_of(hash, SHA256_BYTES);
}

static struct err *existing(struct acme_ask *ask, struct view thumbprint)
{
    struct err *e = ledger_object_aliased(ask->en->setup.ledger, LEDGER_ACME_ACCOUNT, thumbprint,
                                          ask->r->arena, &ask->account);
    ask->has_account = e == NULL;
    if (!e || err_code(e) != ERR_NOT_FOUND)
        return e;
    err_free(e);
    return NULL;
}

static struct err *answer_existing(struct acme_ask *ask)
{
    uint64_t status = ask->account.body.acme_account.status;
    if (status != ACME_VALID)
        return err_new(ERR_UNAUTHENTICATED, "the account of this key is %s (RFC 8555 7.3.6)",
                       acme_status_text(status));
    answer_account(ask, 200);
    return NULL;
}

static bool needs_binding(const struct acme_ask *ask)
{
    for (size_t i = 0; i < ask->config->open.n; i++)
        if (strcmp(ask->config->open.items[i], ask->template) == 0)
            return false;
    return true;
}

struct binding {
    struct ledger_entry account, eab;
    int tries; /* others may use the key at the same moment */
};

/* The key has a use less before the account is there: a crash between the two costs a use, never the limit.
 */
static void bound(struct acme_ask *ask, void *arg, struct err *e);

static struct err *take_use(struct acme_ask *ask, struct binding *b)
{
    struct ledger_entry next = acme_next(&b->eab);
    struct err *e = eab_check(ask, &b->eab.body.acme_eab);
    next.body.acme_eab.used++;
    return e ? e : acme_put(ask, &next, 1, bound, b);
}

static void bound(struct acme_ask *ask, void *arg, struct err *e)
{
    struct binding *b = arg;
    if (!e)
        e = put_account(ask, &b->account, created);
    else if (err_code(e) == ERR_CONFLICT && b->tries-- > 0) {
        err_free(e);
        e = ledger_object_find(ask->en->setup.ledger, LEDGER_ACME_EAB, b->eab.body.object.id, ask->r->arena,
                               &b->eab);
        e = e ? e : take_use(ask, b);
    }
    if (e)
        acme_problem(ask, e);
}

static struct err *bind(struct acme_ask *ask, const json_t *binding, const struct ledger_entry *account)
{
    struct err *e = NULL;
    struct binding *b = ARENA_NEW(ask->r->arena, struct binding);
    *b = (struct binding){.account = *account, .tries = BIND_TRIES};
    TRY(eab_verify(ask, binding, &b->eab));
    b->account.body.object.owner = b->eab.body.object.id;
    e = take_use(ask, b);
out:
    return e;
}

static struct err *check_new(struct acme_ask *ask)
{
    if (flag(ask, "onlyReturnExisting"))
        return err_new(ERR_ACCOUNT_UNKNOWN, "no account has this key (RFC 8555 7.3.1)");
    if (ask->config->terms && !flag(ask, "termsOfServiceAgreed"))
        return err_new(ERR_TERMS, "agree to the terms of service first: %s (RFC 8555 7.3)",
                       ask->config->terms);
    return acme_limit(ask->en->acme->limits, "accounts from one address", ask->r->peer->address,
                      ask->config->accounts_per_address);
}

struct err *account_new(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct view thumbprint = thumbprint_of(ask, &ask->key);
    const json_t *binding = json_object_get(ask->body, "externalAccountBinding");
    struct ledger_entry *next = ARENA_NEW(ask->r->arena, struct ledger_entry);
    struct ledger_acme_account *a = &next->body.acme_account;

    TRY(existing(ask, thumbprint));
    if (ask->has_account)
        return answer_existing(ask);
    TRY(check_new(ask));
    *next = (struct ledger_entry){.kind = LEDGER_ACME_ACCOUNT};
    acme_id_new(ask, &a->object);
    a->object.alias = thumbprint;
    a->status = ACME_VALID;
    a->spki = ask->key.spki;
    TRY(read_contacts(ask, &a->contacts));
    ask->account.body = next->body;
    ask->has_account = true;
    if (json_is_object(binding))
        return bind(ask, binding, next);
    if (needs_binding(ask))
        TRY(err_new(ERR_EAB_REQUIRED,
                    "an account here needs an external account binding: ask for a key made by "
                    "`chancery acme eab create` (RFC 8555 7.3.4)"));
    TRY(put_account(ask, next, created));
out:
    return e;
}

/* --- the account itself --- */

static struct err *check_own(struct acme_ask *ask)
{
    struct ledger_entry entry;
    return acme_own(ask, LEDGER_ACME_ACCOUNT, &entry);
}

struct err *account_show(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct ledger_entry next = acme_next(&ask->account);
    struct ledger_acme_account *a = &next.body.acme_account;
    const char *status = json_string_value(json_object_get(ask->body, "status"));
    TRY(check_own(ask));
    if (status && strcmp(status, "deactivated") == 0)
        a->status = ACME_DEACTIVATED;
    else
        TRY(read_contacts(ask, &a->contacts));
    bool same = a->status == ACME_VALID && !json_object_get(ask->body, "contact");
    if (!same)
        return put_account(ask, &next, changed);
    answer_account(ask, 200); /* unknown and read-only members are ignored (7.3.2) */
out:
    return e;
}

struct err *account_orders(struct acme_ask *ask)
{
    struct err *e = NULL;
    const struct ledger_entry *orders;
    size_t n;
    uint64_t next;
    struct view cursor = http_segment(ask->r, "cursor");
    uint64_t before = cursor.p ? strtoull(arena_str(ask->r->arena, cursor), NULL, 10) : 0;
    TRY(check_own(ask));
    TRY(ledger_object_list(ask->en->setup.ledger, LEDGER_ACME_ORDER, ask->account.body.object.id, before,
                           ORDERS_PAGE, ask->r->arena, &orders, &n, &next));
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        if (orders[i].body.acme_order.status != ACME_INVALID)
            json_array_append_new(list, json_string(acme_object_url(ask, "order", orders[i].body.object.id)));
    if (next)
        http_add(ask->r, "Link", "<%s/orders/%llu>;rel=\"next\"",
                 acme_object_url(ask, "account", ask->account.body.object.id), (unsigned long long)next);
    acme_answer(ask, 200, json_pack("{s:o}", "orders", list));
out:
    return e;
}

/* --- keyChange (7.3.5) --- */

static struct err *check_inner(struct acme_ask *ask, const struct cert_jws *inner)
{
    if (!inner->has_jwk || inner->kid)
        return err_new(ERR_BAD_FIELD, "keyChange: the inner JWS has the new key as \"jwk\" (RFC 8555 7.3.5)");
    if (inner->nonce)
        return err_new(ERR_BAD_FIELD, "keyChange: the inner JWS has no nonce (RFC 8555 7.3.5)");
    if (!inner->url || strcmp(inner->url, ask->jws.url) != 0)
        return err_new(ERR_BAD_FIELD, "keyChange: both JWS have the same \"url\" (RFC 8555 7.3.5)");
    return cert_jws_verify(inner, &inner->jwk);
}

static struct err *check_change(struct acme_ask *ask, const struct cert_jws *inner)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct cert_key old;
    TRY(conf_parse_json(inner->payload, &c));
    const char *account = json_string_value(json_object_get(conf_root(c), "account"));
    if (!account || strcmp(account, ask->jws.kid) != 0)
        TRY(err_new(ERR_BAD_FIELD, "keyChange: \"account\" is not the account that asks (RFC 8555 7.3.5)"));
    TRY(cert_jwk_read(json_object_get(conf_root(c), "oldKey"), ask->r->arena, &old));
    if (!view_eq(old.spki, ask->key.spki))
        e = err_new(ERR_BAD_FIELD, "keyChange: \"oldKey\" is not the account's key (RFC 8555 7.3.5)");
out:
    conf_free(c);
    return e;
}

static struct err *refuse_taken(struct acme_ask *ask, struct view thumbprint)
{
    struct ledger_entry other;
    struct err *e =
        ledger_object_aliased(ask->en->setup.ledger, LEDGER_ACME_ACCOUNT, thumbprint, ask->r->arena, &other);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        return NULL;
    }
    if (!e) {
        http_add(ask->r, "Location", "%s", acme_object_url(ask, "account", other.body.object.id));
        e = err_new(ERR_CONFLICT, "keyChange: an account has this key already (RFC 8555 7.3.5)");
    }
    return e;
}

struct err *account_change_key(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct cert_jws inner;
    TRY(acme_inner(ask, ask->body, &inner));
    TRY(check_inner(ask, &inner));
    TRY(check_change(ask, &inner));
    struct ledger_entry next = acme_next(&ask->account);
    next.body.object.alias = thumbprint_of(ask, &inner.jwk);
    next.body.acme_account.spki = inner.jwk.spki;
    TRY(refuse_taken(ask, next.body.object.alias));
    TRY(put_account(ask, &next, changed));
out:
    return e;
}
