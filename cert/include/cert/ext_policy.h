/*
 * Extensions about policies: certificatePolicies with qualifiers, policyConstraints, inhibitAnyPolicy (RFC
 * 5280 4.2.1.4, .11, .14). Written and read as ext.h says; errors as there. policyMappings is neither. Pure;
 * any thread.
 */
#ifndef CHANCERY_CERT_EXT_POLICY_H
#define CHANCERY_CERT_EXT_POLICY_H

#include "cert/ext.h"

enum {
    CERT_POLICIES_MAX = 32,
    CERT_POLICY_QUALIFIERS_MAX = 4, /* of one policy */
    CERT_NOTICE_MAX = 200,          /* characters (4.2.1.4) */
};

/* A pointer to the practice statement (CPS), or a text to be shown (explicitText of a user notice, in UTF-8;
 * noticeRef is neither written nor read). */
struct cert_policy_qualifier {
    bool notice;
    struct view text; /* the URI, or the text */
};

struct cert_policy {
    struct view oid;
    const struct cert_policy_qualifier *qualifiers;
    size_t n;
};

struct cert_policies {
    const struct cert_policy *v;
    size_t n;
};

/* At least one, none twice; order and qualifiers are kept as they are. */
MUST_USE struct err *cert_ext_write_policies(struct cert_policies policies, bool critical,
                                             struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_policies(struct view value, struct arena *arena,
                                            struct cert_policies *ret);
bool cert_ext_policy_is_any(struct view oid); /* 2.5.29.32.0 */

struct cert_policy_constraints { /* certificates to skip, 0 to 255; -1: not there */
    int require_explicit, inhibit_mapping;
};

/* Critical; at least one of the two. */
MUST_USE struct err *cert_ext_write_policy_constraints(struct cert_policy_constraints constraints,
                                                       struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_policy_constraints(struct view value, struct cert_policy_constraints *ret);

/* Critical; skip is 0 to 255. */
MUST_USE struct err *cert_ext_write_inhibit_any(int skip, struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_inhibit_any(struct view value, int *ret_skip);

#endif
