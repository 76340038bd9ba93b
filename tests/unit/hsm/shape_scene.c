/* See shape_scene.h. */
#include "shape_scene.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "cert/name.h"
#include "token_scene.h"

enum { FILES_MAX = 32, EXTS_MAX = 16 };

/* Templates that ask for evidence: a server's, and what must come with it. */
#define PROVED(what)                                                                                         \
    "validity: {default: 90d, max: 398d}\nsubject: {allow: [CN]}\nsans: {kinds: [dns]}\n"                    \
    "key_usage: {usages: [digitalSignature]}\nextended_key_usage: {usages: [serverAuth]}\n" what "\n"
static const struct {
    const char *name, *text;
} proved[] = {
    {"approved.yaml", PROVED("approval: {needed: 2}")},
};

struct templates *shape_templates(void)
{
    struct templates_file files[FILES_MAX];
    struct templates *set = NULL;
    size_t n = 0;
    while (templates_builtin(n, &files[n].name, &files[n].bytes))
        n++;
    for (size_t i = 0; i < sizeof proved / sizeof *proved; i++)
        files[n++] = (struct templates_file){proved[i].name, view_str(proved[i].text)};
    good(templates_load(files, n, &set));
    return set;
}

struct view shape_spki(struct arena *arena)
{
    unsigned char *der = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    int n = i2d_PUBKEY(key, &der);
    struct view ret = arena_dup(arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return ret;
}

struct cert_tbs shape_tbs(const struct shape_ask *ask, struct arena *arena)
{
    const struct templates_rdn cn = {"CN", ask->cn};
    struct templates_shaped shaped;
    const struct template *t = templates_find(ask->templates, view_str(ask->template));
    assert_non_null(t);
    struct templates_request request = {.spki = ask->spki,
                                        .serial = ask->serial,
                                        .now = ask->now,
                                        .has_subject = ask->cn != NULL,
                                        .subject = &cn,
                                        .subject_n = ask->cn != NULL,
                                        .has_sans = ask->san != NULL,
                                        .sans = &ask->san,
                                        .sans_n = ask->san != NULL};
    good(templates_shape(t, &request, ask->issuer, arena, &shaped));
    struct cert_tbs ret = *shaped.tbs;
    struct cert_ext *exts = arena_array(arena, EXTS_MAX, sizeof *exts);
    assert_true(ret.ext_count < EXTS_MAX);
    memcpy(exts, ret.exts, ret.ext_count * sizeof *exts);
    ret.exts = exts;
    return ret;
}

struct view shape_bytes(const struct cert_tbs *tbs, struct arena *arena)
{
    struct view ret;
    good(cert_tbs_write(tbs, arena, &ret));
    return ret;
}

static struct cert_ext *exts_of(struct cert_tbs *tbs)
{
    return (struct cert_ext *)(uintptr_t)tbs->exts;
}

void shape_put_ext(struct cert_tbs *tbs, struct cert_ext ext)
{
    struct cert_ext *exts = exts_of(tbs);
    size_t i = 0;
    while (i < tbs->ext_count && !view_eq(exts[i].oid, ext.oid))
        i++;
    assert_true(i < EXTS_MAX);
    exts[i] = ext;
    if (i == tbs->ext_count)
        tbs->ext_count++;
}

void shape_drop_ext(struct cert_tbs *tbs, enum cert_ext_id id)
{
    struct cert_ext *exts = exts_of(tbs);
    size_t kept = 0;
    for (size_t i = 0; i < tbs->ext_count; i++)
        if (cert_ext_id_of(exts[i].oid) != id)
            exts[kept++] = exts[i];
    assert_int_equal(kept, tbs->ext_count - 1);
    tbs->ext_count = kept;
}

struct templates_issuer shape_root(const char *name, const char *cn, struct view spki, enum cert_alg alg,
                                   struct arena *arena)
{
    const struct cert_name_part part = {"CN", cn};
    struct cert_key key;
    uint8_t *key_id = arena_alloc(arena, SHA1_BYTES);
    struct templates_issuer ret = {.name = name, .alg = alg, .not_before = 0, .not_after = INT64_MAX};
    good(cert_name_write(&part, 1, arena, &ret.subject));
    good(cert_key_parse(spki, &key));
    cert_key_sha1(&key, key_id);
    ret.key_id = view_of(key_id, SHA1_BYTES);
    ret.base_url = "http://pki.example.internal";
    return ret;
}
