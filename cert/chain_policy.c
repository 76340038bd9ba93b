/*
 * Policies over a chain (RFC 5280 6.1.3 d to f, 6.1.4 h to j, 6.1.5), with any policy as the initial set.
 *
 * Without policy mapping the valid policy tree is a set: a policy is valid where every certificate down to
 * here asserts it, or anyPolicy in its place. policyMappings is not processed, which can only refuse. Any
 * thread.
 */
#include "chain_policy.h"

#include "base/limits.h"
#include "cert/ext_policy.h"

enum { VALID_MAX = 256 };

struct policies {
    struct view oids[CERT_POLICIES_MAX];
    size_t n;
    bool any;
};

struct state {
    struct view valid[VALID_MAX];
    size_t n;
    bool any; /* anyPolicy itself is valid */
    unsigned explicit, inhibit_any;
};

static bool has(const struct view *oids, size_t n, struct view oid)
{
    for (size_t i = 0; i < n; i++) {
        if (view_eq(oids[i], oid))
            return true;
    }
    return false;
}

struct err *chain_policy_known(struct view value)
{
    struct cert_policies policies;
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct err *e = cert_ext_read_policies(value, arena, &policies);
    arena_free(arena);
    return e;
}

/* OIDs alone: qualifiers of an extension that is not critical may be of any kind. */
static struct err *read_oids(struct view value, struct policies *ret)
{
    struct err *e = NULL;
    struct view seq, info, oid;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    while (seq.n) {
        TRY(der_read(&seq, DER_SEQUENCE, &info));
        TRY(der_read_oid(&info, &oid));
        if (cert_ext_policy_is_any(oid)) {
            ret->any = true;
            continue;
        }
        if (ret->n == CERT_POLICIES_MAX)
            return err_new(ERR_TOO_MANY, "more than %d policies", CERT_POLICIES_MAX);
        ret->oids[ret->n++] = oid;
    }
out:
    return err_wrap(e, "certificatePolicies (RFC 5280 4.2.1.4)");
}

static void add(struct state *s, struct view oid)
{
    if (s->n < VALID_MAX && !has(s->valid, s->n, oid)) /* one that has no room is not valid */
        s->valid[s->n++] = oid;
}

/* 6.1.3 d and e. */
static struct err *narrow(struct state *s, const struct cert_tbs *tbs, bool any_counts)
{
    struct err *e = NULL;
    struct policies p = {.n = 0};
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_POLICIES);
    struct state before = *s;
    s->n = 0;
    s->any = false;
    if (!ext)
        return NULL;
    TRY(read_oids(ext->value, &p));
    for (size_t i = 0; i < p.n; i++) {
        if (before.any || has(before.valid, before.n, p.oids[i]))
            add(s, p.oids[i]);
    }
    if (!p.any || !any_counts)
        return NULL;
    for (size_t i = 0; i < before.n; i++)
        add(s, before.valid[i]);
    s->any = before.any;
out:
    return e;
}

static void count_down(unsigned *skip)
{
    if (*skip)
        (*skip)--;
}

static void at_most(unsigned *skip, int limit)
{
    if (limit >= 0 && (unsigned)limit < *skip)
        *skip = (unsigned)limit;
}

/* 6.1.4 h to j; of the last one only 6.1.5 a and b. */
static struct err *prepare(struct state *s, const struct cert_tbs *tbs, bool self_issued, bool last)
{
    struct err *e = NULL;
    struct cert_policy_constraints constraints = {-1, -1};
    int skip = -1;
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_POLICY_CONSTRAINTS);
    const struct cert_ext *inhibit = cert_tbs_ext(tbs, CERT_EXT_INHIBIT_ANY_POLICY);
    if (ext)
        TRY(cert_ext_read_policy_constraints(ext->value, &constraints));
    if (inhibit)
        TRY(cert_ext_read_inhibit_any(inhibit->value, &skip));
    if (last || !self_issued) {
        count_down(&s->explicit);
        count_down(&s->inhibit_any);
    }
    if (!last || constraints.require_explicit == 0)
        at_most(&s->explicit, constraints.require_explicit);
    at_most(&s->inhibit_any, skip);
out:
    return e;
}

static struct err *check_valid(const struct state *s)
{
    if (s->explicit || s->any || s->n)
        return NULL;
    return err_new(
        ERR_POLICY,
        "a certificate above requires an explicit policy, and no policy is valid for the whole chain "
        "(RFC 5280 6.1.3 f, 6.1.5)");
}

struct err *chain_policy_check(const struct cert_chain_cert *certs, size_t n)
{
    struct err *e = NULL;
    unsigned all = (unsigned)n;
    struct state s = {.any = true, .explicit = all, .inhibit_any = all};
    for (size_t i = n - 1; i-- > 0;) { /* from below the anchor to the leaf */
        const struct cert_tbs *tbs = &certs[i].tbs;
        bool self_issued = view_eq(tbs->subject, tbs->issuer), last = i == 0;
        TRY(err_wrap(narrow(&s, tbs, s.inhibit_any || (self_issued && !last)), "certificate %zu of the chain",
                     i));
        TRY(err_wrap(check_valid(&s), "certificate %zu of the chain", i));
        TRY(err_wrap(prepare(&s, tbs, self_issued, last), "certificate %zu of the chain", i));
    }
    TRY(check_valid(&s));
out:
    return e;
}
