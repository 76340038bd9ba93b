/*
 * RFC 8659: a property "issue", for wildcards "issuewild" where there is one, names who may issue; one that
 * fits is enough. What cannot be read permits nothing.
 */
#include "caa.h"

#include <ctype.h>

#include "issue_value.h"

enum { FLAG_CRITICAL = 0x80, TAG_MAX = 15 };

struct property {
    bool critical;
    struct view tag, value;
};

/* RFC 8659 4.1. */
static bool property_read(struct view rdata, struct property *ret)
{
    struct view head;
    if (!view_take(&rdata, 2, &head) || head.p[1] == 0 || head.p[1] > TAG_MAX ||
        !view_take(&rdata, head.p[1], &ret->tag))
        return false;
    for (size_t i = 0; i < ret->tag.n; i++)
        if (!isalnum(ret->tag.p[i]))
            return false;
    ret->critical = head.p[0] & FLAG_CRITICAL;
    ret->value = rdata;
    return true;
}

static bool is(const struct property *p, const char *tag)
{
    return view_eq_nocase(p->tag, view_str(tag));
}

/* The tags of the registry: those that say nothing about TLS certificates bind nobody here. */
static bool known(const struct property *p)
{
    static const char *const tags[] = {"issue",        "issuewild", "iodef",   "contactemail",
                                       "contactphone", "issuemail", "issuevmc"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (is(p, tags[i]))
            return true;
    return false;
}

/* RFC 8657 3 and 4: each parameter at most once. */
static bool parameters_fit(const struct issue_value *v, const struct caa_asked *asked)
{
    struct view account, methods;
    size_t accounts = issue_value_find(v, "accounturi", &account);
    size_t lists = issue_value_find(v, "validationmethods", &methods);
    if (accounts > 1 || lists > 1 || (accounts && !view_eq_str(account, asked->account)))
        return false;
    while (lists && methods.n > 0) {
        size_t n = view_find(methods, ',');
        if (view_eq_str(view_of(methods.p, n), asked->method))
            return true;
        methods = view_from(methods, n + 1);
    }
    return lists == 0;
}

static enum caa_answer value_judge(struct view value, const struct caa_asked *asked)
{
    struct issue_value v;
    if (!issue_value_read(value, &v) || !issue_value_is_of(&v, asked->issuers, asked->issuers_n))
        return CAA_OTHERS;
    return parameters_fit(&v, asked) ? CAA_PERMITS : CAA_PARAMETERS;
}

static bool any(const struct view *rdata, size_t n, const char *tag)
{
    struct property p;
    for (size_t i = 0; i < n; i++)
        if (property_read(rdata[i], &p) && is(&p, tag))
            return true;
    return false;
}

enum caa_answer caa_judge(const struct view *rdata, size_t n, const struct caa_asked *asked)
{
    const char *tag = asked->wildcard && any(rdata, n, "issuewild") ? "issuewild" : "issue";
    enum caa_answer best = any(rdata, n, tag) ? CAA_OTHERS : CAA_PERMITS;
    for (size_t i = 0; i < n; i++) {
        struct property p;
        if (!property_read(rdata[i], &p))
            return CAA_MALFORMED;
        if (p.critical && !known(&p))
            return CAA_CRITICAL;
        if (!is(&p, tag) || best == CAA_PERMITS)
            continue;
        enum caa_answer one = value_judge(p.value, asked);
        if (one != CAA_OTHERS)
            best = one;
    }
    return best;
}

const char *caa_text(enum caa_answer a)
{
    static const char *const texts[] = {
        [CAA_PERMITS] = "permit it",
        [CAA_OTHERS] = "do not name this CA (RFC 8659 4.2)",
        [CAA_PARAMETERS] = "name this CA, but not this account with this validation method (RFC 8657)",
        [CAA_CRITICAL] = "have a critical property that is not known here (RFC 8659 4.5)",
        [CAA_MALFORMED] = "cannot be read (RFC 8659 4.1)",
    };
    return texts[a];
}
