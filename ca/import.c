/*
 * Whether a certificate that was made elsewhere can be an issuer's here: every rule by itself, so that the
 * refusal names what is wrong. Trusts nobody above but by signature; fetches nothing. Any thread.
 */
#include "base/when.h"
#include "ca_hierarchy.h"
#include "cert/chain.h"

enum { CHAIN_MAX = 7 };

struct chain {
    struct cert_chain_cert certs[CHAIN_MAX + 1]; /* the new issuer first */
    size_t n;
};

/* RFC 5280 4.2.1.9, 4.2.1.3, 4.2.1.2: what the certificate of an issuer must say. */
static struct err *check_ca(const struct cert_tbs *tbs)
{
    enum { WANTED = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN };
    struct err *e = NULL;
    struct cert_basic basic = {.ca = false};
    unsigned usage = 0;
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_BASIC_CONSTRAINTS);
    if (ext)
        TRY(cert_ext_read_basic(ext->value, &basic));
    if (!basic.ca)
        return err_new(ERR_POLICY,
                       "it is no CA certificate: basicConstraints lacks CA:TRUE (RFC 5280 4.2.1.9)");
    ext = cert_tbs_ext(tbs, CERT_EXT_KEY_USAGE);
    if (ext)
        TRY(cert_ext_read_key_usage(ext->value, &usage));
    if ((usage & WANTED) != WANTED)
        return err_new(ERR_POLICY, "its key usage lacks keyCertSign or cRLSign (RFC 5280 4.2.1.3)");
    if (!cert_tbs_ext(tbs, CERT_EXT_SKI))
        return err_new(ERR_POLICY, "it has no subject key identifier (RFC 5280 4.2.1.2)");
out:
    return e;
}

static struct err *check_dates(const struct chain *c, struct arena *arena, int64_t now)
{
    const struct cert_tbs *own = &c->certs[0].tbs;
    if (now < own->not_before)
        return err_new(ERR_POLICY, "it is not valid before %s", when_text(arena, own->not_before));
    if (now > own->not_after)
        return err_new(ERR_POLICY, "it is over since %s", when_text(arena, own->not_after));
    for (size_t i = 1; i < c->n; i++)
        if (own->not_after > c->certs[i].tbs.not_after)
            return err_new(ERR_POLICY, "its notAfter %s passes that of certificate %zu above it, %s",
                           when_text(arena, own->not_after), i, when_text(arena, c->certs[i].tbs.not_after));
    return NULL;
}

static bool is_self_issued(const struct cert_tbs *tbs)
{
    return view_eq(tbs->subject, tbs->issuer);
}

/* Link by link: what it issues stands below it, so it counts against every pathLen above (RFC 5280 4.2.1.9).
 */
static struct err *check_links(const struct chain *c, int64_t now)
{
    struct err *e = NULL;
    unsigned cas_below = is_self_issued(&c->certs[0].tbs) ? 0 : 1;
    for (size_t i = 0; i + 1 < c->n; i++) {
        TRY(err_wrap(cert_chain_link(&c->certs[i], &c->certs[i + 1], cas_below, now),
                     "against certificate %zu above it", i + 1));
        cas_below += !is_self_issued(&c->certs[i + 1].tbs);
    }
out:
    return e;
}

static struct err *read_chain(const struct ca_import *im, struct arena *arena, struct chain *c)
{
    struct err *e = NULL;
    if (im->chain_n > CHAIN_MAX)
        return err_new(ERR_TOO_MANY, "a chain of more than %d certificates", CHAIN_MAX);
    TRY(cert_chain_read(im->certificate, arena, &c->certs[0]));
    for (size_t i = 0; i < im->chain_n; i++)
        TRY(err_wrap(cert_chain_read(im->chain[i], arena, &c->certs[i + 1]), "certificate %zu above it",
                     i + 1));
    c->n = im->chain_n + 1;
out:
    return e;
}

static struct err *check_whole(const struct ca_import *im, const struct chain *c, struct arena *arena)
{
    struct view *ders = arena_array(arena, c->n, sizeof *ders);
    ders[0] = im->certificate;
    for (size_t i = 0; i < im->chain_n; i++)
        ders[i + 1] = im->chain[i];
    if (!is_self_issued(&c->certs[c->n - 1].tbs))
        return err_new(ERR_POLICY, "the chain does not end in a self-signed root");
    return cert_chain_verify(ders, c->n, im->now, arena);
}

struct err *ca_import_check(const struct ca_import *im, struct arena *arena)
{
    struct err *e = NULL;
    struct chain *c = ARENA_NEW(arena, struct chain);
    TRY(read_chain(im, arena, c));
    if (!view_eq(c->certs[0].tbs.spki, im->spki))
        TRY(err_new(ERR_BAD_KEY, "it is for another key than the one in the token"));
    TRY(check_ca(&c->certs[0].tbs));
    TRY(check_dates(c, arena, im->now));
    TRY(check_links(c, im->now));
    TRY(check_whole(im, c, arena));
out:
    return err_wrap(e, "the certificate");
}
