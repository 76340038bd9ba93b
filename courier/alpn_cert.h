/* The certificate of a tls-alpn-01 answer (RFC 8737 3, RFC 8738 6). Pure; any thread. */
#ifndef CHANCERY_COURIER_ALPN_CERT_H
#define CHANCERY_COURIER_ALPN_CERT_H

#include <openssl/x509.h>

#include "courier_check.h"

/* NULL, or what is wrong with it, to end a sentence that begins with "its certificate". */
const char *alpn_cert_fault(X509 *cert, const struct courier_check *check);

#endif
