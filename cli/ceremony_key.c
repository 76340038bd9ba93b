/* Steps `key` and `csr`: a key in the token, and the request that goes out for it. */
#include "ceremony.h"
#include "cert/csr.h"
#include "cert/name.h"
#include "cert/seal.h"

struct err *ceremony_key_make(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct view spki;
    TRY(hsm_ceremony_key_generate(c->in.ceremony, s->name, s->key_kind, s->reuse, c->in.cli->arena, &spki));
    ceremony_record_text(c, "kind", s->key_kind);
    ceremony_record_hash(c, "spki_sha256", spki);
out:
    return e;
}

struct err *ceremony_key_request(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct arena *a = c->in.cli->arena;
    struct view spki, subject, cri, signature, der;
    struct cert_key key;
    uint64_t n;
    TRY(hsm_ceremony_key_find(c->in.ceremony, s->name, a, &spki));
    TRY(cert_key_parse(spki, &key));
    TRY(cert_name_of_text(s->subject, a, &subject));
    TRY(cert_csr_write(subject, spki, a, &cri));
    TRY(hsm_ceremony_seal_csr(c->in.ceremony, s->name, cri, a, &n, &signature));
    TRY(cert_seal(cri, cert_alg_default(key.kind), signature, a, &der));
    ceremony_record_text(c, "subject", s->subject);
    ceremony_record_hash(c, "spki_sha256", spki);
    TRY(ceremony_io_write_pem(c, s->out, "CERTIFICATE REQUEST", der));
out:
    return e;
}
