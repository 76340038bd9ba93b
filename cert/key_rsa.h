/* Whether an RSA public key is acceptable. Private to the room. */
#ifndef CHANCERY_CERT_KEY_RSA_H
#define CHANCERY_CERT_KEY_RSA_H

#include "base/err.h"
#include "base/view.h"

/* Both come as INTEGER contents and go as magnitudes without sign octet. */
MUST_USE struct err *key_rsa_check(struct view *modulus, struct view *exponent, unsigned *ret_bits);

#endif
