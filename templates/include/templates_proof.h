/*
 * Who must agree before a certificate is made (the group `approval`), and which values a template has, as one
 * hash. Part of templates.h, which includes it. Kept by the vault, on what comes with the bytes. Constant;
 * any thread.
 */
#ifndef CHANCERY_TEMPLATES_PROOF_PUBLIC_H
#define CHANCERY_TEMPLATES_PROOF_PUBLIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct template;

struct templates_approval {
    int64_t needed; /* administrators who must approve; 0: quorum */
    bool quorum;    /* as many as the roster says */
    int64_t life_s; /* of a request */
};
/* NULL where nobody need approve. */
const struct templates_approval *templates_approval(const struct template *t);

/* SHA-256 of all its effective values (templates_to_json): the same values are the same version, however the
 * file is written. */
void templates_sha256(const struct template *t, uint8_t ret[SHA256_BYTES]);

#endif
