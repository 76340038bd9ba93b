/*
 * A configuration generation as data: reads issuers' certificates, checks that they can be issuers and
 * differ, copies the rest. Never asks the token, never reads files. The vault's loop.
 */
#include "house.h"

#include <stdlib.h>

#include "base/check.h"
#include "cert/chain.h"
#include "hsm_head.h"

bool house_name_ok(struct view name)
{
    if (name.n == 0 || name.n > HOUSE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

struct house_issuer *house_issuer(const struct house *h, struct view name)
{
    for (size_t i = 0; i < h->n_issuers; i++)
        if (view_eq_str(name, h->issuers[i].name))
            return &h->issuers[i];
    return NULL;
}

/* What makes a certificate an issuer's: CA:TRUE, keyCertSign and cRLSign, a subject, a key identifier. */
static struct err *check_ca(const struct cert_tbs *tbs, int *ret_path_len, struct view *ret_key_id)
{
    struct err *e = NULL;
    struct cert_basic basic = {.ca = false, .path_len = -1};
    unsigned usage = 0;
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_BASIC_CONSTRAINTS);
    if (ext)
        TRY(cert_ext_read_basic(ext->value, &basic));
    if (!basic.ca)
        TRY(err_new(ERR_CONFIG, "it is no CA certificate (RFC 5280 4.2.1.9)"));
    ext = cert_tbs_ext(tbs, CERT_EXT_KEY_USAGE);
    if (ext)
        TRY(cert_ext_read_key_usage(ext->value, &usage));
    if (ext &&
        (usage & (CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN)) != (CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN))
        TRY(err_new(ERR_CONFIG, "its key usage lacks keyCertSign or cRLSign (RFC 5280 4.2.1.3)"));
    ext = cert_tbs_ext(tbs, CERT_EXT_SKI);
    if (!ext)
        TRY(err_new(ERR_CONFIG, "it has no subject key identifier (RFC 5280 4.2.1.2)"));
    TRY(cert_ext_read_ski(ext->value, ret_key_id));
    if (tbs->subject.n <= 2)
        TRY(err_new(ERR_CONFIG, "its subject is empty (RFC 5280 4.1.2.6)"));
    *ret_path_len = basic.path_len;
out:
    return e;
}

static struct err *fill_issuer(struct house *h, const struct hsm_issuer_setup *setup, struct house_issuer *to)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    struct view der = arena_dup(h->arena, setup->certificate);
    TRY(cert_chain_read(der, h->arena, &cert));
    to->key = cert.key;
    cert_key_sha256(&cert.key, to->spki_sha256);
    to->facts.subject = cert.tbs.subject;
    TRY(check_ca(&cert.tbs, &to->path_len, &to->facts.key_id));
    if (!cert_alg_fits(setup->alg, cert.key.kind))
        TRY(err_new(ERR_CONFIG, "it cannot sign with %s: its key is %s", cert_alg_name(setup->alg),
                    cert_key_kind_name(cert.key.kind)));
    cert_ocsp_issuer_of(cert.tbs.subject, &cert.key, &to->ocsp);
    to->name = to->facts.name = arena_str(h->arena, view_str(setup->name));
    to->key_uri = setup->key_uri ? arena_str(h->arena, view_str(setup->key_uri)) : NULL;
    to->facts.alg = setup->alg;
    to->facts.not_before = cert.tbs.not_before;
    to->facts.not_after = cert.tbs.not_after;
    to->facts.base_url = h->base_url;
    to->facts.partitioned = setup->partitioned;
    to->may_issue = setup->may_issue;
    to->ocsp_by_issuer = setup->ocsp_by_issuer;
out:
    return e;
}

static struct err *check_differs(const struct house *h, const struct house_issuer *one)
{
    for (size_t i = 0; i < h->n_issuers; i++) {
        const struct house_issuer *other = &h->issuers[i];
        if (view_eq_str(view_str(one->name), other->name))
            return err_new(ERR_CONFIG, "there are two issuers of this name");
        if (view_eq(one->facts.subject, other->facts.subject) ||
            view_eq(one->facts.key_id, other->facts.key_id) ||
            memcmp(one->spki_sha256, other->spki_sha256, SHA256_BYTES) == 0)
            return err_new(ERR_CONFIG, "it has subject, key or key identifier in common with issuer %s",
                           other->name);
    }
    return NULL;
}

