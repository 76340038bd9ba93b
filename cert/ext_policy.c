/*
 * certificatePolicies, policyConstraints, inhibitAnyPolicy (RFC 5280 4.2.1.4, .11, .14).
 *
 * Qualifiers: CPS URIs and texts in UTF-8, nothing else. Never judges a path: chain_policy.c. No state. Any
 * thread.
 */
#include "cert/ext_policy.h"

#include "ext_value.h"
#include "name_string.h"

static const uint8_t oid_cps[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01};
static const uint8_t oid_notice[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x02};
static const uint8_t oid_any[] = {0x55, 0x1d, 0x20, 0x00};

bool cert_ext_policy_is_any(struct view oid)
{
    return view_eq(oid, view_of(oid_any, sizeof oid_any));
}

static struct err *bad(const char *why)
{
    return ext_value_bad(CERT_EXT_POLICIES, why);
}

/* 4.2.1.4: DisplayText of 1 to 200 characters, UTF8String, no control characters. */
static struct err *check_notice(struct view text)
{
    size_t chars = 0;
    for (; text.n; chars++) {
        uint32_t c = 0;
        size_t octets = view_utf8_next(text, &c);
        if (!octets || name_string_hides(c))
            return bad("explicitText must be UTF-8 without control characters");
        text = view_from(text, octets);
    }
    if (!chars || chars > CERT_NOTICE_MAX)
        return bad("explicitText has 1 to 200 characters");
    return NULL;
}

static struct err *check_qualifier(const struct cert_policy_qualifier *q)
{
    return q->notice ? check_notice(q->text) : ext_value_check_uri(q->text);
}

/* 4.2.1.4: a policy OID must not appear more than once. */
static bool has(struct cert_policies list, struct view oid)
{
    for (size_t i = 0; i < list.n; i++) {
        if (view_eq(list.v[i].oid, oid))
            return true;
    }
    return false;
}

/* --- writing --- */

static struct err *put_qualifier(struct der_out *out, const struct cert_policy_qualifier *q)
{
    struct err *e = NULL;
    TRY(check_qualifier(q));
    size_t info = der_begin(out, DER_SEQUENCE);
    if (q->notice) {
        der_put_oid(out, view_of(oid_notice, sizeof oid_notice));
        size_t notice = der_begin(out, DER_SEQUENCE);
        der_put(out, DER_UTF8_STRING, q->text);
        der_finish(out, notice);
    }
    if (!q->notice) {
        der_put_oid(out, view_of(oid_cps, sizeof oid_cps));
        der_put(out, DER_IA5_STRING, q->text);
    }
    der_finish(out, info);
out:
    return e;
}

static struct err *put_policy(struct der_out *out, const struct cert_policy *policy)
{
    struct err *e = NULL;
    if (policy->n > CERT_POLICY_QUALIFIERS_MAX)
        return err_new(ERR_TOO_MANY, "more than %d qualifiers of a policy", CERT_POLICY_QUALIFIERS_MAX);
    size_t info = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, policy->oid);
    if (policy->n) {
        size_t list = der_begin(out, DER_SEQUENCE);
        for (size_t i = 0; i < policy->n; i++)
            TRY(put_qualifier(out, &policy->qualifiers[i]));
        der_finish(out, list);
    }
    der_finish(out, info);
out:
    return e;
}

struct err *cert_ext_write_policies(struct cert_policies policies, bool critical, struct arena *arena,
                                    struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    if (!policies.n || policies.n > CERT_POLICIES_MAX)
        return bad("needs 1 to 32 policies");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < policies.n; i++) {
        if (has((struct cert_policies){policies.v, i}, policies.v[i].oid))
            return bad("the same policy twice");
        TRY(put_policy(&out, &policies.v[i]));
    }
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_POLICIES, critical, ret));
out:
    return e;
}

/* --- reading --- */

static struct err *read_notice(struct view *in, struct view *ret)
{
    struct err *e = NULL;
    struct view notice;
    TRY(der_read(in, DER_SEQUENCE, &notice));
    if (der_peek(notice) != DER_UTF8_STRING)
        return bad("a user notice without explicitText as UTF8String, or with noticeRef");
    TRY(der_read(&notice, DER_UTF8_STRING, ret));
    TRY(der_end(notice));
out:
    return e;
}

static struct err *read_qualifier(struct view *in, struct cert_policy_qualifier *ret)
{
    struct err *e = NULL;
    struct view info, oid;
    TRY(der_read(in, DER_SEQUENCE, &info));
    TRY(der_read_oid(&info, &oid));
    ret->notice = view_eq(oid, view_of(oid_notice, sizeof oid_notice));
    if (!ret->notice && !view_eq(oid, view_of(oid_cps, sizeof oid_cps)))
        return bad("a qualifier other than CPS and user notice");
    if (ret->notice)
        TRY(read_notice(&info, &ret->text));
    if (!ret->notice)
        TRY(der_read(&info, DER_IA5_STRING, &ret->text));
    TRY(der_end(info));
    TRY(check_qualifier(ret));
out:
    return e;
}

