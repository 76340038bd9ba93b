/* Bounds on what comes from outside, in one place: each is a gate that is checked before anything is parsed.
 */
#ifndef CHANCERY_BASE_LIMITS_H
#define CHANCERY_BASE_LIMITS_H

enum {
    LIMIT_CSR_BYTES = 64 * 1024,
    LIMIT_SANS = 100,        /* per certificate */
    LIMIT_NAME_BYTES = 4096, /* a whole distinguished name, DER */
    LIMIT_RDNS = 20,
    LIMIT_RDN_VALUE_BYTES = 256,
    LIMIT_URI_BYTES = 2048,
    LIMIT_DNS_BYTES = 253,
    LIMIT_EMAIL_BYTES = 254,
    LIMIT_EXTENSIONS = 32,
    LIMIT_TBS_BYTES = 64 * 1024,
    LIMIT_BODY_BYTES = 256 * 1024, /* of an HTTP request */
    LIMIT_OCSP_REQUEST_BYTES = 4096,
    LIMIT_OCSP_REQUESTS = 32, /* single requests in one query */
    LIMIT_REQUEST_ARENA_BYTES = 4 * 1024 * 1024,
    SERIAL_BYTES = 20, /* ours: positive, in the order of time, 128 random bits */
    SERIAL_MAX_BYTES = 20,
};

#endif
