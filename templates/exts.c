/*
 * Extensions: one row for each that a template can explain, made as a pure function of template, issuer, key
 * and names. Judging is comparing bytes with what would be made: an extension is either exactly ours or
 * refused.
 *
 * Any thread.
 */
#include "exts.h"

#include "judge.h"
#include "source.h"
#include "usage.h"

/* Leaves *ret->oid empty where the certificate is to have none. */
typedef struct err *make(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret);

static struct err *make_key_usage(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    unsigned mask = usage_key_mask(f->t, f->key->kind);
    return mask ? cert_ext_write_key_usage(mask, f->t->key_usage.critical, arena, ret) : NULL;
}

static struct err *make_eku(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    if (f->t->ext_key_usage.n == 0)
        return NULL;
    return cert_ext_write_eku(usage_extended(f->t), f->t->ext_key_usage.critical, arena, ret);
}

static struct err *make_basic(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    const struct template_constraints *c = &f->t->constraints;
    if (!c->present)
        return NULL;
    return cert_ext_write_basic((struct cert_basic){c->ca, (int)c->path_len}, c->critical, arena, ret);
}

static struct err *make_ski(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    uint8_t id[SHA1_BYTES];
    cert_key_sha1(f->key, id);
    return cert_ext_write_ski(view_of(id, sizeof(id)), arena, ret);
}

static struct err *make_aki(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    return cert_ext_write_aki(f->issuer->key_id, arena, ret);
}

static struct err *make_aia(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    bool ocsp = f->t->pointers.ocsp, issuer = f->t->pointers.issuer;
    struct view ocsp_url = view_str(templates_issuer_url(f->issuer, TEMPLATES_URL_OCSP, arena));
    struct view ca_url = view_str(templates_issuer_url(f->issuer, TEMPLATES_URL_CA, arena));
    struct cert_aia aia = {.ocsp = {&ocsp_url, ocsp}, .ca_issuers = {&ca_url, issuer}};
    return ocsp || issuer ? cert_ext_write_aia(&aia, arena, ret) : NULL;
}

static struct err *make_cdp(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    struct view url = view_str(templates_partition_url(f->issuer, f->partition, arena));
    return f->t->pointers.crl ? cert_ext_write_cdp((struct cert_views){&url, 1}, arena, ret) : NULL;
}

/* Critical where the subject is empty (RFC 5280 4.2.1.6). */
static struct err *make_san(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    return f->sans_n ? cert_ext_write_san(f->sans, f->sans_n, f->subject_empty, arena, ret) : NULL;
}

static struct err *make_nocheck(const struct exts_facts *f, struct arena *arena, struct cert_ext *ret)
{
    return f->t->pointers.ocsp_nocheck ? cert_ext_write_no_check(arena, ret) : NULL;
}

/* In the order in which they stand in a certificate. */
static const struct {
    enum cert_ext_id id;
    make *make;
    const char *field, *source;
} rows[EXTS_ROWS] = {
    {CERT_EXT_KEY_USAGE, make_key_usage, "key_usage", "template"},
    {CERT_EXT_EXT_KEY_USAGE, make_eku, "extended_key_usage", "template"},
    {CERT_EXT_BASIC_CONSTRAINTS, make_basic, "basic_constraints", "template"},
    {CERT_EXT_SKI, make_ski, "subject_key_id", "csr"},
    {CERT_EXT_AKI, make_aki, "authority_key_id", "issuer"},
    {CERT_EXT_AIA, make_aia, "authority_info_access", "issuer"},
    {CERT_EXT_CDP, make_cdp, "crl_distribution_points", "issuer"},
    {CERT_EXT_SAN, make_san, "sans", ""},
    {CERT_EXT_NO_CHECK, make_nocheck, "ocsp_nocheck", "template"},
    {CERT_EXT_FRESHEST_CRL, NULL, "freshest_crl", "template"}, /* these lie ready in the template */
    {CERT_EXT_NO_REV_AVAIL, NULL, "no_rev_avail", "template"},
    {CERT_EXT_NAME_CONSTRAINTS, NULL, "name_constraints", "template"},
    {CERT_EXT_POLICIES, NULL, "policies", "template"},
    {CERT_EXT_POLICY_CONSTRAINTS, NULL, "policy_constraints", "template"},
    {CERT_EXT_INHIBIT_ANY_POLICY, NULL, "inhibit_any", "template"},
    {CERT_EXT_SIA, NULL, "info_access", "template"},
    {CERT_EXT_TLS_FEATURE, NULL, "tls_feature", "template"},
    {CERT_EXT_SUBJECT_DIRECTORY, NULL, "directory", "template"},
    {CERT_EXT_MS_TEMPLATE_NAME, NULL, "microsoft.template_name", "template"},
    {CERT_EXT_MS_TEMPLATE, NULL, "microsoft.template_oid", "template"},
    {CERT_EXT_MS_SECURITY, NULL, "microsoft.sid", "template"},
};

