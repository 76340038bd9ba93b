/*
 * The first administrator: by a CSR that is brought, or, in a demo, with a key made here. What counts is the
 * hash of the key on the roster; the certificate is only how TLS shows that key. A demo gets a second
 * administrator too, who approves what the first asks for, an operator, and a recovery key.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "cert/csr.h"
#include "cert/pem.h"
#include "init.h"

static struct err *key_to_pem(EVP_PKEY *key, const char *path)
{
    struct err *e = NULL;
    char *text;
    BIO *bio = BIO_new(BIO_s_secmem());
    if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
        TRY(err_new(ERR_INTERNAL, "a key of the roster cannot be written"));
    long n = BIO_get_mem_data(bio, &text);
    TRY(file_write(path, view_of(text, (size_t)n), 0600));
out:
    BIO_free(bio);
    return e;
}

/* A software key in DIR/NAME.key; its SPKI. */
static struct err *make_key(struct init *in, const char *name, struct view *ret_spki)
{
    struct err *e = NULL;
    unsigned char *der = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    int n = key ? i2d_PUBKEY(key, &der) : -1;

    if (n < 0)
        TRY(err_new(ERR_INTERNAL, "no key for the roster could be made"));
    *ret_spki = arena_dup(in->cli->arena, view_of(der, (size_t)n));
    TRY(key_to_pem(key, arena_printf(in->cli->arena, "%s/%s.key", in->dir, name)));
out:
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return e;
}

static struct err *read_csr(struct init *in, struct cert_csr *ret)
{
    struct err *e = NULL;
    struct view bytes;
    TRY(file_read(in->admin_csr, LIMIT_CSR_BYTES, in->cli->arena, &bytes));
    TRY(cert_csr_parse(bytes, in->cli->arena, ret));
    TRY(cert_csr_verify(ret));
out:
    return e ? err_wrap(e, "%s", in->admin_csr) : NULL;
}

static const char *entry(struct init *in, const char *name, const char *role, struct view spki)
{
    uint8_t id[SHA256_BYTES];
    digest_sha256(spki, id);
    return arena_printf(in->cli->arena, "  - name: %s\n    role: %s\n    spki_sha256: \"%s\"\n", name, role,
                        hex_of(in->cli->arena, view_of(id, sizeof id)));
}

/* What TLS shows of this key: DIR/NAME.crt. */
static struct err *certify(struct init *in, const struct templates_issuer *issuing, const char *name,
                           struct view spki, const struct cert_csr *csr)
{
    struct err *e = NULL;
    struct view der;
    const struct templates_rdn subject = {"CN", name};
    const struct init_wish wish = {
        .template = "admin",
        .issuer = issuing->name,
        .facts = *issuing,
        .csr = csr,
        .spki = spki,
        .subject = &subject,
        .subject_n = 1,
    };
    TRY(init_certify(in, &wish, &der));
    TRY(file_write(arena_printf(in->cli->arena, "%s/%s.crt", in->dir, name),
                   view_str(cert_pem_write("CERTIFICATE", der, in->cli->arena)), 0644));
out:
    return e;
}

/* Who the demo's others are. */
static struct err *demo_entries(struct init *in, const struct templates_issuer *issuing, const char **ret)
{
    struct err *e = NULL;
    struct view approver, recovery, operator;
    TRY(make_key(in, "approver", &approver));
    TRY(make_key(in, "recovery", &recovery));
    TRY(make_key(in, "operator", &operator));
    TRY(certify(in, issuing, "operator", operator, NULL));
    *ret = arena_printf(in->cli->arena, "%s%s%s", entry(in, "approver", "admin", approver),
                        entry(in, "recovery", "recovery", recovery),
                        entry(in, "operator", "operator", operator));
out:
    return e;
}

static struct err *write_roster(struct init *in, const struct templates_issuer *issuing, struct view spki)
{
    struct err *e = NULL;
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct hsm_roster *roster = NULL;
    const char *more = "";

    if (in->demo)
        TRY(demo_entries(in, issuing, &more));
    const char *text = arena_printf(
        in->cli->arena,
        "# Who may administer this authority: SHA-256 of the key (SubjectPublicKeyInfo), never "
        "a name in a certificate.\n"
        "# A change counts only with the signatures of `quorum` administrators of the old "
        "roster, in roster.sigs.\n"
        "# What changes the authority itself needs one approval beside the asker's (approvals: says how "
        "many, by kind).\n"
        "quorum: 1\nroster:\n%s%s",
        entry(in, in->admin_name, "admin", spki), more);
    TRY(hsm_roster_parse(in->config->roster, view_str(text), &roster));
    TRY(file_write(in->config->roster, view_str(text), 0600));
    hsm_roster_hash(roster, hash);
    hex_put(hex, view_of(hash, sizeof hash));
    fprintf(stderr, "roster: %s; its hash, to be kept elsewhere too: %s\n", in->config->roster, hex);
out:
    hsm_roster_free(roster);
    return e;
}

struct err *init_admin(struct init *in, const struct templates_issuer *issuing)
{
    struct err *e = NULL;
    struct cert_csr csr;
    struct view spki;

    if (in->admin_csr) {
        TRY(read_csr(in, &csr));
        spki = csr.key.spki;
    } else {
        TRY(make_key(in, "admin", &spki));
    }
    TRY(certify(in, issuing, in->admin_name, spki, in->admin_csr ? &csr : NULL));
    TRY(write_roster(in, issuing, spki));
out:
    return e;
}
