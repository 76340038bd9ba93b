/* Policies over a chain. Private to the room. */
#ifndef CHANCERY_CERT_CHAIN_POLICY_H
#define CHANCERY_CERT_CHAIN_POLICY_H

#include "cert/chain.h"

/* Leaf first, trust anchor last (6.1: the anchor's own policies do not count). */
MUST_USE struct err *chain_policy_check(const struct cert_chain_cert *certs, size_t n);

/* A critical certificatePolicies: every qualifier is one that is known here (4.2.1.4). */
MUST_USE struct err *chain_policy_known(struct view value);

#endif