static size_t row_of(enum cert_ext_id id)
{
    size_t i = 0;
    while (i < EXTS_ROWS && rows[i].id != id)
        i++;
    return i;
}

bool exts_has_fields(enum cert_ext_id id)
{
    return row_of(id) < EXTS_ROWS;
}

const char *exts_field(enum cert_ext_id id)
{
    size_t i = row_of(id);
    return i < EXTS_ROWS ? rows[i].field : "";
}

const char *exts_source(enum cert_ext_id id)
{
    size_t i = row_of(id);
    return i < EXTS_ROWS ? rows[i].source : "template";
}

static void copy(const struct cert_ext *from, size_t n, struct arena *arena, struct cert_ext *ret,
                 size_t *ret_n)
{
    for (size_t i = 0; i < n; i++)
        ret[(*ret_n)++] = (struct cert_ext){arena_dup(arena, from[i].oid), from[i].critical,
                                            arena_dup(arena, from[i].value)};
}

struct err *exts_make(const struct exts_facts *facts, struct arena *arena, struct cert_ext *ret,
                      size_t *ret_n)
{
    struct err *e = NULL;
    *ret_n = 0;
    for (size_t i = 0; i < EXTS_ROWS; i++) {
        struct cert_ext ext = {{NULL, 0}, false, {NULL, 0}};
        if (rows[i].make)
            TRY(rows[i].make(facts, arena, &ext));
        if (ext.oid.n > 0)
            ret[(*ret_n)++] = ext;
    }
    copy(facts->t->ready, facts->t->ready_n, arena, ret, ret_n);
    copy(facts->t->custom.values, facts->t->custom.n, arena, ret, ret_n);
out:
    return e;
}

const char *templates_issuer_url(const struct templates_issuer *issuer, enum templates_url which,
                                 struct arena *arena)
{
    static const struct {
        const char *folder, *ending;
    } parts[] = {[TEMPLATES_URL_OCSP] = {"ocsp", ""},
                 [TEMPLATES_URL_CA] = {"ca", ".crt"},
                 [TEMPLATES_URL_CRL] = {"crl", ".crl"},
                 [TEMPLATES_URL_DELTA] = {"crl", "-delta.crl"}};
    return arena_printf(arena, "%s/%s/%s%s", issuer->base_url, parts[which].folder, issuer->name,
                        parts[which].ending);
}

const char *templates_partition_url(const struct templates_issuer *issuer, uint64_t partition,
                                    struct arena *arena)
{
    if (!partition)
        return templates_issuer_url(issuer, TEMPLATES_URL_CRL, arena);
    return arena_printf(arena, "%s/crl/%s/%llu.crl", issuer->base_url, issuer->name,
                        (unsigned long long)partition);
}

/* The number at the head of the last segment; 0: none. */
static uint64_t last_number(struct view url)
{
    uint64_t number = 0;
    size_t i = url.n;
    while (i > 0 && url.p[i - 1] != '/')
        i--;
    for (; i < url.n && url.p[i] >= '0' && url.p[i] <= '9' && number < UINT32_MAX; i++)
        number = number * 10 + (uint64_t)(url.p[i] - '0');
    return number;
}

bool templates_partition_of(const struct templates_issuer *issuer, struct view url, struct arena *arena,
                            uint64_t *ret)
{
    uint64_t partition = last_number(url);
    *ret = 0;
    if (view_eq_str(url, templates_issuer_url(issuer, TEMPLATES_URL_CRL, arena)))
        return true;
    if (!partition || !view_eq_str(url, templates_partition_url(issuer, partition, arena)))
        return false;
    *ret = partition;
    return true;
}

uint64_t exts_partition_named(const struct templates_issuer *issuer, const struct cert_tbs *tbs,
                              struct arena *arena)
{
    const struct cert_ext *cdp = cert_tbs_ext(tbs, CERT_EXT_CDP);
    struct cert_views uris;
    uint64_t partition = 0;
    if (!issuer->partitioned || !cdp)
        return 0;
    struct err *e = cert_ext_read_cdp(cdp->value, arena, &uris);
    bool one = !e && uris.n == 1 && templates_partition_of(issuer, uris.v[0], arena, &partition);
    err_free(e);
    return one ? partition : 0;
}

/* --- rules --- */

bool exts_leaves_open(const struct judged *j, enum cert_ext_id id)
{
    const struct template_from *from = source_of(j->t, cert_ext_oid(id));
    const struct cert_ext *have = cert_tbs_ext(j->tbs, id);
    const struct cert_ext *want = cert_ext_find(j->wanted, j->wanted_n, id);
    if (!source_open(from))
        return false;
    if (!want)
        return true;
    /* The issuer comes last: its word counts where nobody asked, and what it says is no asker's. */
    return have && (from->mask & SOURCE_ISSUER) &&
           !(have->critical == want->critical && view_eq(have->value, want->value));
}

