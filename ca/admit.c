/*
 * Admission: everything about a request that follows from who asks and what is on record, in one table. An
 * issuance runs the rows until one refuses; explaining runs them all. What the certificate may look like is
 * the template's affair.
 *
 * On the loop's thread.
 */
#include "admit.h"

#include "asker.h"
#include "base/digest.h"
#include "base/world.h"
#include "hsm_freeze.h"

static struct err *check_ready(struct issuance *is)
{
    is->generation = (uint32_t)is->ca->setup->generation;
    return is->asker.role == CA_ROLE_SELF ? ca_works(is->ca, is->request.issuer)
                                          : ca_ready(is->ca, is->request.issuer);
}

static struct err *find_template(struct issuance *is)
{
    const char *name = is->request.template;
    is->template = templates_find(is->ca->setup->templates, view_str(name));
    bool internal = is->template && templates_internal(is->template) && is->asker.role != CA_ROLE_SELF;
    if (!is->template || internal)
        return err_at(err_new(ERR_TEMPLATE_UNKNOWN, "no template '%.100s'", name), "/template");
    return asker_check_template(&is->asker, is->template);
}

static struct err *find_issuer(struct issuance *is)
{
    const struct ca_setup *setup = is->ca->setup;
    const char *name = is->request.issuer ? is->request.issuer : setup->default_issuer;
    is->issuer = ca_issuer_find(setup, name);
    if (!is->issuer)
        return err_at(err_new(ERR_ISSUER_UNKNOWN, "no issuer '%.64s'", name ? name : ""), "/issuer");
    is->issuer_name = arena_str(is->arena, view_str(is->issuer->name));
    is->alg = is->issuer->facts.alg;
    if (!is->issuer->issue && is->asker.role != CA_ROLE_SELF)
        return err_at(err_new(ERR_POLICY, "the issuer '%s' does not issue to askers", name), "/issuer");
    if (!templates_issuer_allowed(is->template, name))
        return err_at(
            err_new(ERR_POLICY, "template '%s' is not for the issuer '%s'", is->request.template, name),
            "/issuer");
    return asker_check_issuer(&is->asker, name);
}

static struct err *check_frozen(struct issuance *is)
{
    if (!is->template || !is->issuer)
        return NULL;
    return hsm_frozen(is->ca->hsm, is->issuer->name, is->request.template, is->asker.id,
                      templates_internal(is->template));
}

/* The house's own certificates, which status needs, go on where others do not. */
static struct err *check_state(struct issuance *is)
{
    bool own = is->asker.role == CA_ROLE_SELF;
    return err_at(hsm_state_check(is->issuer->name, ca_issuer_state(is->ca, is->issuer),
                                  own ? HSM_WORKS_OCSP : HSM_WORKS_ISSUE),
                  "/issuer");
}

static bool is_own(const struct issuance *is, const char *owner)
{
    return strcmp(owner, is->asker.id) == 0;
}

/* The holder of a certificate has shown that the key is theirs: whoever it was first certified for. */
static bool is_shown(const struct issuance *is)
{
    return is->asker.key && memcmp(is->asker.key, is->key, SHA256_BYTES) == 0;
}

/* Another asker is being given a certificate for it at this moment: not on record yet. */
static bool is_taken(const struct issuance *is)
{
    for (const struct issuance *other = is->ca->under_way; other; other = other->next)
        if (other->has_key && memcmp(other->key, is->key, SHA256_BYTES) == 0 && !is_own(is, other->asker.id))
            return true;
    return false;
}

/* One key, one owner: a key that another asker has a certificate for, or that was given up as compromised, is
 * refused. */
static struct err *check_key(struct issuance *is)
{
    struct err *e = NULL;
    struct ledger_key key;

    digest_sha256(is->csr.key.spki, is->key);
    TRY(ledger_key_find(is->ca->ledger, view_of(is->key, SHA256_BYTES), is->arena, &key));
    if (key.compromised)
        e = err_new(ERR_BAD_KEY, "this key was revoked as compromised; make a new one");
    else if (!is_shown(is) && ((key.certified && !is_own(is, key.actor)) || is_taken(is)))
        e = err_new(ERR_BAD_KEY, "this key is in use by another asker; make one of your own");
    is->has_key = e == NULL;
out:
    return err_at(e, "/csr");
}

static struct err *read_csr(struct issuance *is)
{
    return err_at(cert_csr_parse(is->request.csr, is->arena, &is->csr), "/csr");
}

static struct err *check_possession(struct issuance *is)
{
    return err_at(cert_csr_verify_at(is->ca->desk, &is->csr), "/csr");
}

/* Whoever may not see it cannot tell it from one that is not there. */
static struct err *check_replaced(struct issuance *is)
{
    struct err *e = NULL;
    struct ledger_cert record;
    if (is->request.replaces.n == 0)
        return NULL;
    TRY(ledger_find(is->ca->ledger, NULL, is->request.replaces, is->arena, &record));
    bool handed_out = record.state == LEDGER_STATE_RECORDED || record.state == LEDGER_STATE_REVOKED;
    if (!handed_out || !ca_may_see(&is->asker, &record))
        TRY(err_new(ERR_NOT_FOUND, "no certificate of this serial is on record"));
    is->replaces = record.intent;
out:
    return err_at(e, "/replaces");
}

static bool has_template(const struct issuance *is)
{
    return is->template != NULL;
}

static bool has_issuer(const struct issuance *is)
{
    return is->issuer != NULL;
}

static bool has_csr(const struct issuance *is)
{
    return is->csr.der.n > 0;
}

const struct admit_row admit_rows[] = {
    {"ready", check_ready, NULL, false, "clock, ledger and vault are as they should be"},
    {"template", find_template, has_template, false, "the template is there, and open to this asker"},
    {"issuer", find_issuer, has_issuer, false, "the issuer is there, issues, and the template is open to it"},
    {"state", check_state, NULL, false, "the issuer is in a state in which it issues"},
    {"frozen", check_frozen, NULL, false, "neither issuer nor template nor asker is frozen"},
    {"replaces", check_replaced, NULL, false, "what it replaces is on record, and this asker's to see"},
    {"csr", read_csr, has_csr, true, "the CSR reads, within limits, and its key is acceptable (RFC 2986)"},
    {"possession", check_possession, NULL, true, "the CSR is signed with its own key (RFC 2986 4.2)"},
    {"key", check_key, NULL, true, "no other asker has this key, and it was never given up as compromised"},
};
enum { ROWS = sizeof admit_rows / sizeof admit_rows[0] };

size_t admit_rows_count(void)
{
    return ROWS;
}

struct err *steps_admit(struct issuance *is, bool *ret_waits)
{
    struct err *e = NULL;
    (void)ret_waits;
    for (size_t i = 0; i < ROWS; i++)
        if (!admit_rows[i].csr || is->request.token_spki.n == 0)
            TRY(admit_rows[i].run(is));
    world_point("ca.admitted");
out:
    return e;
}

struct err *admit_names(const struct issuance *is, const char *const *names, size_t n)
{
    return err_at(asker_check_names(&is->asker, names, n), is->request.has_sans ? "/sans" : "/csr");
}
