/*
 * How often a template may be asked for, and with which keys (the group `limits`). Part of templates.h, which
 * includes it. Context rules: kept by whoever knows the asker and the books. Constant; any thread.
 */
#ifndef CHANCERY_TEMPLATES_LIMITS_PUBLIC_H
#define CHANCERY_TEMPLATES_LIMITS_PUBLIC_H

#include <stdint.h>

struct template;

struct templates_rate {
    int64_t n, period_s; /* n: 0: no bound */
};

/* Which keys may be certified once more for the asker who had them certified first. */
enum templates_keys {
    TEMPLATES_KEYS_OWNER,   /* any */
    TEMPLATES_KEYS_RENEWAL, /* for the same names alone */
    TEMPLATES_KEYS_ONCE,    /* none */
};

struct templates_limits {
    /* Buckets of n that fill up again in period_s: for each asker, for all together. */
    struct templates_rate per_asker, per_template;
    struct templates_rate per_name; /* on record in the period past, for each name, whoever asked */
    int keys;                       /* enum templates_keys */
    int64_t
        renew_within_s;    /* a certificate for the same names must end within this for another; 0: no rule */
    int64_t renew_grace_s; /* how long after its end a certificate may still renew itself; 0: not at all */
};
const struct templates_limits *templates_limits(const struct template *t);

#endif
