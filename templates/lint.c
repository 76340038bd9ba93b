/*
 * Lint: the certificate about to be signed, held against the standards whatever its template says. One row of
 * lint.def for each rule; those about usages are in lint_usage.c.
 *
 * A pure function of the certificate. Any thread.
 */
#include "lint.h"

#include "subject.h"

const struct lint_row lint_rows[] = {
#define LINT(func, name, severity, rules, section, doc)                                                      \
    {name, func, TEMPLATES_##severity, LINT_##rules, section, doc},
#include "lint.def"
#undef LINT
};

enum { ROWS = sizeof(lint_rows) / sizeof(lint_rows[0]), ENOUGH_SERIAL_BYTES = 8 };

size_t lint_rows_count(void)
{
    return ROWS;
}

static const struct cert_ext *ext(const struct linted *l, enum cert_ext_id id)
{
    return cert_tbs_ext(l->tbs, id);
}

/* A reading that fails is not lost: lint_form reads again. */
static void read_all(struct linted *l)
{
    const struct cert_ext *basic = ext(l, CERT_EXT_BASIC_CONSTRAINTS), *usage = ext(l, CERT_EXT_KEY_USAGE);
    const struct cert_ext *eku = ext(l, CERT_EXT_EXT_KEY_USAGE), *san = ext(l, CERT_EXT_SAN);
    const struct cert_san_limits limits = {.allow_other = true};
    l->basic.path_len = -1;
    err_free(cert_key_read(l->tbs->spki, &l->key)); /* shape and judge have seen to the curve */
    err_free(cert_name_parse(l->tbs->subject, l->arena, &l->subject));
    if (basic)
        err_free(cert_ext_read_basic(basic->value, &l->basic));
    l->has_usage = usage != NULL;
    if (usage)
        err_free(cert_ext_read_key_usage(usage->value, &l->usage));
    if (eku)
        err_free(cert_ext_read_eku(eku->value, l->arena, &l->eku));
    if (san)
        err_free(cert_san_read(san->value, &limits, l->arena, &l->sans, &l->sans_n));
}

void templates_lint(const struct cert_tbs *tbs, bool baseline, struct arena *arena,
                    const struct templates_lint **ret, size_t *ret_n)
{
    struct templates_lint *found = arena_array(arena, ROWS, sizeof(found[0]));
    struct linted l = {.tbs = tbs, .arena = arena};
    size_t n = 0;
    read_all(&l);
    for (size_t i = 0; i < ROWS; i++) {
        const struct lint_row *row = &lint_rows[i];
        if (row->rules == LINT_TLS && !(baseline && cert_ext_eku_has(l.eku, "serverAuth")))
            continue;
        const char *why = row->rule(&l);
        if (why)
            found[n++] = (struct templates_lint){row->name, row->section, row->severity, why};
    }
    *ret = found;
    *ret_n = n;
}

const char *templates_severity_name(enum templates_severity severity)
{
    static const char *const names[] = {"error", "warning", "notice"};
    return names[severity];
}

const char *lint_twice(const struct linted *l)
{
    for (size_t i = 1; i < l->tbs->ext_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (view_eq(l->tbs->exts[i].oid, l->tbs->exts[k].oid))
                return arena_printf(l->arena, "%s stands there twice",
                                    cert_ext_label(l->tbs->exts[i].oid, l->arena));
        }
    }
    return NULL;
}

const char *lint_form(const struct linted *l)
{
    for (size_t i = 0; i < l->tbs->ext_count; i++) {
        struct err *e = lint_form_read(&l->tbs->exts[i], l->arena);
        if (!e)
            continue;
        const char *why =
            arena_printf(l->arena, "%s: %s", cert_ext_label(l->tbs->exts[i].oid, l->arena), err_detail(e));
        err_free(e);
        return why;
    }
    return NULL;
}

const char *lint_validity(const struct linted *l)
{
    return l->tbs->not_after <= l->tbs->not_before ? "it ends before it begins" : NULL;
}

const char *lint_serial(const struct linted *l)
{
    return l->tbs->serial.n < ENOUGH_SERIAL_BYTES ? "a short serial number can be foreseen" : NULL;
}

const char *lint_issuer(const struct linted *l)
{
    return l->tbs->issuer.n <= 2 ? "the issuer has no name" : NULL;
}

const char *lint_subject_ca(const struct linted *l)
{
    return l->basic.ca && l->subject.n == 0 ? "a CA certificate without a subject" : NULL;
}

const char *lint_subject_empty(const struct linted *l)
{
    const struct cert_ext *san = ext(l, CERT_EXT_SAN);
    if (l->subject.n > 0 || l->basic.ca)
        return NULL;
    if (!san)
        return "neither a subject nor subjectAltName";
    return san->critical ? NULL : "the subject is empty: subjectAltName must be critical";
}

