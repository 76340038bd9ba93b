/* One entry of revokedCertificates, written without memory. Private to the room. */
#ifndef CHANCERY_CERT_CRL_ENTRY_H
#define CHANCERY_CERT_CRL_ENTRY_H

#include "cert/crl.h"

enum { CRL_ENTRY_MAX_BYTES = 96 };

/* ERR_CORRUPT where the entry cannot stand in a list: a serial that is not positive and minimal, a reason
 * that does not exist, a time that DER cannot say. */
MUST_USE struct err *crl_entry_write(const struct cert_crl_entry *entry, uint8_t to[CRL_ENTRY_MAX_BYTES],
                                     size_t *ret_n);

/* Positive, minimal, at most SERIAL_MAX_BYTES. */
bool crl_entry_serial_ok(struct view serial);

#endif