static struct err *same(const struct judged *j, enum cert_ext_id id)
{
    const struct cert_ext *have = cert_tbs_ext(j->tbs, id);
    const struct cert_ext *want = cert_ext_find(j->wanted, j->wanted_n, id);
    const char *name = cert_ext_name(id), *rule = cert_ext_rule(id);
    if ((!have && !want) || exts_leaves_open(j, id))
        return NULL;
    if (!have)
        return err_new(ERR_POLICY, "%s is missing (%s)", name, rule);
    if (!want)
        return err_new(ERR_POLICY, "%s does not belong here (%s)", name, rule);
    if (have->critical != want->critical)
        return err_new(ERR_POLICY, "%s must %sbe critical (%s)", name, want->critical ? "" : "not ", rule);
    if (!view_eq(have->value, want->value))
        return err_new(ERR_POLICY, "%s is not what the template gives (%s)", name, rule);
    return NULL;
}

struct err *exts_rule_key_usage(const struct judged *j)
{
    return same(j, CERT_EXT_KEY_USAGE);
}

struct err *exts_rule_eku(const struct judged *j)
{
    return same(j, CERT_EXT_EXT_KEY_USAGE);
}

struct err *exts_rule_basic(const struct judged *j)
{
    return same(j, CERT_EXT_BASIC_CONSTRAINTS);
}

struct err *exts_rule_ski(const struct judged *j)
{
    return same(j, CERT_EXT_SKI);
}

struct err *exts_rule_aki(const struct judged *j)
{
    return same(j, CERT_EXT_AKI);
}

struct err *exts_rule_aia(const struct judged *j)
{
    return same(j, CERT_EXT_AIA);
}

struct err *exts_rule_cdp(const struct judged *j)
{
    return same(j, CERT_EXT_CDP);
}

struct err *exts_rule_san(const struct judged *j)
{
    return same(j, CERT_EXT_SAN);
}

struct err *exts_rule_nocheck(const struct judged *j)
{
    return same(j, CERT_EXT_NO_CHECK);
}

struct err *exts_rule_freshest(const struct judged *j)
{
    return same(j, CERT_EXT_FRESHEST_CRL);
}

struct err *exts_rule_no_rev_avail(const struct judged *j)
{
    return same(j, CERT_EXT_NO_REV_AVAIL);
}

struct err *exts_rule_name_constraints(const struct judged *j)
{
    return same(j, CERT_EXT_NAME_CONSTRAINTS);
}

struct err *exts_rule_policies(const struct judged *j)
{
    return same(j, CERT_EXT_POLICIES);
}

struct err *exts_rule_policy_constraints(const struct judged *j)
{
    return same(j, CERT_EXT_POLICY_CONSTRAINTS);
}

struct err *exts_rule_inhibit_any(const struct judged *j)
{
    return same(j, CERT_EXT_INHIBIT_ANY_POLICY);
}

struct err *exts_rule_info_access(const struct judged *j)
{
    return same(j, CERT_EXT_SIA);
}

struct err *exts_rule_tls_feature(const struct judged *j)
{
    return same(j, CERT_EXT_TLS_FEATURE);
}

struct err *exts_rule_directory(const struct judged *j)
{
    return same(j, CERT_EXT_SUBJECT_DIRECTORY);
}

struct err *exts_rule_ms_name(const struct judged *j)
{
    return same(j, CERT_EXT_MS_TEMPLATE_NAME);
}

struct err *exts_rule_ms_template(const struct judged *j)
{
    return same(j, CERT_EXT_MS_TEMPLATE);
}

struct err *exts_rule_ms_sid(const struct judged *j)
{
    return same(j, CERT_EXT_MS_SECURITY);
}

/* An OID without a row: one of the template's own, or one that may be asked for (custom.allow). */
static bool explained(const struct judged *j, struct view oid)
{
    for (size_t i = 0; i < j->t->custom.n; i++) {
        if (view_eq(j->t->custom.values[i].oid, oid))
            return true;
    }
    return source_open(&j->t->custom.from);
}

struct err *exts_rule_unknown(const struct judged *j)
{
    for (size_t i = 0; i < j->tbs->ext_count; i++) {
        const struct cert_ext *ext = &j->tbs->exts[i];
        enum cert_ext_id id = cert_ext_id_of(ext->oid);
        if (!exts_has_fields(id) && !(source_of(j->t, ext->oid) && explained(j, ext->oid)))
            return err_new(ERR_POLICY, "the extension %s is not explained by the template",
                           cert_ext_label(ext->oid, j->arena));
    }
    return NULL;
}
