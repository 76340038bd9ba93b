/*
 * Certificate requests: PKCS#10 (RFC 2986). Parsing reads shape and meaning within limits; the signature
 * (proof of possession) is a second step, so that what is refused cheaply costs no verification. Pure; any
 * thread.
 */
#ifndef CHANCERY_CERT_CSR_H
#define CHANCERY_CERT_CSR_H

#include "cert/ext.h"
#include "cert/key.h"
#include "cert/name.h"

struct cert_csr {
    struct view der; /* whole */
    struct view cri; /* CertificationRequestInfo: what the signature covers */
    struct cert_name subject;
    struct cert_key key; /* acceptable */
    struct cert_san *sans;
    size_t san_count;
    struct cert_ext *exts; /* every extension asked for, raw, subjectAltName included */
    size_t ext_count;
    enum cert_alg alg;
    struct view sig;
};

/*
 * PEM ("CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST", exactly one block) or DER. DER input is borrowed,
 * not copied. Attributes: extensionRequest at most once, challengePassword and others ignored; an extension
 * twice, version other than 0 and trailing octets are refused. Names as name.h and san.h say, every kind.
 * Errors: ERR_TOO_LARGE (LIMIT_CSR_BYTES), ERR_BAD_DER, ERR_BAD_CSR, ERR_BAD_KEY, ERR_BAD_NAME,
 * ERR_BAD_EXTENSION, ERR_TOO_MANY, ERR_BAD_SIGNATURE (an algorithm that is refused, or that does not fit the
 * key).
 */
MUST_USE struct err *cert_csr_parse(struct view pem_or_der, struct arena *arena, struct cert_csr *ret);

/* CertificationRequestInfo (RFC 2986 4.1) without attributes, to be signed by the key it is for. */
MUST_USE struct err *cert_csr_write(struct view subject, struct view spki, struct arena *arena,
                                    struct view *ret_cri);

/* Proof of possession (RFC 2986 4.2): ERR_BAD_SIGNATURE. With a desk where many are verified in turn. */
MUST_USE struct err *cert_csr_verify(const struct cert_csr *csr);
MUST_USE struct err *cert_csr_verify_at(struct cert_key_desk *desk, const struct cert_csr *csr);

#endif
