/*
 * TBSCertificate (RFC 5280 4.1.2), version 3, written by hand and byte-stable: the same description always
 * gives the same octets. The strict reader takes only what the writer could have made. Pure; any thread.
 */
#ifndef CHANCERY_CERT_TBS_H
#define CHANCERY_CERT_TBS_H

#include "cert/ext.h"
#include "cert/key.h"
#include "cert/seal.h"

struct cert_tbs {
    struct view serial; /* INTEGER content: positive, minimal, at most SERIAL_MAX_BYTES (4.1.2.2) */
    enum cert_alg alg;
    struct view issuer; /* Name, whole DER */
    int64_t not_before, not_after;
    struct view subject; /* Name, whole DER; 30 00 for the empty one */
    struct view spki;    /* SubjectPublicKeyInfo, whole DER */
    const struct cert_ext *exts;
    size_t ext_count;
};

/* ERR_TOO_LARGE over LIMIT_TBS_BYTES. A serial that is not positive and minimal is ERR_INTERNAL. */
MUST_USE struct err *cert_tbs_write(const struct cert_tbs *tbs, struct arena *arena, struct view *ret_der);

/* Strict: version 3, no unique identifiers, no extension twice, DER times in the form for their year,
 * notBefore <= notAfter. Names and key are whole elements, not judged (name.h, key.h). Views into der. */
MUST_USE struct err *cert_tbs_read(struct view der, struct arena *arena, struct cert_tbs *ret);

/* A whole certificate: opened, read, inner and outer algorithm the same (4.1.1.2). ret_sealed may be NULL. */
MUST_USE struct err *cert_tbs_open(struct view cert_der, struct arena *arena, struct cert_sealed *ret_sealed,
                                   struct cert_tbs *ret);

/* The extension with this id, or NULL. */
const struct cert_ext *cert_tbs_ext(const struct cert_tbs *tbs, enum cert_ext_id id);

#endif
