/*
 * The issuers a ceremony knows: those of its file, and those it makes. Facts come from the certificate alone.
 */
#include <stdio.h>
#include <string.h>

#include "ceremony.h"
#include "cert/chain.h"
#include "cert/name.h"

const struct ceremony_issuer *ceremony_issuer_find(const struct ceremony *c, const char *name)
{
    for (size_t i = 0; i < c->issuers_n; i++)
        if (strcmp(c->issuers[i].name, name) == 0)
            return &c->issuers[i];
    return NULL;
}

static struct err *facts_of(struct ceremony *c, const char *name, struct view der,
                            struct templates_issuer *ret)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    TRY(cert_chain_read(der, c->in.cli->arena, &cert));
    const struct cert_ext *ski = cert_tbs_ext(&cert.tbs, CERT_EXT_SKI);
    if (!ski)
        return err_new(ERR_POLICY, "it has no subject key identifier (RFC 5280 4.2.1.2)");
    *ret = (struct templates_issuer){.name = name,
                                     .subject = cert.tbs.subject,
                                     .alg = cert_alg_default(cert.key.kind),
                                     .not_before = cert.tbs.not_before,
                                     .not_after = cert.tbs.not_after,
                                     .base_url = c->public_url};
    TRY(cert_ext_read_ski(ski->value, &ret->key_id));
out:
    return e;
}

struct err *ceremony_issuer_add(struct ceremony *c, const char *name, struct view der)
{
    struct err *e = NULL;
    struct ceremony_issuer *to = &c->issuers[c->issuers_n];
    if (c->issuers_n == CEREMONY_ISSUERS_MAX)
        return err_new(ERR_TOO_MANY, "more than %d issuers in one ceremony", CEREMONY_ISSUERS_MAX);
    *to = (struct ceremony_issuer){.name = name, .certificate = der};
    TRY(facts_of(c, name, der, &to->facts));
    c->issuers_n++;
out:
    return err_wrap(e, "issuer %s", name);
}

struct err *ceremony_issuer_root(struct ceremony *c, const char *name, const char *subject, struct view spki,
                                 struct templates_issuer *ret)
{
    struct err *e = NULL;
    struct cert_key key;
    uint8_t *id = arena_alloc(c->in.cli->arena, SHA1_BYTES);
    TRY(cert_key_parse(spki, &key));
    cert_key_sha1(&key, id);
    *ret = (struct templates_issuer){.name = name,
                                     .key_id = view_of(id, SHA1_BYTES),
                                     .alg = cert_alg_default(key.kind),
                                     .not_after = INT64_MAX,
                                     .base_url = c->public_url};
    TRY(cert_name_of_text(subject, c->in.cli->arena, &ret->subject));
out:
    return e;
}
