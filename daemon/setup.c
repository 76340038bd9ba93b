/*
 * Reads a sealed generation and checks what can be checked without a key: every template, the roster, each
 * issuer's certificate, its algorithm, and who issued whom. Opens no file; nothing here depends on the clock.
 * Any thread.
 */
#include "setup.h"

#include <stdlib.h>

#include "base/check.h"
#include "cert/crl.h"
#include "cert/pem.h"
#include "enroll_jwt.h"

enum { ARENA_BYTES = GENERATION_ARENA_BYTES + (64 << 20) };

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

static struct err *file_of(const struct setup *s, const char *name, struct view *ret)
{
    const struct generation_file *f = generation_find(&s->generation, name);
    if (!f)
        return err_new(ERR_CONFIG, "%s is not in this generation", name);
    *ret = f->bytes;
    return NULL;
}

/* Without these the house cannot make its own certificates. */
static struct err *check_own_templates(const struct templates *set)
{
    static const char *const names[] = {"self", "ocsp-signing"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct template *t = templates_find(set, view_str(names[i]));
        if (!t)
            return err_new(ERR_CONFIG,
                           "templates/%s.yaml is missing: the house makes its own certificates by it",
                           names[i]);
        if (!templates_internal(t))
            return err_new(ERR_CONFIG, "templates/%s.yaml: without `internal: true` anybody could ask for it",
                           names[i]);
    }
    return NULL;
}

static struct err *read_templates(struct setup *s)
{
    struct err *e = NULL;
    struct templates_file *files = arena_array(s->arena, s->generation.n, sizeof *files);
    size_t n = 0;

    for (size_t i = 0; i < s->generation.n; i++)
        if (after(s->generation.files[i].name, "templates/"))
            files[n++] = (struct templates_file){s->generation.files[i].name, s->generation.files[i].bytes};
    TRY(templates_load(files, n, &s->templates));
    TRY(check_own_templates(s->templates));
out:
    return e;
}

static struct err *read_roster(struct setup *s)
{
    struct err *e = NULL;
    const struct generation_file *sigs = generation_find(&s->generation, "roster.sigs");

    TRY(file_of(s, "roster.yaml", &s->roster_yaml));
    if (sigs)
        s->roster_sigs = sigs->bytes;
    TRY(hsm_roster_parse("roster.yaml", s->roster_yaml, &s->roster));
out:
    return e;
}

static struct err *read_jwts(struct setup *s)
{
    struct err *e = NULL;
    s->jwts = arena_array(s->arena, s->config->jwt.n, sizeof *s->jwts);
    for (size_t i = 0; i < s->config->jwt.n; i++) {
        const struct config_jwt *c = &s->config->jwt.items[i];
        struct enroll_jwt_texts texts = {.name = c->name,
                                         .issuer = c->issuer,
                                         .audience = c->audience,
                                         .when = c->when,
                                         .template = c->template,
                                         .names = c->names};
        TRY(file_of(s, arena_printf(s->arena, "jwt/%s.json", c->name), &texts.keys));
        TRY(enroll_jwt_read(&texts, s->arena, &s->jwts[i]));
    }
out:
    return e;
}

static struct err *issuer_alg(struct setup_issuer *i)
{
    struct err *e = NULL;

    i->alg = cert_alg_default(i->cert.key.kind);
    if (!i->config->alg)
        return NULL;
    TRY(cert_alg_parse(view_str(i->config->alg), &i->alg));
    if (!cert_alg_fits(i->alg, i->cert.key.kind))
        return err_new(ERR_CONFIG, "alg %s does not fit its key, which is %s", i->config->alg,
                       cert_key_kind_name(i->cert.key.kind));
out:
    return e;
}

/* RFC 5280 4.2.1.9, 4.2.1.3, 4.2.1.2: what the certificate of an issuer must say. */
static struct err *issuer_is_ca(struct setup_issuer *i)
{
    struct err *e = NULL;
    const struct cert_ext *basic = cert_tbs_ext(&i->cert.tbs, CERT_EXT_BASIC_CONSTRAINTS);
    const struct cert_ext *usage = cert_tbs_ext(&i->cert.tbs, CERT_EXT_KEY_USAGE);
    const struct cert_ext *ski = cert_tbs_ext(&i->cert.tbs, CERT_EXT_SKI);
    struct cert_basic b = {0};
    unsigned mask = 0, wanted = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN;

    if (!basic || !usage || !ski)
        return err_new(ERR_CONFIG, "its certificate lacks basicConstraints, keyUsage or subjectKeyIdentifier "
                                   "(RFC 5280 4.2.1)");
    TRY(cert_ext_read_basic(basic->value, &b));
    TRY(cert_ext_read_key_usage(usage->value, &mask));
    TRY(cert_ext_read_ski(ski->value, &i->key_id));
    if (!b.ca || (mask & wanted) != wanted)
        return err_new(ERR_CONFIG, "its certificate is not a CA's with keyCertSign and cRLSign "
                                   "(RFC 5280 4.2.1.3, 4.2.1.9)");
out:
    return e;
}

/* A list from a ceremony is served as it is: it must be this issuer's, by its key. */
static struct err *read_list(struct setup *s, struct setup_issuer *i)
{
    struct err *e = NULL;
    struct cert_sealed sealed;
    struct cert_crl crl;

