/* CMS (RFC 5652), as much as a CA needs to hand certificates out. Pure; any thread. */
#ifndef CHANCERY_CERT_CMS_H
#define CHANCERY_CERT_CMS_H

#include "base/arena.h"
#include "base/err.h"

/* A certs-only message (RFC 5272 4.1, RFC 7030 4.1.3): SignedData without content and without signatures,
 * these certificates in this order. ERR_TOO_LARGE. */
MUST_USE struct err *cert_cms_certs_only(const struct view *ders, size_t n, struct arena *arena,
                                         struct view *ret_der);

#endif