struct err *house_adopt(struct house *h, const struct hsm_issuer_setup *setup)
{
    struct err *e = NULL;
    if (!house_name_ok(view_str(setup->name)))
        return err_new(ERR_CONFIG, "an issuer's name is 1 to 63 of a-z, 0-9 and '-'");
    if (h->n_issuers == HOUSE_ISSUERS_MAX)
        return err_new(ERR_CONFIG, "more than %d issuers", HOUSE_ISSUERS_MAX);
    struct house_issuer *to = &h->issuers[h->n_issuers];
    *to = (struct house_issuer){.reason = "the token is not ready"};
    if (!setup->key_uri)
        *to = (struct house_issuer){.reason = "its key is kept elsewhere"};
    TRY(fill_issuer(h, setup, to));
    TRY(check_differs(h, to));
    h->n_issuers++;
out:
    return err_wrap(e, "issuer %s", setup->name);
}

static struct err *fill_self_names(struct house *h, const struct hsm_vault_config *config)
{
    struct err *e = NULL;
    if (config->n_self_names > HOUSE_SELF_NAMES_MAX)
        return err_new(ERR_CONFIG, "more than %d own names", HOUSE_SELF_NAMES_MAX);
    struct cert_san *names = arena_array(h->arena, config->n_self_names, sizeof *names);
    for (size_t i = 0; i < config->n_self_names; i++) {
        const char *text = arena_str(h->arena, view_str(config->self_names[i]));
        TRY(err_wrap(cert_san_of_text(view_str(text), h->arena, &names[i]), "own name '%s'", text));
    }
    h->self_names = names;
    h->n_self_names = config->n_self_names;
out:
    return e;
}

static void copy_wishes(struct house *h, const struct hsm_vault_config *config)
{
    struct hsm_issuer_wish *wishes = arena_array(h->arena, config->n_wishes, sizeof *wishes);
    for (size_t i = 0; i < config->n_wishes; i++)
        wishes[i] = (struct hsm_issuer_wish){.name = arena_str(h->arena, view_str(config->wishes[i].name)),
                                             .alg = config->wishes[i].alg};
    h->wishes = wishes;
    h->n_wishes = config->n_wishes;
}

struct err *house_alg(const struct house *h, const char *name, enum cert_key_kind kind, enum cert_alg *ret)
{
    enum cert_alg alg = cert_alg_default(kind);
    for (size_t i = 0; i < h->n_wishes; i++)
        if (strcmp(h->wishes[i].name, name) == 0)
            alg = h->wishes[i].alg;
    if (!cert_alg_fits(alg, kind))
        return err_new(ERR_CONFIG, "issuer %s cannot sign with %s: its key is %s", name, cert_alg_name(alg),
                       cert_key_kind_name(kind));
    *ret = alg;
    return NULL;
}

/* "http://pki.example/": pki.example/log */
static struct err *fill_origin(struct house *h, const struct hsm_vault_config *config)
{
    const char *host = strstr(h->base_url, "://");
    size_t n = strcspn(host ? host + 3 : h->base_url, "/");
    h->log_origin = arena_printf(h->arena, "%.*s/log", (int)n, host ? host + 3 : h->base_url);
    if (config->log_origin)
        h->log_origin = arena_str(h->arena, view_str(config->log_origin));
    return hsm_head_origin_check(h->log_origin);
}

struct err *house_new(const struct hsm_vault_config *config, struct templates **templates, struct house **ret)
{
    struct err *e = NULL;
    struct house *h = calloc(1, sizeof *h);
    CHECK(h != NULL);
    h->refs = 1;
    h->arena = arena_new(32 << 20);
    h->generation = config->generation;
    h->base_url = arena_str(h->arena, view_str(config->base_url));
    TRY(fill_origin(h, config));
    h->issuers = arena_array(h->arena, HOUSE_ISSUERS_MAX, sizeof *h->issuers);
    for (size_t i = 0; i < config->n_issuers; i++)
        TRY(house_adopt(h, &config->issuers[i]));
    TRY(fill_self_names(h, config));
    copy_wishes(h, config);
    h->templates = *templates;
    *templates = NULL;
    *ret = h;
    h = NULL;
out:
    house_unref(h);
    return e;
}

struct house *house_ref(struct house *h)
{
    h->refs++;
    return h;
}

void house_unref(struct house *h)
{
    if (!h || --h->refs > 0)
        return;
    templates_free(h->templates);
    arena_free(h->arena);
    free(h);
}
