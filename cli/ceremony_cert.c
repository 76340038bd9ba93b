/*
 * Steps that make certificates: of a root, of a CA below one, of a CA or a root whose key is elsewhere; and
 * the one that takes in what was made elsewhere. Shaped, judged, rolled and recorded as every certificate.
 */
#include <string.h>

#include "base/hex.h"
#include "base/world.h"
#include "ca_hierarchy.h"
#include "ceremony.h"
#include "cert/chain.h"
#include "cert/csr.h"
#include "cert/name.h"

/* RFC 4514 text as the templates take it, most general first. */
static struct err *parts_of(struct ceremony *c, const char *subject, const struct templates_rdn **ret,
                            size_t *ret_n)
{
    struct err *e = NULL;
    const struct cert_name_part *parts;
    size_t n;
    TRY(cert_name_split_text(subject, c->in.cli->arena, &parts, &n));
    struct templates_rdn *to = arena_array(c->in.cli->arena, n, sizeof *to);
    for (size_t i = 0; i < n; i++)
        to[i] = (struct templates_rdn){parts[i].type, parts[i].value};
    *ret = to;
    *ret_n = n;
out:
    return e;
}

static struct err *issuer_of(const struct ceremony *c, const struct ceremony_step *s,
                             const struct ceremony_issuer **ret)
{
    *ret = ceremony_issuer_find(c, s->issuer);
    if (*ret)
        return NULL;
    return err_new(ERR_ISSUER_UNKNOWN,
                   "no issuer '%s' yet: an earlier step makes it, or `issuers` names its certificate",
                   s->issuer);
}

/* The certificate as the wish has it, in a file, and on record. */
static struct err *certify(struct ceremony *c, const struct ceremony_step *s, struct init_wish *wish,
                           struct view *ret_der)
{
    struct err *e = NULL;
    struct cert_tbs tbs;
    struct cert_name name;
    wish->template = s->template;
    wish->validity_s = s->validity_s;
    TRY(init_certify(&c->in, wish, ret_der));
    TRY(cert_tbs_open(*ret_der, c->in.cli->arena, NULL, &tbs));
    TRY(cert_name_parse(tbs.subject, c->in.cli->arena, &name));
    ceremony_record_text(c, "subject", cert_name_text(&name, c->in.cli->arena));
    ceremony_record_text(c, "serial", hex_of(c->in.cli->arena, tbs.serial));
    ceremony_record_hash(c, "spki_sha256", tbs.spki);
    TRY(ceremony_io_write_pem(c, s->out, "CERTIFICATE", *ret_der));
out:
    return e;
}

/* An issuer came into use: in the ledger, and here. */
static struct err *came(struct ceremony *c, const char *name, struct view der)
{
    struct err *e = NULL;
    struct ledger_result result;
    struct ledger_entry entry = init_entry(&c->in, LEDGER_ISSUER);
    entry.issuer = name;
    entry.body.issuer.certificate = der;
    TRY(ledger_append_wait(c->in.ledger, &entry, &result));
    TRY(ceremony_issuer_add(c, name, der));
out:
    return e;
}

struct err *ceremony_cert_root(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct view der;
    struct init_wish wish = {.issuer = s->name, .name = s->name};
    TRY(hsm_ceremony_key_find(c->in.ceremony, s->name, c->in.cli->arena, &wish.spki));
    TRY(ceremony_issuer_root(c, s->name, s->subject, wish.spki, &wish.facts));
    TRY(parts_of(c, s->subject, &wish.subject, &wish.subject_n));
    TRY(certify(c, s, &wish, &der));
    TRY(came(c, s->name, der));
out:
    return e;
}

struct err *ceremony_cert_subordinate(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct view der;
    const struct ceremony_issuer *issuer;
    struct init_wish wish = {.issuer = s->issuer, .name = s->name};
    TRY(issuer_of(c, s, &issuer));
    wish.facts = issuer->facts;
    TRY(hsm_ceremony_key_find(c->in.ceremony, s->name, c->in.cli->arena, &wish.spki));
    TRY(parts_of(c, s->subject, &wish.subject, &wish.subject_n));
    TRY(certify(c, s, &wish, &der));
    TRY(came(c, s->name, der));
out:
    return e;
}

struct err *ceremony_cert_sign(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct arena *a = c->in.cli->arena;
    struct view der;
    struct cert_csr csr;
    const struct ceremony_issuer *issuer;
    struct init_wish wish = {.issuer = s->issuer};
    TRY(issuer_of(c, s, &issuer));
    TRY(ceremony_io_read_pem(c, s->file, s->sha256, "CERTIFICATE REQUEST", &wish.proof));
    TRY(cert_csr_parse(wish.proof, a, &csr));
    TRY(cert_csr_verify(&csr));
    wish.facts = issuer->facts;
    wish.spki = csr.key.spki;
    TRY(parts_of(c, s->subject ? s->subject : cert_name_text(&csr.subject, a), &wish.subject,
                 &wish.subject_n));
    TRY(certify(c, s, &wish, &der));
out:
    return e;
}

struct err *ceremony_cert_cross(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct arena *a = c->in.cli->arena;
    struct view der;
    struct cert_tbs other;
    struct cert_name name;
    const struct ceremony_issuer *issuer;
    struct init_wish wish = {.issuer = s->issuer};
    TRY(issuer_of(c, s, &issuer));
    TRY(ceremony_io_read_pem(c, s->file, s->sha256, "CERTIFICATE", &wish.proof));
    TRY(cert_tbs_open(wish.proof, a, NULL, &other));
    TRY(cert_name_parse(other.subject, a, &name));
    wish.facts = issuer->facts;
    wish.spki = other.spki;
    wish.keep = other.subject;
    TRY(parts_of(c, cert_name_text(&name, a), &wish.subject, &wish.subject_n));
    TRY(certify(c, s, &wish, &der));
out:
    return e;
}

struct err *ceremony_cert_import(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct arena *a = c->in.cli->arena;
    struct ca_import im = {.chain_n = s->chain.n, .now = world_now_s()};
    struct view *chain = arena_array(a, s->chain.n, sizeof *chain);
    TRY(hsm_ceremony_key_find(c->in.ceremony, s->name, a, &im.spki));
    for (size_t i = 0; i < s->chain.n; i++)
        TRY(ceremony_io_read_pem(c, s->chain.items[i], NULL, "CERTIFICATE", &chain[i]));
    TRY(ceremony_io_read_pem(c, s->file, s->sha256, "CERTIFICATE", &im.certificate));
    im.chain = chain;
    TRY(ca_import_check(&im, a));
    TRY(hsm_ceremony_adopt(c->in.ceremony, s->name, im.certificate));
    ceremony_record_hash(c, "der_sha256", im.certificate);
    TRY(came(c, s->name, im.certificate));
out:
    return e;
}
