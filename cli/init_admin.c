/*
 * The first administrator: by a CSR that is brought, or, in a demo, with a key made here. What counts is the
 * hash of the key on the roster; the certificate is only how TLS shows that key.
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
        TRY(err_new(ERR_INTERNAL, "the administrator's key cannot be written"));
    long n = BIO_get_mem_data(bio, &text);
    TRY(file_write(path, view_of(text, (size_t)n), 0600));
out:
    BIO_free(bio);
    return e;
}

/* A software key in DIR/admin.key; its SPKI. */
static struct err *make_key(struct init *in, struct view *ret_spki)
{
    struct err *e = NULL;
    unsigned char *der = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    int n = key ? i2d_PUBKEY(key, &der) : -1;

    if (n < 0)
        TRY(err_new(ERR_INTERNAL, "no key for the administrator"));
    *ret_spki = arena_dup(in->cli->arena, view_of(der, (size_t)n));
    TRY(key_to_pem(key, arena_printf(in->cli->arena, "%s/admin.key", in->dir)));
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

static struct err *write_roster(struct init *in, struct view spki)
{
    struct err *e = NULL;
    uint8_t id[SHA256_BYTES], hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct hsm_roster *roster = NULL;

    digest_sha256(spki, id);
    const char *text =
        arena_printf(in->cli->arena,
                     "# Who may administer this authority: SHA-256 of the key (SubjectPublicKeyInfo), never "
                     "a name in a certificate.\n"
                     "# A change counts only with the signatures of `quorum` administrators of the old "
                     "roster, in roster.sigs.\n"
                     "quorum: 1\nroster:\n  - name: %s\n    role: admin\n    spki_sha256: \"%s\"\n",
                     in->admin_name, hex_of(in->cli->arena, view_of(id, sizeof id)));
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
    struct view spki, der;
    const struct templates_rdn subject = {"CN", in->admin_name};
    const char *path = arena_printf(in->cli->arena, "%s/%s.crt", in->dir, in->admin_name);

    if (in->admin_csr) {
        TRY(read_csr(in, &csr));
        spki = csr.key.spki;
    } else {
        TRY(make_key(in, &spki));
    }
    const struct init_wish wish = {
        .template = "admin",
        .issuer = issuing->name,
        .facts = *issuing,
        .csr = in->admin_csr ? &csr : NULL,
        .spki = spki,
        .subject = &subject,
        .subject_n = 1,
    };
    TRY(init_certify(in, &wish, &der));
    TRY(file_write(path, view_str(cert_pem_write("CERTIFICATE", der, in->cli->arena)), 0644));
    TRY(write_roster(in, spki));
out:
    return e;
}
