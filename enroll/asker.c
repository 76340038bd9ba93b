/*
 * Who asks: the one place where credentials become a `struct ca_asker`. A bearer token is looked up by its
 * hash; a client certificate counts by its key on the roster, or as a requester where this authority issued
 * it and it still holds; on control.sock the kernel says who it is. The TLS layer lets any certificate
 * through, so every refusal here is readable.
 */
#include "asker_jwt.h"
#include "asker_token.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "ca_act.h"
#include "cert/chain.h"
#include "house.h"

static const char *const role_door[] = {"rest", "control"};

struct ca_asker *asker_new(struct http_request *r, enum ca_role role, const char *id)
{
    struct ca_asker *a = ARENA_NEW(r->arena, struct ca_asker);
    *a = (struct ca_asker){
        .role = role,
        .id = id,
        .door = role_door[r->peer->is_unix],
        .peer = r->peer->address,
        .request_id = r->id,
        .grant.any = role == CA_ROLE_ADMIN || role == CA_ROLE_OPERATOR || role == CA_ROLE_ENROLL_AGENT,
    };
    return a;
}

/* --- the roster --- */

static struct err *by_entry(struct http_request *r, const struct hsm_roster_entry *entry,
                            struct ca_asker **ret)
{
    static const enum ca_role roles[HSM_ROLE__COUNT] = {[HSM_ROLE_AUDITOR] = CA_ROLE_AUDITOR,
                                                        [HSM_ROLE_OPERATOR] = CA_ROLE_OPERATOR,
                                                        [HSM_ROLE_ADMIN] = CA_ROLE_ADMIN,
                                                        [HSM_ROLE_ENROLL_AGENT] = CA_ROLE_ENROLL_AGENT};
    if (entry->revoked)
        return err_new(ERR_UNAUTHENTICATED, "%s is revoked on the roster", entry->name);
    if (entry->role == HSM_ROLE_RECOVERY)
        return err_new(ERR_FORBIDDEN, "the recovery key signs a change of the roster, and opens no door");
    struct ca_asker *a = asker_new(r, roles[entry->role], arena_printf(r->arena, "roster:%s", entry->name));
    a->grant.only_issuers = entry->issuers;
    a->grant.only_templates = entry->templates;
    *ret = a;
    return NULL;
}

/* --- client certificates --- */

static struct err *issuer_of(struct http_request *r, const struct cert_chain_cert *cert, int64_t at,
                             const struct ca_issuer **ret)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    for (size_t i = 0; i < setup->issuers_n; i++) {
        struct cert_chain_cert parent;
        if (!view_eq(setup->issuers[i].facts.subject, cert->tbs.issuer))
            continue;
        TRY(cert_chain_read(setup->issuers[i].certificate, r->arena, &parent));
        e = cert_chain_link(cert, &parent, 0, at);
        if (e) {
            log_info("asker.certificate", log_err(e));
            err_free(e);
            continue;
        }
        *ret = &setup->issuers[i];
        return NULL;
    }
    e = err_new(ERR_UNAUTHENTICATED,
                "this client certificate's key is not on the roster, and it does not chain to an "
                "issuer of this authority at this time (RFC 5280 6.1)");
out:
    return e;
}

/* Names that a holder may ask for again: its own. A wildcard is left out: as a pattern it would grant more
 * than the certificate says. */
static void grant_of(struct ca_asker *a, const struct ledger_cert *record, struct arena *arena)
{
    const struct ledger_texts *names = &record->decision.names;
    const char **templates = ARENA_NEW(arena, const char *);
    const char **own = arena_array(arena, names->n, sizeof *own);
    templates[0] = record->decision.template;
    a->grant = (struct ca_grant){.templates = templates, .templates_n = 1, .names = own};
    for (size_t i = 0; i < names->n; i++)
        if (!strchr(names->items[i], '*'))
            own[a->grant.names_n++] = names->items[i];
}

static struct err *on_record(const struct enroll *en, const char *issuer, struct view serial,
                             struct arena *arena, struct ledger_cert *ret)
{
    struct err *e = ledger_find(en->setup.ledger, issuer, serial, arena, ret);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        return err_new(ERR_UNAUTHENTICATED, "this client certificate is not on record here");
    }
    if (!e && ret->state != LEDGER_STATE_RECORDED)
        e = err_new(ERR_UNAUTHENTICATED, "this client certificate has been revoked");
    return e;
}

static struct ca_asker *holder(struct http_request *r, const struct ledger_cert *record)
{
    struct ca_asker *a =
        asker_new(r, CA_ROLE_REQUESTER,
                  arena_printf(r->arena, "cert:%s/%s", record->issuer, hex_of(r->arena, record->serial)));
    a->key = record->decision.spki_sha256.p;
    a->shown = record->intent;
    grant_of(a, record, r->arena);
    return a;
}

