/*
 * Judges of what stands at the edge of a hierarchy: the proof that comes with a key from elsewhere, and the
 * request that goes out for a key of ours. Pure; any thread.
 */
#include "base/limits.h"
#include "cert/chain.h"
#include "cert/csr.h"
#include "judge.h"

/* TBSCertificate of version 3 begins with [0]; CertificationRequestInfo with its version. */
static bool is_certificate(struct view der)
{
    struct view seq, inner;
    struct err *e = der_read(&der, DER_SEQUENCE, &seq);
    if (!e)
        e = der_read(&seq, DER_SEQUENCE, &inner);
    bool ret = !e && der_peek(inner) == DER_CONTEXT_CONS(0);
    err_free(e);
    return ret;
}

static struct err *read_certificate(struct view der, struct arena *arena, struct judge_proof_found *ret)
{
    struct err *e = NULL;
    struct cert_chain_cert cert;
    TRY(cert_chain_read(der, arena, &cert));
    if (!view_eq(cert.tbs.subject, cert.tbs.issuer))
        return err_new(
            ERR_FLOOR,
            "a certificate that is not self-signed proves nothing of its key; bring the root's own, "
            "or a request");
    TRY(cert_chain_link(&cert, &cert, 0, INT64_MIN));
    *ret = (struct judge_proof_found){.spki = cert.tbs.spki, .subject = cert.tbs.subject};
out:
    return e;
}

struct err *judge_proof(struct view proof, struct arena *arena, struct judge_proof_found *ret)
{
    struct err *e = NULL;
    struct cert_csr csr;
    if (proof.n > LIMIT_CSR_BYTES)
        return err_new(ERR_TOO_LARGE, "a request or certificate of more than %d octets", LIMIT_CSR_BYTES);
    if (is_certificate(proof))
        return read_certificate(proof, arena, ret);
    TRY(cert_csr_parse(proof, arena, &csr));
    TRY(cert_csr_verify(&csr));
    *ret = (struct judge_proof_found){.spki = csr.key.spki};
out:
    return e;
}

/* Version 0, subject, key; what follows are attributes, which bind nobody. */
static struct err *read_cri(struct view cri, struct arena *arena, struct view *ret_subject,
                            struct view *ret_spki)
{
    struct err *e = NULL;
    struct view in = cri, seq, attributes;
    struct cert_name name;
    uint64_t version;
    TRY(der_read(&in, DER_SEQUENCE, &seq));
    TRY(der_end(in));
    TRY(der_read_uint(&seq, 0, &version));
    TRY(der_read_whole(&seq, DER_SEQUENCE, ret_subject));
    TRY(cert_name_parse(*ret_subject, arena, &name));
    TRY(der_read_whole(&seq, DER_SEQUENCE, ret_spki));
    TRY(der_read(&seq, DER_CONTEXT_CONS(0), &attributes));
    TRY(der_end(seq));
out:
    return err_wrap(e, "CertificationRequestInfo (RFC 2986 4.1)");
}

struct err *judge_cri(const struct judge_cri_case *c, struct arena *arena)
{
    enum { EMPTY_NAME_BYTES = 2 };
    struct err *e = NULL;
    struct view subject, spki;
    if (c->cri.n > LIMIT_CSR_BYTES)
        return err_new(ERR_TOO_LARGE, "a request of more than %d octets", LIMIT_CSR_BYTES);
    TRY(read_cri(c->cri, arena, &subject, &spki));
    if (!view_eq(spki, c->spki))
        TRY(err_new(ERR_FLOOR, "the key is not the one labelled %s in the token", c->name));
    if (subject.n <= EMPTY_NAME_BYTES)
        TRY(err_new(ERR_FLOOR, "an issuer has a name (RFC 5280 4.1.2.6)"));
    if (c->subject.n && !view_eq(subject, c->subject))
        TRY(err_new(ERR_FLOOR, "the subject is not the one that was approved"));
    for (size_t i = 0; i < c->house->n_issuers; i++) {
        const struct house_issuer *one = &c->house->issuers[i];
        if (view_eq(subject, one->facts.subject) && !view_eq(spki, one->key.spki))
            TRY(err_new(ERR_FLOOR, "the subject is that of %s, whose key is another", one->name));
    }
out:
    return e;
}