    TRY(file_of(s, arena_printf(s->arena, "issuers/%s.crl", i->config->name), &i->list));
    TRY(cert_crl_open(i->list, &sealed, &crl));
    if (!view_eq(crl.issuer, i->cert.tbs.subject))
        TRY(err_new(ERR_CONFIG, "it is another issuer's"));
    TRY(cert_key_verify(&i->cert.key, sealed.alg, sealed.tbs, sealed.sig));
    i->list_from = crl.this_update;
    i->list_until = crl.next_update;
out:
    return err_wrap(e, "its list %s", i->config->crl_file);
}

/* Another root's word for this key under this name. */
static struct err *read_cross(struct setup *s, struct setup_issuer *i)
{
    struct err *e = NULL;
    struct view *cross = arena_array(s->arena, i->config->cross.n, sizeof *cross);
    size_t k = 0;

    for (; k < i->config->cross.n; k++) {
        struct view pem;
        struct cert_chain_cert cert;
        TRY(file_of(s, arena_printf(s->arena, "issuers/%s.cross.%zu.pem", i->config->name, k), &pem));
        TRY(cert_pem_read(pem, "CERTIFICATE", s->arena, &cross[k]));
        TRY(cert_chain_read(cross[k], s->arena, &cert));
        if (!view_eq(cert.key.spki, i->cert.key.spki) || !view_eq(cert.tbs.subject, i->cert.tbs.subject))
            TRY(err_new(ERR_CONFIG, "it is for another key or name"));
    }
    i->cross = cross;
out:
    return e ? err_wrap(e, "its cross-certificate %s", i->config->cross.items[k]) : NULL;
}

static struct err *read_issuer(struct setup *s, const struct config_issuer *config, struct setup_issuer *to)
{
    struct err *e = NULL;
    const char *name = arena_printf(s->arena, "issuers/%s.pem", config->name);
    struct view pem;

    to->config = config;
    TRY(file_of(s, name, &pem));
    TRY(cert_pem_read(pem, "CERTIFICATE", s->arena, &to->certificate));
    TRY(cert_chain_read(to->certificate, s->arena, &to->cert));
    TRY(issuer_is_ca(to));
    TRY(issuer_alg(to));
    if (config->crl_file)
        TRY(read_list(s, to));
    TRY(read_cross(s, to));
out:
    if (e && err_code(e) != ERR_CONFIG) {
        struct err *config_err = err_new(ERR_CONFIG, "%s", err_detail(e));
        err_free(e);
        e = config_err;
    }
    return err_wrap(e, "issuer %s (%s)", config->name, config->certificate);
}

/* Who issued it, among ours: the one whose subject fits and whose key verifies. Names alone do not tell: a
 * successor may carry the name of the one before. */
static struct err *find_parent(struct setup *s, struct setup_issuer *i)
{
    struct err *why = NULL;

    for (size_t k = 0; k < s->n; k++) {
        if (!view_eq(i->cert.tbs.issuer, s->issuers[k].cert.tbs.subject))
            continue;
        err_free(why);
        why = cert_chain_link(&i->cert, &s->issuers[k].cert, 0, INT64_MIN);
        if (!why) {
            i->parent = &s->issuers[k];
            return NULL;
        }
    }
    return err_wrap(why, "issuer %s", i->config->name);
}

static struct err *relate(struct setup *s)
{
    struct err *e = NULL;

    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < i; k++)
            if (view_eq(s->issuers[i].cert.key.spki, s->issuers[k].cert.key.spki))
                return err_new(ERR_CONFIG, "issuers %s and %s have the same key", s->issuers[k].config->name,
                               s->issuers[i].config->name);
    for (size_t i = 0; i < s->n; i++)
        TRY(find_parent(s, &s->issuers[i]));
out:
    return e;
}

/* Where no one rules alone, no one leaves a danger standing for ever alone either. */
static struct err *check_overrides(const struct setup *s)
{
    const struct template *t;
    struct templates_override o;
    unsigned quorum = hsm_roster_quorum(s->roster);
    for (size_t i = 0; quorum > 1 && (t = templates_at(s->templates, i)) != NULL; i++)
        for (size_t k = 0; templates_enabled(t) && templates_override(t, k, &o); k++)
            if (o.until == INT64_MAX)
                return err_new(ERR_CONFIG,
                               "template '%s': with a quorum of %u the override of '%s' needs an end: "
                               "{reason: TEXT, until: TIME}",
                               templates_name(t), quorum, o.finding);
    return NULL;
}

static struct err *read_all(struct setup *s, int fd, const char *file)
{
    struct err *e = NULL;
    struct view yaml;

    TRY(generation_open(fd, s->arena, &s->generation, s->sha256));
    TRY(file_of(s, "chancery.yaml", &yaml));
    TRY(config_parse(file, yaml, &s->config));
    TRY(read_templates(s));
    TRY(read_roster(s));
    TRY(check_overrides(s));
    TRY(read_jwts(s));
    s->n = s->config->issuers_n;
    s->issuers = arena_array(s->arena, s->n, sizeof *s->issuers);
    for (size_t i = 0; i < s->n; i++)
        TRY(read_issuer(s, &s->config->issuers[i], &s->issuers[i]));
    TRY(relate(s));
out:
    return e;
}

struct err *setup_read(int fd, const char *file, struct setup **ret)
{
    struct setup *s = calloc(1, sizeof *s);

    CHECK(s);
    s->arena = arena_new(ARENA_BYTES);
    struct err *e = read_all(s, fd, file);
    if (e) {
        setup_free(s);
        return e;
    }
    *ret = s;
    return NULL;
}

void setup_free(struct setup *s)
{
    if (!s)
        return;
    hsm_roster_free(s->roster);
    templates_free(s->templates);
    config_free(s->config);
    arena_free(s->arena);
    free(s);
}
