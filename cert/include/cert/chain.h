/*
 * Chains: whether one certificate was issued by the other (RFC 5280 6.1, with any policy as the initial set
 * and without policy mapping). Pure; any thread.
 */
#ifndef CHANCERY_CERT_CHAIN_H
#define CHANCERY_CERT_CHAIN_H

#include "cert/ext_constraints.h"
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
 * self-issued), both valid `at` (INT64_MIN: dates not looked at), no critical extension that is not known
 * here, signature, child's names within parent's nameConstraints (a self-issued CA certificate aside, 6.1.3
 * b). Policies are judged over a whole chain alone. ERR_POLICY, ERR_BAD_SIGNATURE; what a reader refuses. */
MUST_USE struct err *cert_chain_link(const struct cert_chain_cert *child,
                                     const struct cert_chain_cert *parent, unsigned cas_below, int64_t at);

/* Leaf first, self-signed root last; n of 1 is a root alone. The nameConstraints of every CA count for all
 * that lies below, the root's too; policies as certificatePolicies, policyConstraints and inhibitAnyPolicy
 * say (6.1.3 d to f). */
MUST_USE struct err *cert_chain_verify(const struct view *ders, size_t n, int64_t at, struct arena *arena);

/* --- names under constraints (4.2.1.10) --- */

/* What a certificate names. */
struct cert_chain_names {
    struct view subject; /* Name, whole DER */
    const struct cert_san *sans;
    size_t n;
    bool ca; /* no: a commonName that reads as a host counts as one where there is no dNSName */
};

/* Every name keeps to the constraints: none that an excluded subtree touches ("*.a" is touched by "x.a"), and
 * of each kind that is permitted somewhere only what is. Mail addresses in the subject count as such. Kinds
 * without a subtree pass. ERR_POLICY with err_at "/subject" or "/sans/N". */
MUST_USE struct err *cert_chain_names_check(const struct cert_chain_names *names,
                                            const struct cert_constraints *constraints, struct arena *arena);

/* Of a certificate or of one to be. */
MUST_USE struct err *cert_chain_names_of(const struct cert_tbs *tbs, struct arena *arena,
                                         struct cert_chain_names *ret);

/* Both at once: child's names under issuer's nameConstraints; passes where issuer has none. */
MUST_USE struct err *cert_chain_names_under(const struct cert_tbs *child, const struct cert_tbs *issuer,
                                            struct arena *arena);

#endif