static struct err *read_qualifiers(struct view list, struct arena *arena, struct cert_policy *policy)
{
    struct err *e = NULL;
    struct cert_policy_qualifier *q = arena_array(arena, CERT_POLICY_QUALIFIERS_MAX, sizeof *q);
    policy->qualifiers = q;
    if (!list.n)
        return bad("an empty list of qualifiers");
    while (list.n) {
        if (policy->n == CERT_POLICY_QUALIFIERS_MAX)
            return err_new(ERR_TOO_MANY, "more than %d qualifiers of a policy", CERT_POLICY_QUALIFIERS_MAX);
        TRY(read_qualifier(&list, &q[policy->n++]));
    }
out:
    return e;
}

static struct err *read_policy(struct view *in, struct arena *arena, struct cert_policy *policy)
{
    struct err *e = NULL;
    struct view info, list;
    TRY(der_read(in, DER_SEQUENCE, &info));
    TRY(der_read_oid(&info, &policy->oid));
    TRY(der_read_optional(&info, DER_SEQUENCE, &list));
    TRY(der_end(info));
    if (list.p)
        TRY(read_qualifiers(list, arena, policy));
out:
    return e;
}

struct err *cert_ext_read_policies(struct view value, struct arena *arena, struct cert_policies *ret)
{
    struct err *e = NULL;
    struct view seq;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    if (!seq.n)
        return bad("needs 1 to 32 policies");
    struct cert_policy *list = arena_array(arena, CERT_POLICIES_MAX, sizeof *list);
    struct cert_policies policies = {list, 0};
    while (seq.n) {
        if (policies.n == CERT_POLICIES_MAX)
            return err_new(ERR_TOO_MANY, "more than %d policies", CERT_POLICIES_MAX);
        TRY(read_policy(&seq, arena, &list[policies.n]));
        if (has(policies, list[policies.n].oid))
            return bad("the same policy twice");
        policies.n++;
    }
    *ret = policies;
out:
    return err_wrap(e, "certificatePolicies (RFC 5280 4.2.1.4)");
}

/* --- SkipCerts --- */

enum { SKIP_MAX = 255 };

static void put_skip(struct der_out *out, unsigned tag, int skip)
{
    const uint8_t octets[2] = {0, (uint8_t)skip};
    der_put(out, tag, skip < 0x80 ? view_of(octets + 1, 1) : view_of(octets, 2));
}

/* An INTEGER under an implicit tag: minimal, not negative, at most 255. */
static struct err *read_skip(struct view *in, unsigned tag, int *ret)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read_optional(in, tag, &body));
    *ret = -1;
    if (!body.p)
        return NULL;
    bool one = body.n == 1 && body.p[0] < 0x80;
    if (!one && !(body.n == 2 && body.p[0] == 0 && body.p[1] >= 0x80))
        return ext_value_bad(CERT_EXT_POLICY_CONSTRAINTS, "SkipCerts is a minimal INTEGER of 0 to 255");
    *ret = body.p[body.n - 1];
out:
    return e;
}

struct err *cert_ext_write_policy_constraints(struct cert_policy_constraints constraints, struct arena *arena,
                                              struct cert_ext *ret)
{
    struct der_out out;
    int explicit = constraints.require_explicit, mapping = constraints.inhibit_mapping;
    if ((explicit < 0 && mapping < 0) || explicit > SKIP_MAX || mapping > SKIP_MAX)
        return ext_value_bad(CERT_EXT_POLICY_CONSTRAINTS, "must say something, of 0 to 255 certificates");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    if (explicit >= 0)
        put_skip(&out, DER_CONTEXT(0), explicit);
    if (mapping >= 0)
        put_skip(&out, DER_CONTEXT(1), mapping);
    der_finish(&out, m);
    return ext_value_done(&out, CERT_EXT_POLICY_CONSTRAINTS, true, ret);
}

struct err *cert_ext_read_policy_constraints(struct view value, struct cert_policy_constraints *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_policy_constraints constraints;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    TRY(read_skip(&seq, DER_CONTEXT(0), &constraints.require_explicit));
    TRY(read_skip(&seq, DER_CONTEXT(1), &constraints.inhibit_mapping));
    TRY(der_end(seq));
    if (constraints.require_explicit < 0 && constraints.inhibit_mapping < 0)
        return ext_value_bad(CERT_EXT_POLICY_CONSTRAINTS, "must say something");
    *ret = constraints;
out:
    return err_wrap(e, "policyConstraints (RFC 5280 4.2.1.11)");
}

struct err *cert_ext_write_inhibit_any(int skip, struct arena *arena, struct cert_ext *ret)
{
    struct der_out out;
    if (skip < 0 || skip > SKIP_MAX)
        return ext_value_bad(CERT_EXT_INHIBIT_ANY_POLICY, "skips 0 to 255 certificates");
    ext_value_begin(&out, arena);
    der_put_uint(&out, (uint64_t)skip);
    return ext_value_done(&out, CERT_EXT_INHIBIT_ANY_POLICY, true, ret);
}

struct err *cert_ext_read_inhibit_any(struct view value, int *ret_skip)
{
    struct err *e = NULL;
    uint64_t skip = 0;
    TRY(der_read_uint(&value, SKIP_MAX, &skip));
    TRY(der_end(value));
    *ret_skip = (int)skip;
out:
    return err_wrap(e, "inhibitAnyPolicy (RFC 5280 4.2.1.14)");
}
