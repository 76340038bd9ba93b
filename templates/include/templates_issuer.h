/*
 * Who signs, as templates see it, and the addresses that its certificates and lists carry. Part of
 * templates.h, which includes it. Pure; any thread.
 */
#ifndef CHANCERY_TEMPLATES_ISSUER_H
#define CHANCERY_TEMPLATES_ISSUER_H

#include "base/arena.h"
#include "cert/alg.h"

/* What signs. For a self-signed root: the root itself, not_after INT64_MAX. */
struct templates_issuer {
    const char *name;    /* "issuing" */
    struct view subject; /* its subject, Name DER */
    struct view key_id;  /* the octets of its subjectKeyIdentifier */
    enum cert_alg alg;   /* what it signs with */
    int64_t not_before, not_after;
    const char
        *base_url; /* "http://pki.example.internal:8080": the responder's public name, no slash at the end */
    bool partitioned; /* its certificates may name the list of a partition in place of the list of all */
};

/* The addresses that stand in certificates and lists: base_url/ocsp/NAME, /ca/NAME.crt, /crl/NAME.crl,
 * /crl/NAME-delta.crl. */
enum templates_url { TEMPLATES_URL_OCSP, TEMPLATES_URL_CA, TEMPLATES_URL_CRL, TEMPLATES_URL_DELTA };
const char *templates_issuer_url(const struct templates_issuer *issuer, enum templates_url which,
                                 struct arena *arena);
/* Of a partition's list: base_url/crl/NAME/7.crl; 0: TEMPLATES_URL_CRL. And which partition such an address
 * is of: false where it is none of this issuer's. */
const char *templates_partition_url(const struct templates_issuer *issuer, uint64_t partition,
                                    struct arena *arena);
bool templates_partition_of(const struct templates_issuer *issuer, struct view url, struct arena *arena,
                            uint64_t *ret);

#endif
