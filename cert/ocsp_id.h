/* CertID and nonce, shared by requests and answers. Private to the room. */
#ifndef CHANCERY_CERT_OCSP_ID_H
#define CHANCERY_CERT_OCSP_ID_H

#include "base/der.h"
#include "cert/ocsp.h"

MUST_USE struct err *ocsp_id_read(struct view *in, struct cert_ocsp_id *ret);
/* Not for CERT_OCSP_HASH_OTHER, which is written from its der. */
void ocsp_id_put(struct der_out *out, const struct cert_ocsp_id *id);

/* The value of the nonce extension. */
MUST_USE struct err *ocsp_id_read_nonce(struct view value, struct view *ret);

#endif
