/*
 * The seal: tbs + algorithm + signature, the outer form that certificates and CRLs share (RFC 5280 4.1.1,
 * 5.1.1). OCSP answers have a form of their own: ocsp.h. Pure; any thread.
 */
#ifndef CHANCERY_CERT_SEAL_H
#define CHANCERY_CERT_SEAL_H

#include "cert/alg.h"

struct cert_sealed {
    struct view tbs; /* whole, as signed */
    enum cert_alg alg;
    struct view sig; /* content of the BIT STRING */
};

/* sig as it stands in the BIT STRING: RSA octets, or DER of r and s for ECDSA. */
MUST_USE struct err *cert_seal(struct view tbs, enum cert_alg alg, struct view sig, struct arena *arena,
                               struct view *ret_der);

/* For a tbs too big to copy: what goes before it and after it. */
MUST_USE struct err *cert_seal_around(size_t tbs_bytes, enum cert_alg alg, struct view sig,
                                      struct arena *arena, struct view *ret_head, struct view *ret_tail);

/* Opens a certificate or CRL; views into der. Does not look into the tbs, does not verify. */
MUST_USE struct err *cert_seal_open(struct view der, struct cert_sealed *ret);

/* r and s side by side, as PKCS#11 gives them, to Ecdsa-Sig-Value (RFC 3279 2.2.3). */
MUST_USE struct err *cert_seal_ecdsa(struct view raw, struct arena *arena, struct view *ret_sig);

#endif
