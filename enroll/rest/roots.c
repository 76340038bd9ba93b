/*
 * GET /v1/roots and /roots.pem: what a client must trust, for anybody: a root is checked by its fingerprint,
 * and the one that comes next by what the present one has certified. On the front's loop.
 */
#include "../house.h"
#include "base/digest.h"
#include "base/hex.h"
#include "cert/name.h"
#include "cert/pem.h"
#include "cert/tbs.h"
#include "hsm_state.h"
#include "rest.h"

#include <stdlib.h>

enum { CACHE_S = 3600 };

static bool counts(const struct ca *ca, const struct ca_issuer *issuer)
{
    return issuer->root && ca_issuer_state(ca, issuer) != HSM_STATE_DELETED;
}

/* The root that new certificates chain to. */
static const struct ca_issuer *current_root(const struct ca_setup *setup)
{
    const struct ca_issuer *at = ca_issuer_find(setup, setup->default_issuer);
    while (at && !at->root)
        at = ca_issuer_find(setup, at->parent_name);
    return at;
}

static const char *standing(const struct ca_issuer *root, const struct cert_tbs *tbs,
                            const struct ca_issuer *current, struct arena *arena)
{
    struct cert_tbs now = {.not_before = 0};
    struct err *e = current ? cert_tbs_open(current->certificate, arena, NULL, &now) : NULL;
    err_free(e);
    if (root == current)
        return "current";
    return tbs->not_before < now.not_before ? "outgoing" : "next";
}

static json_t *cross_json(const struct ca_issuer *root, struct arena *arena)
{
    json_t *list = json_array();
    for (size_t i = 0; i < root->cross_n; i++)
        json_array_append_new(list, json_string(cert_pem_write("CERTIFICATE", root->cross[i], arena)));
    return list;
}

static struct err *root_json(const struct ca_issuer *root, const struct ca_issuer *current,
                             struct arena *arena, json_t **ret)
{
    struct err *e = NULL;
    struct cert_tbs tbs;
    struct cert_name subject;
    uint8_t hash[SHA256_BYTES];
    TRY(cert_tbs_open(root->certificate, arena, NULL, &tbs));
    TRY(cert_name_parse(tbs.subject, arena, &subject));
    digest_sha256(root->certificate, hash);
    *ret =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o}", "name", root->name, "standing",
                  standing(root, &tbs, current, arena), "sha256", hex_of(arena, view_of(hash, sizeof hash)),
                  "subject", cert_name_text(&subject, arena), "not_before", answer_time(tbs.not_before),
                  "not_after", answer_time(tbs.not_after), "certificate",
                  cert_pem_write("CERTIFICATE", root->certificate, arena), "cross", cross_json(root, arena));
out:
    return e;
}

/* With ETag; 304 for who has it. */
static void reply(struct http_request *r, const char *type, const char *text)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(view_str(text), hash);
    const char *etag = arena_printf(r->arena, "\"%s\"", hex_of(r->arena, view_of(hash, 16)));
    http_add_text(r, "ETag", etag);
    http_add(r, "Cache-Control", "public, max-age=%d", CACHE_S);
    if (http_not_modified(r, etag, 0))
        http_reply(r, 304, NULL, view_of(NULL, 0));
    else
        http_reply(r, 200, type, view_str(text));
}

void roots_list(struct http_request *r)
{
    struct err *e = NULL;
    const struct enroll *en = r->app;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    json_t *list = json_array();
    for (size_t i = 0; i < setup->issuers_n; i++) {
        json_t *one = NULL;
        if (!counts(en->setup.ca, &setup->issuers[i]))
            continue;
        TRY(root_json(&setup->issuers[i], current_root(setup), r->arena, &one));
        json_array_append_new(list, one);
    }
    json_t *tree = json_pack("{s:O}", "roots", list);
    char *text = json_dumps(tree, JSON_COMPACT);
    reply(r, "application/json", arena_str(r->arena, view_str(text)));
    free(text);
    json_decref(tree);
out:
    json_decref(list);
    if (e)
        asker_refuse(r, NULL, e);
}

void roots_pem(struct http_request *r)
{
    const struct enroll *en = r->app;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    const char *text = "";
    for (size_t i = 0; i < setup->issuers_n; i++)
        if (counts(en->setup.ca, &setup->issuers[i]))
            text = arena_printf(r->arena, "%s%s", text,
                                cert_pem_write("CERTIFICATE", setup->issuers[i].certificate, r->arena));
    reply(r, "application/pem-certificate-chain", text);
}