/* Self-signed certificates may leave it out. */
const char *lint_aki(const struct linted *l)
{
    bool self = view_eq(l->tbs->issuer, l->tbs->subject);
    return !self && !ext(l, CERT_EXT_AKI) ? "authorityKeyIdentifier is missing" : NULL;
}

const char *lint_ski(const struct linted *l)
{
    return l->basic.ca && !ext(l, CERT_EXT_SKI) ? "a CA certificate without subjectKeyIdentifier" : NULL;
}

/* The first of these extensions that stands there with this critical flag. */
static const char *flagged(const struct linted *l, const enum cert_ext_id *ids, size_t n, bool critical,
                           const char *must)
{
    for (size_t i = 0; i < n; i++) {
        const struct cert_ext *have = ext(l, ids[i]);
        if (have && have->critical == critical)
            return arena_printf(l->arena, "%s must %s (%s)", cert_ext_name(ids[i]), must,
                                cert_ext_rule(ids[i]));
    }
    return NULL;
}

const char *lint_never_critical(const struct linted *l)
{
    static const enum cert_ext_id ids[] = {CERT_EXT_SKI,          CERT_EXT_AKI, CERT_EXT_AIA,
                                           CERT_EXT_FRESHEST_CRL, CERT_EXT_SIA, CERT_EXT_SUBJECT_DIRECTORY,
                                           CERT_EXT_NO_REV_AVAIL};
    return flagged(l, ids, sizeof(ids) / sizeof(ids[0]), true, "not be critical");
}

static const enum cert_ext_id constraints[] = {CERT_EXT_NAME_CONSTRAINTS, CERT_EXT_POLICY_CONSTRAINTS,
                                               CERT_EXT_INHIBIT_ANY_POLICY};
enum { CONSTRAINTS = sizeof(constraints) / sizeof(constraints[0]) };

const char *lint_always_critical(const struct linted *l)
{
    return flagged(l, constraints, CONSTRAINTS, false, "be critical");
}

const char *lint_ca_only(const struct linted *l)
{
    for (size_t i = 0; i < CONSTRAINTS && !l->basic.ca; i++) {
        if (ext(l, constraints[i]))
            return arena_printf(l->arena, "%s belongs into CA certificates", cert_ext_name(constraints[i]));
    }
    return NULL;
}

const char *lint_ca_basic(const struct linted *l)
{
    const struct cert_ext *basic = ext(l, CERT_EXT_BASIC_CONSTRAINTS);
    return l->basic.ca && !basic->critical ? "basicConstraints of a CA must be critical" : NULL;
}

const char *lint_path_len(const struct linted *l)
{
    bool may = l->basic.ca && l->has_usage && (l->usage & CERT_KU_KEY_CERT_SIGN);
    return l->basic.path_len >= 0 && !may ? "pathLenConstraint without CA:TRUE and keyCertSign" : NULL;
}

const char *lint_no_rev_avail(const struct linted *l)
{
    if (!ext(l, CERT_EXT_NO_REV_AVAIL))
        return NULL;
    if (l->basic.ca)
        return "noRevAvail in a CA certificate";
    struct cert_aia aia = {{NULL, 0}, {NULL, 0}};
    const struct cert_ext *access = ext(l, CERT_EXT_AIA);
    if (access)
        err_free(cert_ext_read_aia(access->value, l->arena, &aia));
    bool places = ext(l, CERT_EXT_CDP) || ext(l, CERT_EXT_FRESHEST_CRL) || aia.ocsp.n > 0;
    return places ? "noRevAvail beside a place to look for the status" : NULL;
}

const char *lint_cdp_critical(const struct linted *l)
{
    static const enum cert_ext_id id = CERT_EXT_CDP;
    return flagged(l, &id, 1, true, "not be critical");
}

const char *lint_custom_critical(const struct linted *l)
{
    for (size_t i = 0; i < l->tbs->ext_count; i++) {
        const struct cert_ext *have = &l->tbs->exts[i];
        if (have->critical && cert_ext_id_of(have->oid) == CERT_EXT__COUNT)
            return arena_printf(l->arena, "%s is critical", cert_ext_label(have->oid, l->arena));
    }
    return NULL;
}

const char *lint_tls_life(const struct linted *l)
{
    return l->tbs->not_after - l->tbs->not_before > INT64_C(398) * 86400 ? "more than 398 days" : NULL;
}

const char *lint_tls_names(const struct linted *l)
{
    for (size_t i = 0; i < l->sans_n; i++) {
        if (l->sans[i].kind != CERT_SAN_DNS && l->sans[i].kind != CERT_SAN_IP)
            return arena_printf(l->arena, "a name of kind %s", cert_san_kind_name(l->sans[i].kind));
    }
    return l->sans_n == 0 ? "no dNSName and no iPAddress" : NULL;
}

const char *lint_tls_cn(const struct linted *l)
{
    const struct cert_attr *cn = cert_name_find(&l->subject, "CN");
    return cn && !subject_repeats(cn->value, l->sans, l->sans_n, l->arena)
               ? "the common name is none of the names"
               : NULL;
}
