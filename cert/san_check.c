/*
 * What a name in a subjectAltName may look like, kind by kind.
 *
 * ASCII only, no NUL, nothing that another reader could take for a different name. Never resolves anything.
 * Any thread.
 */
#include "base/limits.h"
#include "cert/san.h"

#include "san_other.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct err *check_ascii(struct view text, const char *what)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == 0)
            return err_new(ERR_BAD_NAME, "%s with a NUL (RFC 5280 4.2.1.6)", what);
        if (text.p[i] >= 0x80)
            return err_new(ERR_BAD_NAME,
                           "%s outside ASCII; send an international name as its A-label, xn--... "
                           "(RFC 5280 7.2, RFC 5890)",
                           what);
        if (text.p[i] < 0x20 || text.p[i] == 0x7f)
            return err_new(ERR_BAD_NAME, "%s with a control character (RFC 5280 4.2.1.6)", what);
    }
    return NULL;
}

static struct err *check_label(struct view label)
{
    if (label.n == 0)
        return err_new(ERR_BAD_NAME, "a DNS name with an empty label (RFC 1034 3.5)");
    if (label.n > 63)
        return err_new(ERR_BAD_NAME, "a DNS label of %zu octets; at most 63 are allowed (RFC 1034 3.1)",
                       label.n);
    for (size_t i = 0; i < label.n; i++) {
        uint8_t c = label.p[i];
        if (c == '_')
            return err_new(ERR_BAD_NAME,
                           "a DNS name with an underscore is no host name (RFC 5280 4.2.1.6, RFC 1123 2.1)");
        if (c == '*')
            return err_new(ERR_BAD_NAME,
                           "`*` stands only alone, as the whole left-most label (RFC 9525 6.3)");
        if (!is_alpha(c) && !is_digit(c) && c != '-')
            return err_new(ERR_BAD_NAME,
                           "a DNS name with the character %c; letters, digits and hyphens are allowed "
                           "(RFC 1034 3.5)",
                           c);
    }
    if (label.p[0] == '-' || label.p[label.n - 1] == '-')
        return err_new(ERR_BAD_NAME, "a DNS label begins or ends with a hyphen (RFC 1034 3.5)");
    return NULL;
}

/* Labels up to the end; the last must not be a number, or the name is an address to many a reader (RFC 3696
 * 2). */
static struct err *check_labels(struct view name)
{
    struct err *e = NULL;
    struct view label;
    for (;;) {
        size_t dot = view_find(name, '.');
        bool last = dot == name.n;
        label = view_of(name.p, dot);
        TRY(check_label(label));
        if (last)
            break;
        name = view_of(name.p + dot + 1, name.n - dot - 1);
    }
    size_t digits = 0;
    while (digits < label.n && is_digit(label.p[digits]))
        digits++;
    if (digits == label.n)
        return err_new(ERR_BAD_NAME,
                       "a DNS name whose last label is a number; an address goes into iPAddress "
                       "(RFC 3696 2, RFC 5280 4.2.1.6)");
out:
    return e;
}

static struct err *check_dns(struct view name, bool wildcard_allowed)
{
    struct err *e = NULL;
    if (!name.n)
        return err_new(ERR_BAD_NAME, "an empty DNS name (RFC 5280 4.2.1.6)");
    if (name.n > LIMIT_DNS_BYTES)
        return err_new(ERR_BAD_NAME, "a DNS name of %zu octets; at most %d are allowed (RFC 1034 3.1)",
                       name.n, LIMIT_DNS_BYTES);
    TRY(check_ascii(name, "a DNS name"));
    if (name.p[name.n - 1] == '.')
        return err_new(ERR_BAD_NAME, "a DNS name ends with a dot (RFC 5280 4.2.1.6, RFC 1034 3.5)");
    if (wildcard_allowed && view_starts(name, view_str("*.")))
        name = view_from(name, 2);
    TRY(check_labels(name));
out:
    return e;
}

static struct err *check_ip(struct view ip)
{
    if (ip.n == 4 || ip.n == 16)
        return NULL;
    return err_new(ERR_BAD_NAME, "an IP address of %zu octets; 4 or 16 are allowed (RFC 5280 4.2.1.6)", ip.n);
}

/* scheme ":" rest (RFC 3986 3); percent signs must begin an escape. */
static struct err *check_uri(struct view uri)
{
    struct err *e = NULL;
    if (uri.n > LIMIT_URI_BYTES)
        return err_new(ERR_BAD_NAME, "a URI of %zu octets; at most %d are allowed", uri.n, LIMIT_URI_BYTES);
    TRY(check_ascii(uri, "a URI"));
    size_t colon = view_find(uri, ':');
    if (colon == uri.n || colon == 0 || !is_alpha(uri.p[0]) || colon + 1 == uri.n)
        return err_new(ERR_BAD_NAME,
                       "a URI must be absolute: scheme, colon, and more (RFC 5280 4.2.1.6, RFC 3986 3)");
    for (size_t i = 0; i < colon; i++) {
        if (!is_alpha(uri.p[i]) && !is_digit(uri.p[i]) && !strchr("+-.", uri.p[i]))
            return err_new(ERR_BAD_NAME, "a URI's scheme has letters, digits, + - and . (RFC 3986 3.1)");
    }
    for (size_t i = colon; i < uri.n; i++) {
        if (strchr(" \"<>\\^`{|}", uri.p[i]))
            return err_new(ERR_BAD_NAME, "a URI with a character that must be percent-encoded (RFC 3986 2)");
    }
out:
    return e;
}

/* Local part as a dot-atom (RFC 5321 4.1.2); quoted strings are refused. */
static struct err *check_local(struct view local)
{
    if (!local.n || local.n > 64)
        return err_new(ERR_BAD_NAME,
                       "the local part of a mail address has 1 to 64 octets (RFC 5321 4.5.3.1.1)");
    for (size_t i = 0; i < local.n; i++) {
        uint8_t c = local.p[i];
        bool dot_ok = c == '.' && i && i + 1 < local.n && local.p[i - 1] != '.';
        if (!is_alpha(c) && !is_digit(c) && !dot_ok && (c == '.' || !strchr("!#$%&'*+-/=?^_`{|}~", c)))
            return err_new(ERR_BAD_NAME,
                           "the local part of a mail address must be a dot-atom (RFC 5321 4.1.2)");
    }
    return NULL;
}

static struct err *check_email(struct view email)
{
    struct err *e = NULL;
    if (email.n > LIMIT_EMAIL_BYTES)
        return err_new(ERR_BAD_NAME,
                       "a mail address of %zu octets; at most %d are allowed (RFC 5321 4.5.3.1)", email.n,
                       LIMIT_EMAIL_BYTES);
    TRY(check_ascii(email, "a mail address"));
    size_t at = view_find(email, '@');
    if (at == email.n)
        return err_new(ERR_BAD_NAME, "a mail address without @ (RFC 5280 4.2.1.6)");
    TRY(check_local(view_of(email.p, at)));
    TRY(err_wrap(check_dns(view_from(email, at + 1), false), "the host of a mail address"));
out:
    return e;
}

struct err *cert_san_check(const struct cert_san *san)
{
    switch (san->kind) {
    case CERT_SAN_DNS:
        return check_dns(san->value, true);
    case CERT_SAN_IP:
        return check_ip(san->value);
    case CERT_SAN_URI:
        return check_uri(san->value);
    case CERT_SAN_EMAIL:
        return check_email(san->value);
    default:
        return san_other_check(san);
    }
}

struct err *san_check_host(struct view host)
{
    return check_dns(host, false);
}
