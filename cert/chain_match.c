/*
 * Whether one name lies within one subtree of nameConstraints (RFC 5280 4.2.1.10, 7.1 to 7.5).
 *
 * Names and subtrees have been checked before. Never looks anything up, allocates nothing. Any thread.
 */
#include "chain_match.h"

#include "name_string.h"

/* --- hosts --- */

static bool ends_nocase(struct view a, struct view end)
{
    return a.n >= end.n && view_eq_nocase(view_of(a.p + (a.n - end.n), end.n), end);
}

/* ".b": all below b; nothing else. */
static bool host_below(struct view base, struct view host)
{
    return base.n && base.p[0] == '.' && host.n > base.n && ends_nocase(host, base);
}

static bool dns_within(struct view base, struct view host)
{
    if (!base.n || host_below(base, host) || view_eq_nocase(base, host))
        return true;
    return host.n > base.n && host.p[host.n - base.n - 1] == '.' && ends_nocase(host, base);
}

/* "*.x" stands for every label.x, so the subtree label.x is touched by it, and label.label.x is not. */
static bool dns_touched(struct view base, struct view host)
{
    if (dns_within(base, host))
        return true;
    if (!view_starts(host, view_str("*.")))
        return false;
    struct view rest = view_from(host, 1); /* with its dot */
    return base.n > rest.n && ends_nocase(base, rest) && view_find(base, '.') == base.n - rest.n;
}

static bool host_within(struct view base, struct view host)
{
    return host_below(base, host) || view_eq_nocase(base, host);
}

/* 7.5: the local part exactly; where something is kept out, not even in other letters. */
static bool email_within(struct view base, struct view email, bool excluded)
{
    size_t at = view_find(email, '@'), base_at = view_find(base, '@');
    if (base_at == base.n)
        return host_within(base, view_from(email, at + 1));
    if (excluded)
        return view_eq_nocase(base, email);
    return view_eq(view_of(base.p, base_at), view_of(email.p, at)) &&
           view_eq_nocase(view_from(base, base_at), view_from(email, at));
}

struct view chain_match_uri_host(struct view uri)
{
    struct view rest = view_from(uri, view_find(uri, ':') + 1);
    if (!view_starts(rest, view_str("//")))
        return (struct view){NULL, 0};
    rest = view_from(rest, 2);
    size_t end = 0;
    while (end < rest.n && !strchr("/?#", rest.p[end]))
        end++;
    struct view host = view_of(rest.p, end);
    for (size_t at; (at = view_find(host, '@')) < host.n;)
        host = view_from(host, at + 1);
    host = view_of(host.p, view_find(host, ':'));
    struct cert_san san = {.kind = CERT_SAN_DNS, .value = host};
    struct err *e = cert_san_check(&san);
    bool ok = !e && host.p[0] != '*';
    err_free(e);
    return ok ? host : (struct view){NULL, 0};
}

/* --- addresses --- */

static bool ip_within(struct view base, struct view ip)
{
    if (base.n != 2 * ip.n)
        return false;
    for (size_t i = 0; i < ip.n; i++) {
        if ((ip.p[i] ^ base.p[i]) & base.p[ip.n + i])
            return false;
    }
    return true;
}

/* --- directory names (7.1: letters' case and repeated blanks do not count) --- */

/* The next character that counts; 0 at the end. */
static uint8_t next_char(struct view *text, bool *started)
{
    size_t blanks = 0;
    while (blanks < text->n && text->p[blanks] == ' ')
        blanks++;
    struct view rest = view_from(*text, blanks);
    if (!rest.n)
        return 0;
    if (blanks && *started) {
        *text = rest;
        *started = false; /* the blank is given; what follows begins anew */
        return ' ';
    }
    uint8_t c = rest.p[0];
    *text = view_from(rest, 1);
    *started = true;
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool same_value(struct view a, struct view b)
{
    bool a_started = false, b_started = false;
    for (;;) {
        uint8_t x = next_char(&a, &a_started), y = next_char(&b, &b_started);
        if (x != y)
            return false;
        if (!x)
            return true;
    }
}

static size_t rdn_count(const struct chain_rdns *name)
{
    return name->n ? name->attrs[name->n - 1].rdn + 1 : 0;
}

/* Every attribute of one RelativeDistinguishedName stands in the other's too. */
static bool rdn_covers(const struct chain_rdns *a, const struct chain_rdns *b, size_t rdn)
{
    for (size_t i = 0; i < a->n; i++) {
        if (a->attrs[i].rdn != rdn)
            continue;
        bool found = false;
        for (size_t j = 0; j < b->n && !found; j++)
            found = b->attrs[j].rdn == rdn && view_eq(a->attrs[i].oid, b->attrs[j].oid) &&
                    same_value(a->attrs[i].value, b->attrs[j].value);
        if (!found)
            return false;
    }
    return true;
}

static bool directory_within(struct view base_der, const struct chain_rdns *name)
{
    struct chain_rdns base = {.n = 0};
    struct err *e = name_read(base_der, base.attrs, &base.n);
    bool within = !e && rdn_count(&base) <= rdn_count(name);
    err_free(e);
    for (size_t rdn = 0; within && rdn < rdn_count(&base); rdn++)
        within = rdn_covers(&base, name, rdn) && rdn_covers(name, &base, rdn);
    return within;
}

/* --- one name --- */

bool chain_match(const struct cert_subtree *subtree, const struct chain_named *name, bool excluded)
{
    struct view base = subtree->value, value = name->san->value;
    if (subtree->kind != name->san->kind)
        return false;
    switch (subtree->kind) {
    case CERT_SAN_DNS:
        return excluded ? dns_touched(base, value) : dns_within(base, value);
    case CERT_SAN_IP:
        return ip_within(base, value);
    case CERT_SAN_URI:
        return host_within(base, name->host);
    case CERT_SAN_EMAIL:
        return email_within(base, value, excluded);
    default:
        return directory_within(base, name->parts);
    }
}
