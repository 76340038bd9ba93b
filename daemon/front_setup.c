/* One list of issuers, in the form each of the front's rooms wants. Copies nothing but pointers. Any thread.
 */
#include "front_setup.h"

#include "base/check.h"
#include "base/hex.h"

static const char *parent_name(const struct setup_issuer *i)
{
    return i->parent && i->parent != i ? i->parent->config->name : NULL;
}

static const struct ca_issuer *ca_issuers(const struct setup *s)
{
    struct ca_issuer *to = arena_array(s->arena, s->n, sizeof *to);

    for (size_t k = 0; k < s->n; k++) {
        const struct setup_issuer *i = &s->issuers[k];
        to[k] = (struct ca_issuer){
            .name = i->config->name,
            .certificate = i->certificate,
            .root = i->parent == i,
            .parent_name = parent_name(i),
            .issue = i->config->issue,
            .offline = i->config->key == NULL,
            .cross = i->cross,
            .cross_n = i->config->cross.n,
            .facts = {.name = i->config->name,
                      .subject = i->cert.tbs.subject,
                      .key_id = i->key_id,
                      .alg = i->alg,
                      .not_before = i->cert.tbs.not_before,
                      .not_after = i->cert.tbs.not_after,
                      .base_url = s->config->public_url,
                      .partitioned = i->config->crl_partition > 0},
            .partition = (uint64_t)i->config->crl_partition,
        };
    }
    return to;
}

static const struct crl_issuer *crl_issuers(const struct setup *s)
{
    struct crl_issuer *to = arena_array(s->arena, s->n, sizeof *to);

    for (size_t k = 0; k < s->n; k++) {
        const struct setup_issuer *i = &s->issuers[k];
        to[k] = (struct crl_issuer){
            .name = i->config->name,
            .parent = parent_name(i),
            .certificate = i->certificate,
            .subject = i->cert.tbs.subject,
            .key_id = i->key_id,
            .alg = i->alg,
            .url = arena_printf(s->arena, "%s/crl/%s", s->config->public_url, i->config->name),
            .every_s = i->config->crl_every_s,
            .lifetime_s = i->config->crl_lifetime_s,
            .not_after = i->cert.tbs.not_after,
            .given = i->list,
            .given_from = i->list_from,
            .given_until = i->list_until,
            .offline = i->config->key == NULL,
            .delta_s = i->config->crl_delta_s,
            .full = i->config->crl_full,
            .directory = i->config->crl_directory,
            .put = i->config->crl_put,
        };
    }
    return to;
}

/* An offline CA has no responder here: its status stands in its list. */
static const struct ocsp_issuer *ocsp_issuers(const struct setup *s, size_t *ret_n)
{
    struct ocsp_issuer *to = arena_array(s->arena, s->n, sizeof *to);
    size_t n = 0;

    for (size_t k = 0; k < s->n; k++)
        if (s->issuers[k].config->key)
            to[n++] = (struct ocsp_issuer){
                .name = s->issuers[k].config->name,
                .certificate = s->issuers[k].certificate,
                .lifetime_s = s->issuers[k].config->ocsp_lifetime_s,
                .alg = s->issuers[k].alg,
                .by_issuer = s->issuers[k].config->ocsp_signer == CONFIG_OCSP_ISSUER,
                .ready = s->issuers[k].config->ocsp_ready,
                .sign_unknown = s->issuers[k].config->ocsp_unknown == CONFIG_OCSP_SIGNED,
            };
    *ret_n = n;
    return to;
}

static const char *default_issuer(const struct setup *s)
{
    for (size_t k = 0; k < s->n; k++)
        if (s->issuers[k].config->issue)
            return s->issuers[k].config->name;
    UNREACHABLE(); /* config has checked it */
}

static struct ledger_texts texts_of(struct conf_texts from)
{
    return (struct ledger_texts){from.n, from.items};
}

static const struct enroll_acme *acme_of(const struct setup *s)
{
    const struct config_acme *a = &s->config->acme;
    struct enroll_acme *to = ARENA_NEW(s->arena, struct enroll_acme);
    *to = (struct enroll_acme){.url = s->config->https_url,
                               .template = a->template,
                               .templates = texts_of(a->templates),
                               .open = texts_of(a->open),
                               .website = a->website,
                               .terms = a->terms,
                               .caa = texts_of(a->validation.issuers),
                               .order_s = a->order_s,
                               .authz_s = a->authz_s,
                               .orders_per_account = a->orders_per_account,
                               .orders_per_name = a->orders_per_name,
                               .accounts_per_address = a->accounts_per_address};
    return a->enabled ? to : NULL;
}

const struct front_setup *front_setup_of(const struct setup *s)
{
    struct front_setup *f = ARENA_NEW(s->arena, struct front_setup);

    f->n = s->n;
    f->ca = (struct ca_setup){
        .generation = s->generation.number,
        .templates = s->templates,
        .issuers = ca_issuers(s),
        .issuers_n = s->n,
        .default_issuer = default_issuer(s),
        .self_names = s->config->names.items,
        .self_names_n = s->config->names.n,
        .roster = s->roster,
    };
    f->enroll = (struct enroll_config){
        .roster = s->roster,
        .generation = s->generation.number,
        .jwts = s->jwts,
        .jwts_n = s->config->jwt.n,
        .generation_sha256 = hex_of(s->arena, view_of(s->sha256, SHA256_BYTES)),
        .acme = acme_of(s),
    };
    f->crl = crl_issuers(s);
    f->ocsp = ocsp_issuers(s, &f->ocsp_n);
    return f;
}
