/*
 * Patterns over names: which kind a pattern is of, whether it is well formed, whether it covers a name. Host
 * names and URIs have files of their own.
 *
 * Never reads a `*` of a name as a pattern, never allocates, never fails on input: what it cannot read covers
 * nothing. Any thread.
 */
#include "pattern.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "templates.h"

enum { PATTERN_BYTES = 2048 };

static const char *const kind_texts[PATTERN_KINDS] = {"dns", "ip",  "uri", "email",         "other", "upn",
                                                      "dir", "rid", "cn",  "serial_number", "uid"};

const char *pattern_kind_text(enum pattern_kind kind)
{
    return kind < PATTERN_KINDS ? kind_texts[kind] : "";
}

bool pattern_name_parse(struct view text, struct pattern *ret)
{
    size_t colon = view_find(text, ':');
    for (size_t i = 0; i < PATTERN_KINDS && colon < text.n; i++) {
        if (!view_eq_str(view_of(text.p, colon), kind_texts[i]))
            continue;
        *ret = (struct pattern){(enum pattern_kind)i, view_from(text, colon + 1)};
        return true;
    }
    return false;
}

struct net {
    int family;
    size_t n; /* octets of an address */
    uint8_t addr[16];
    unsigned prefix; /* bits */
};

static bool net_prefix(struct view text, unsigned max, unsigned *ret)
{
    unsigned bits = 0;
    if (text.n == 0 || text.n > 3 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        bits = bits * 10 + (text.p[i] - '0');
    }
    *ret = bits;
    return bits <= max;
}

/* An address, or a network whose host bits are zero. */
static bool net_parse(struct view text, struct net *ret)
{
    char addr[INET6_ADDRSTRLEN];
    size_t slash = view_find(text, '/');
    if (slash == 0 || slash >= sizeof(addr))
        return false;
    memcpy(addr, text.p, slash);
    addr[slash] = 0;
    if (strlen(addr) != slash)
        return false;
    *ret = (struct net){.family = strchr(addr, ':') ? AF_INET6 : AF_INET};
    ret->n = ret->family == AF_INET6 ? 16 : 4;
    ret->prefix = (unsigned)ret->n * 8;
    if (inet_pton(ret->family, addr, ret->addr) != 1)
        return false;
    if (slash < text.n && !net_prefix(view_from(text, slash + 1), ret->prefix, &ret->prefix))
        return false;
    for (unsigned bit = ret->prefix; bit < ret->n * 8; bit++) {
        if (ret->addr[bit / 8] & (0x80u >> (bit % 8)))
            return false;
    }
    return true;
}

bool pattern_ip_ok(struct view text)
{
    struct net net;
    return net_parse(text, &net);
}

bool pattern_net_within(struct view narrow, struct view wide)
{
    struct net net, one;
    if (!net_parse(wide, &net) || !net_parse(narrow, &one))
        return false;
    if (net.family != one.family || one.prefix < net.prefix)
        return false;
    size_t whole = net.prefix / 8;
    unsigned rest = net.prefix % 8;
    if (memcmp(net.addr, one.addr, whole) != 0)
        return false;
    return rest == 0 || ((net.addr[whole] ^ one.addr[whole]) >> (8 - rest)) == 0;
}

static bool net_covers(struct view pattern, struct view name)
{
    struct net one;
    return net_parse(name, &one) && one.prefix == one.n * 8 && pattern_net_within(name, pattern);
}

/* Offset of the last '@', or n. */
static size_t at_sign(struct view text)
{
    for (size_t i = text.n; i > 0; i--) {
        if (text.p[i - 1] == '@')
            return i - 1;
    }
    return text.n;
}

static bool email_covers(struct view pattern, struct view name)
{
    size_t p = at_sign(pattern), n = at_sign(name);
    if (p == pattern.n || n == name.n || n == 0)
        return false;
    struct view mailbox = view_of(pattern.p, p);
    if (!view_eq_str(mailbox, "*") && !view_eq(mailbox, view_of(name.p, n)))
        return false;
    return pattern_host_covers(view_from(pattern, p + 1), view_from(name, n + 1));
}

static bool email_ok(struct view pattern)
{
    size_t at = at_sign(pattern);
    return at > 0 && at < pattern.n && pattern_host_ok(view_from(pattern, at + 1), true);
}

/* OID;HEX with a star in the value alone, for a type is all or nothing. */
static bool other_ok(struct view pattern)
{
    size_t semicolon = view_find(pattern, ';');
    return semicolon > 0 && semicolon < pattern.n && view_find(pattern, '*') > semicolon;
}

static bool rid_ok(struct view pattern)
{
    for (size_t i = 0; i < pattern.n; i++) {
        uint8_t c = pattern.p[i];
        bool last_star = c == '*' && i + 1 == pattern.n && i > 0 && pattern.p[i - 1] == '.';
        if (!(c >= '0' && c <= '9') && c != '.' && !last_star)
            return false;
    }
    return true;
}

