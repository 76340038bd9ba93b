/*
 * Chains: whether one certificate was issued by the other (RFC 5280 6.1, the part a private authority needs:
 * no policies, no name constraints of foreign CAs). Pure; any thread.
 */
#ifndef CHANCERY_CERT_CHAIN_H
#define CHANCERY_CERT_CHAIN_H

#include "cert/tbs.h"

struct cert_chain_cert {
    struct cert_sealed sealed;
    struct cert_tbs tbs;
    struct cert_key key;
};

/* Opens and reads; the key must be acceptable. */
MUST_USE struct err *cert_chain_read(struct view cert_der, struct arena *arena, struct cert_chain_cert *ret);

/* child was issued by parent: issuer name is parent's subject, AKI is parent's SKI where both are there,
 * parent is a CA with keyCertSign whose pathLen allows `cas_below` CA certificates under it (that are not
 * self-issued), both valid `at` (INT64_MIN: dates not looked at), signature. ERR_POLICY, ERR_BAD_SIGNATURE.
 */
MUST_USE struct err *cert_chain_link(const struct cert_chain_cert *child,
                                     const struct cert_chain_cert *parent, unsigned cas_below, int64_t at);

/* Leaf first, self-signed root last; n of 1 is a root alone. */
MUST_USE struct err *cert_chain_verify(const struct view *ders, size_t n, int64_t at, struct arena *arena);

#endif