static struct err *requester_by_certificate(struct http_request *r, const struct cert_chain_cert *cert,
                                            int64_t at, struct ca_asker **ret)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    const struct ca_issuer *issuer;
    struct ledger_cert *record = ARENA_NEW(r->arena, struct ledger_cert);
    const struct cert_ext *eku = cert_tbs_ext(&cert->tbs, CERT_EXT_EXT_KEY_USAGE);
    struct cert_views usages = {.n = 0};

    TRY(issuer_of(r, cert, at, &issuer));
    if (eku)
        TRY(cert_ext_read_eku(eku->value, r->arena, &usages));
    if (!cert_ext_eku_has(usages, "clientAuth"))
        return err_new(ERR_UNAUTHENTICATED,
                       "this certificate is not for client authentication (RFC 5280 4.2.1.12)");
    TRY(on_record(en, issuer->name, cert->tbs.serial, r->arena, record));
    *ret = holder(r, record);
out:
    return e;
}

/* Whether an issuer of this name is one of ours: its certificates count as that, or not at all. */
static bool names_ours(struct http_request *r, const struct cert_chain_cert *cert)
{
    const struct enroll *en = r->app;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    for (size_t i = 0; i < setup->issuers_n; i++)
        if (view_eq(setup->issuers[i].facts.subject, cert->tbs.issuer))
            return true;
    return false;
}

/* Of somebody else's certificate, self-signed or not, the key alone counts: where it was registered. */
static struct err *by_key(struct http_request *r, const uint8_t spki[SHA256_BYTES], struct ca_asker **ret)
{
    struct err *e = asker_token_key(r, spki, ret);
    if (!e || err_code(e) != ERR_UNAUTHENTICATED)
        return e;
    err_free(e);
    return err_new(ERR_UNAUTHENTICATED,
                   "this client certificate's key is neither on the roster nor registered, and it does not "
                   "chain to an issuer of this authority at this time (RFC 5280 6.1)");
}

static struct err *by_certificate(struct http_request *r, struct ca_asker **ret)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct cert_chain_cert cert;
    uint8_t spki[SHA256_BYTES];

    TRY(cert_chain_read(r->peer->certificate, r->arena, &cert));
    digest_sha256(cert.key.spki, spki);
    const struct hsm_roster_entry *entry = hsm_roster_find(en->config.roster, spki);
    if (!entry && !names_ours(r, &cert))
        return by_key(r, spki, ret);
    if (!entry)
        return requester_by_certificate(r, &cert, world_now_s(), ret);
    e = by_entry(r, entry, ret);
out:
    return e;
}

/* --- control.sock --- */

static struct err *by_uid(struct http_request *r, struct ca_asker **ret)
{
    const struct enroll *en = r->app;
    uid_t uid = r->peer->uid;
    const char *id = arena_printf(r->arena, "local:%u", (unsigned)uid);
    const struct hsm_roster_entry *entry = hsm_roster_find_uid(en->config.roster, uid);
    if (entry)
        return by_entry(r, entry, ret);
    if (uid != 0 && uid != en->setup.control_uid)
        return err_new(
            ERR_UNAUTHENTICATED,
            "user %u has no role here: the roster's users have, the owner of the installation, and root",
            (unsigned)uid);
    *ret = asker_new(r, uid == en->setup.control_uid ? CA_ROLE_ADMIN : CA_ROLE_ROOT, id);
    (*ret)->operates = uid == en->setup.control_uid;
    return NULL;
}

/* --- break-glass --- */

/* Root may stop things, whoever has the roster's word; each time it says so, loudly and for good. */
static void break_glass(struct http_request *r, const struct ca_asker *asker)
{
    const struct enroll *en = r->app;
    ca_break_glass(
        en->setup.ca, asker,
        arena_printf(r->arena, "%.*s", (int)(r->path.n < 200 ? r->path.n : 200), (const char *)r->path.p));
}

/* What stands behind the scheme of Authorization; p NULL: it has another. */
static struct view after_scheme(struct view authorization, const char *scheme)
{
    size_t n = strlen(scheme);
    bool has = authorization.n >= n && view_eq_nocase(view_of(authorization.p, n), view_str(scheme));
    return has ? view_of(authorization.p + n, authorization.n - n) : view_of(NULL, 0);
}

static struct err *by_authorization(struct http_request *r, struct view authorization, bool basic,
                                    struct ca_asker **ret)
{
    struct view bearer = after_scheme(authorization, "Bearer "), pair = after_scheme(authorization, "Basic ");
    if (bearer.p)
        return asker_jwt_is(bearer) ? asker_jwt(r, bearer, ret) : asker_token_bearer(r, bearer, ret);
    if (basic && pair.p)
        return asker_token_basic(r, pair, ret);
    return err_new(ERR_UNAUTHENTICATED, "Authorization must be `Bearer TOKEN` (RFC 6750 2.1)%s",
                   basic ? ", or `Basic` with a token as the password (RFC 7617)" : "");
}

static struct err *find(struct http_request *r, bool basic, struct ca_asker **ret)
{
    struct view authorization = http_header(r, "Authorization");
    if (authorization.p)
        return by_authorization(r, authorization, basic, ret);
    if (r->peer->certificate.n)
        return by_certificate(r, ret);
    if (r->peer->is_unix)
        return by_uid(r, ret);
    return err_new(ERR_UNAUTHENTICATED,
                   "send a bearer token (Authorization: Bearer ...) or a client certificate");
}

