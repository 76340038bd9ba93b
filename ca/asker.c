/*
 * What follows from who asks: which certificates they may see and revoke, and whether their grant covers a
 * template and names. Who they are is settled in one place, in enroll. Pure; any thread.
 */
#include "asker.h"

#include "cert/tbs.h"

static const char *const role_texts[] = {
    [CA_ROLE_REQUESTER] = "requester", [CA_ROLE_ENROLL_AGENT] = "enroll-agent",
    [CA_ROLE_OPERATOR] = "operator",   [CA_ROLE_AUDITOR] = "auditor",
    [CA_ROLE_ADMIN] = "admin",         [CA_ROLE_ROOT] = "root",
    [CA_ROLE_SELF] = "self",
};

const char *ca_role_text(enum ca_role role)
{
    return role_texts[role];
}

struct templates_who asker_who(const struct ca_asker *asker)
{
    return (struct templates_who){
        .role = ca_role_text(asker->role),
        .id = asker->id,
        .door = asker->door,
        .peer = asker->peer,
        .names = asker->grant.names,
        .names_n = asker->grant.names_n,
        .templates = asker->grant.templates,
        .templates_n = asker->grant.templates_n,
    };
}

static bool is_listed(const struct hsm_roster_texts *only, const char *name)
{
    for (size_t i = 0; i < only->n; i++)
        if (strcmp(only->items[i], name) == 0)
            return true;
    return only->n == 0;
}

static bool in_scope(const struct ca_asker *asker, const char *issuer, const char *template)
{
    return is_listed(&asker->grant.only_issuers, issuer) && is_listed(&asker->grant.only_templates, template);
}

bool ca_may_see(const struct ca_asker *asker, const struct ledger_cert *record)
{
    if (!in_scope(asker, record->issuer, record->decision.template))
        return false;
    if (asker->role != CA_ROLE_REQUESTER && asker->role != CA_ROLE_ENROLL_AGENT)
        return true;
    return strcmp(asker->id, record->actor) == 0 || (asker->shown && asker->shown == record->intent);
}

/* By what the certificate says; one that cannot be read is treated as a CA's. What the seal roll alone knows
 * was sealed by a template, and the vault's floors let no template make a CA. */
bool asker_is_ca(const struct ledger_cert *record)
{
    if (record->decision.tbs.n == 0)
        return false;
    struct arena *arena = arena_new(1u << 20);
    struct cert_tbs tbs;
    struct cert_basic basic = {.ca = false};
    struct err *e = cert_tbs_read(record->decision.tbs, arena, &tbs);
    const struct cert_ext *ext = e ? NULL : cert_tbs_ext(&tbs, CERT_EXT_BASIC_CONSTRAINTS);
    if (ext)
        e = cert_ext_read_basic(ext->value, &basic);
    bool ca = e || basic.ca;
    err_free(e);
    arena_free(arena);
    return ca;
}

struct err *asker_check_revoke(const struct ca_asker *asker, const struct ledger_cert *record)
{
    if (!ca_may_see(asker, record)) /* what is not the asker's is not there for them */
        return err_new(ERR_NOT_FOUND, "no certificate of this serial is on record");
    if (asker->role == CA_ROLE_AUDITOR)
        return err_new(ERR_FORBIDDEN, "an auditor may look, not revoke");
    if (asker->role != CA_ROLE_ADMIN && asker->role != CA_ROLE_ROOT && asker_is_ca(record))
        return err_new(ERR_FORBIDDEN, "only an administrator may revoke a CA's certificate");
    return NULL;
}

struct err *asker_check_issuer(const struct ca_asker *asker, const char *issuer)
{
    if (is_listed(&asker->grant.only_issuers, issuer))
        return NULL;
    return err_at(err_new(ERR_FORBIDDEN, "the roster gives this asker other issuers than '%s'", issuer),
                  "/issuer");
}

static bool granted_template(const struct ca_grant *grant, const char *name)
{
    for (size_t i = 0; i < grant->templates_n; i++)
        if (strcmp(grant->templates[i], name) == 0)
            return true;
    return false;
}

static enum templates_asker kind_of(const struct ca_asker *asker)
{
    if (asker->role == CA_ROLE_ADMIN)
        return TEMPLATES_BY_ADMINISTRATOR;
    if (asker->role == CA_ROLE_OPERATOR || asker->role == CA_ROLE_ENROLL_AGENT)
        return TEMPLATES_BY_OPERATOR;
    return asker->token || asker->account || asker->bearer ? TEMPLATES_BY_TOKEN : TEMPLATES_BY_CERTIFICATE;
}

struct err *asker_check_template(const struct ca_asker *asker, const struct template *template)
{
    if (asker->role == CA_ROLE_SELF)
        return NULL;
    if (asker->role == CA_ROLE_AUDITOR)
        return err_new(ERR_FORBIDDEN, "an auditor may look, not ask for certificates");
    if (asker->role == CA_ROLE_ROOT || (asker->role == CA_ROLE_ADMIN && !asker->operates))
        return err_new(
            ERR_FORBIDDEN,
            "who rules asks for no certificates: this needs a requester, an enroll-agent or an operator");
    if (!is_listed(&asker->grant.only_templates, templates_name(template)))
        return err_at(err_new(ERR_FORBIDDEN, "the roster gives this asker other templates than '%s'",
                              templates_name(template)),
                      "/template");
    if (!asker->grant.any && !granted_template(&asker->grant, templates_name(template)))
        return err_at(err_new(ERR_FORBIDDEN, "this asker's grant does not include the template '%s'",
                              templates_name(template)),
                      "/template");
    return err_at(templates_may_ask(template, kind_of(asker)), "/template");
}

struct err *asker_check_names(const struct ca_asker *asker, const char *const *names, size_t n)
{
    if (asker->role == CA_ROLE_SELF || asker->grant.any)
        return NULL;
    return templates_patterns_cover(asker->grant.names, asker->grant.names_n, names, n);
}