struct pattern pattern_parse(struct view text)
{
    struct pattern p;
    struct net net;
    if (pattern_name_parse(text, &p))
        return p;
    if (memmem(text.p ? text.p : (const uint8_t *)"", text.n, "://", 3))
        return (struct pattern){PATTERN_URI, text};
    if (view_find(text, '@') < text.n)
        return (struct pattern){PATTERN_EMAIL, text};
    if (net_parse(text, &net))
        return (struct pattern){PATTERN_IP, text};
    return (struct pattern){PATTERN_DNS, text};
}

bool pattern_glob(struct view pattern, struct view text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = t;
            continue;
        }
        if (p < pattern.n && pattern.p[p] == text.p[t]) {
            p++;
            t++;
            continue;
        }
        if (star == SIZE_MAX)
            return false;
        p = star + 1;
        t = ++mark;
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

bool pattern_covers(struct pattern pattern, struct pattern name)
{
    if (pattern.kind == PATTERN_DNS && name.kind == PATTERN_CN)
        return pattern_host_ok(name.body, false) && pattern_host_covers(pattern.body, name.body);
    if (pattern.kind != name.kind)
        return false;
    switch (name.kind) {
    case PATTERN_DNS:
        return pattern_host_covers(pattern.body, name.body);
    case PATTERN_IP:
        return net_covers(pattern.body, name.body);
    case PATTERN_URI:
        return pattern_uri_covers(pattern.body, name.body);
    case PATTERN_EMAIL:
    case PATTERN_UPN:
        return email_covers(pattern.body, name.body);
    case PATTERN_DIRECTORY:
        return pattern_directory_covers(pattern.body, name.body);
    case PATTERN_OTHER:
        return other_ok(pattern.body) && pattern_glob(pattern.body, name.body);
    case PATTERN_RID:
        return rid_ok(pattern.body) && pattern_glob(pattern.body, name.body);
    case PATTERN_CN:
    case PATTERN_SERIAL_NUMBER:
    case PATTERN_UID:
        return pattern_glob(pattern.body, name.body);
    case PATTERN_KINDS:
        break;
    }
    return false;
}

bool pattern_touches(struct pattern pattern, struct pattern name)
{
    if (pattern_covers(pattern, name))
        return true;
    return pattern.kind == PATTERN_DNS && name.kind == PATTERN_DNS &&
           pattern_host_touches(pattern.body, name.body);
}

static bool body_ok(struct pattern p)
{
    struct net net;
    switch (p.kind) {
    case PATTERN_DNS:
        return pattern_host_ok(p.body, true);
    case PATTERN_IP:
        return net_parse(p.body, &net);
    case PATTERN_URI:
        return pattern_uri_ok(p.body);
    case PATTERN_EMAIL:
    case PATTERN_UPN:
        return email_ok(p.body);
    case PATTERN_DIRECTORY:
        return pattern_directory_ok(p.body);
    case PATTERN_OTHER:
        return other_ok(p.body);
    case PATTERN_RID:
        return rid_ok(p.body);
    default:
        return true;
    }
}

struct err *pattern_check(struct view text)
{
    static const char *const forms[PATTERN_KINDS] = {
        [PATTERN_DNS] = ("a host pattern has labels of letters, digits and hyphens (IDN as xn-- labels);"
                         " `*` or `**` only as the whole left-most label"),
        [PATTERN_IP] = "an ip pattern is an address, or a network with no host bits set, like 10.0.0.0/8",
        [PATTERN_URI] = "a uri pattern is SCHEME://HOST/PATH; `*` is a whole segment, `**` the last one",
        [PATTERN_EMAIL] = "an email pattern is MAILBOX@HOST or *@HOST",
        [PATTERN_UPN] = "a upn pattern is USER@HOST or *@HOST",
        [PATTERN_DIRECTORY] = "a dir pattern is a name like CN=*,O=Example; `*` stays within one attribute",
        [PATTERN_OTHER] = "a pattern of an otherName is OID;HEX or OID;*",
        [PATTERN_RID] = "a rid pattern is a dotted OID, or one that ends in .*",
    };
    struct pattern p = pattern_parse(text);
    if (text.n > PATTERN_BYTES)
        return err_new(ERR_BAD_FIELD, "a pattern has at most %d octets", PATTERN_BYTES);
    if (p.body.n == 0 || view_find(text, 0) < text.n)
        return err_new(ERR_BAD_FIELD, "a pattern is empty or holds a NUL");
    return body_ok(p) ? NULL : err_new(ERR_BAD_FIELD, "%s", forms[p.kind]);
}

struct err *templates_pattern_check(const char *pattern)
{
    return pattern_check(view_str(pattern));
}

bool templates_pattern_match(const char *pattern, const char *name)
{
    struct pattern n;
    return pattern_name_parse(view_str(name), &n) && pattern_covers(pattern_parse(view_str(pattern)), n);
}

static bool covered(const char *const *patterns, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (templates_pattern_match(patterns[i], name))
            return true;
    }
    return false;
}

struct err *templates_patterns_cover(const char *const *patterns, size_t patterns_n, const char *const *names,
                                     size_t names_n)
{
    for (size_t i = 0; i < names_n; i++) {
        if (!covered(patterns, patterns_n, names[i]))
            return err_new(ERR_NAME_FORBIDDEN, "%s is not among the names this asker may have", names[i]);
    }
    return NULL;
}