struct err *asker_of(struct http_request *r, struct ca_asker **ret)
{
    return find(r, false, ret);
}

struct err *asker_of_basic(struct http_request *r, struct ca_asker **ret)
{
    return find(r, true, ret);
}

struct err *asker_of_shown(struct http_request *r, struct ca_asker **ret)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    int64_t now = world_now_s();
    if (!r->peer->certificate.n)
        return err_new(ERR_UNAUTHENTICATED,
                       "this is done by the certificate itself: show it as TLS client certificate");
    TRY(cert_chain_read(r->peer->certificate, r->arena, &cert));
    e = requester_by_certificate(r, &cert, now < cert.tbs.not_after ? now : cert.tbs.not_after, ret);
out:
    return e;
}

/* --- somebody else, by name: to explain what they would be told --- */

static struct err *named_holder(struct http_request *r, struct view name, struct ca_asker **ret)
{
    struct err *e = NULL;
    const struct enroll *en = r->app;
    struct view serial;
    size_t slash = view_find(name, '/');
    struct ledger_cert *record = ARENA_NEW(r->arena, struct ledger_cert);
    TRY(hex_parse(r->arena, view_from(name, slash + 1), &serial));
    TRY(on_record(en, arena_str(r->arena, view_of(name.p, slash)), serial, r->arena, record));
    *ret = holder(r, record);
out:
    return e;
}

static struct err *named_on_roster(struct http_request *r, struct view name, struct ca_asker **ret)
{
    const struct enroll *en = r->app;
    for (size_t i = 0; i < hsm_roster_count(en->config.roster); i++) {
        const struct hsm_roster_entry *entry = hsm_roster_at(en->config.roster, i);
        if (view_eq_str(name, entry->name))
            return by_entry(r, entry, ret);
    }
    return err_new(ERR_NOT_FOUND, "nobody of this name is on the roster");
}

static struct err *named_token(struct http_request *r, struct view name, struct ca_asker **ret)
{
    struct view id;
    struct err *e = hex_parse(r->arena, name, &id);
    return e ? e : asker_token_find(r, id, ret);
}

struct err *asker_named(struct http_request *r, const char *id, struct ca_asker **ret)
{
    static const struct {
        const char *kind;
        struct err *(*named)(struct http_request *r, struct view name, struct ca_asker **ret);
    } kinds[] = {{"token", named_token}, {"cert", named_holder}, {"roster", named_on_roster}};
    struct view text = view_str(id);
    size_t colon = view_find(text, ':');
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!view_eq_str(view_of(text.p, colon), kinds[i].kind))
            continue;
        struct err *e = kinds[i].named(r, view_from(text, colon + 1), ret);
        struct err *said = e ? err_at(err_new(ERR_BAD_FIELD, "%s", err_detail(e)), "/asker") : NULL;
        err_free(e);
        return said;
    }
    return err_at(err_new(ERR_BAD_FIELD, "token:ID, cert:ISSUER/SERIAL or roster:NAME, not '%.100s'", id),
                  "/asker");
}

static const char *roles_text(struct arena *arena, int roles)
{
    const char *text = "";
    for (int role = CA_ROLE_REQUESTER; role < CA_ROLE_SELF; role++)
        if (roles & 1 << role)
            text =
                arena_printf(arena, "%s%s%s", text, text[0] ? " or " : "", ca_role_text((enum ca_role)role));
    return text;
}

struct err *asker_may(struct http_request *r, const struct ca_asker *asker)
{
    const int *roles = r->route_arg;
    int has = 1 << asker->role | (asker->operates ? 1 << CA_ROLE_OPERATOR : 0);
    if (*roles & has && asker->role == CA_ROLE_ROOT && r->method != HTTP_GET)
        break_glass(r, asker);
    if (*roles & has)
        return NULL;
    return err_new(ERR_FORBIDDEN, "this needs the role %s; yours is %s", roles_text(r->arena, *roles),
                   ca_role_text(asker->role));
}

struct err *asker_admit(struct http_request *r, struct ca_asker **ret)
{
    struct err *e = asker_of(r, ret);
    return e ? e : asker_may(r, *ret);
}

void asker_refused(void *enroll, const struct http_request *r, const struct err *why)
{
    const struct enroll *en = enroll;
    const struct ca_asker nobody = {
        .id = "", .door = role_door[r->peer->is_unix], .peer = r->peer->address, .request_id = r->id};
    ca_deny(en->setup.ca, &nobody, NULL, why);
}

void asker_refuse(struct http_request *r, const struct ca_asker *asker, struct err *e)
{
    const struct enroll *en = r->app;
    if (asker)
        ca_deny(en->setup.ca, asker, NULL, e);
    else
        asker_refused(r->app, r, e);
    asker_problem(r, e);
}

void asker_problem(struct http_request *r, struct err *e)
{
    if (err_row(err_code(e))->http_status == 401) /* RFC 9110 15.5.2, RFC 6750 3 */
        http_add(r, "WWW-Authenticate", "Bearer realm=\"chancery\"");
    http_problem(r, e);
}
