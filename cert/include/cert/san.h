/*
 * Subject alternative names (RFC 5280 4.2.1.6). Text form, used in the API, templates and books:
 * "dns:a.example", "ip:10.0.0.1", "ip:2001:db8::1", "uri:spiffe://a/b", "email:a@b.example",
 * "upn:a@b.example", "dir:CN=a,O=b" (RFC 4514), "rid:1.2.3", "other:1.2.3;0c0161" (otherName: its type and
 * the DER of its value in hexadecimal). DNS names are kept in lower case, IP addresses as RFC 5952 writes
 * them. Pure; any thread.
 */
#ifndef CHANCERY_CERT_SAN_H
#define CHANCERY_CERT_SAN_H

#include "base/arena.h"
#include "base/err.h"

enum cert_san_kind {
    CERT_SAN_DNS,
    CERT_SAN_IP,
    CERT_SAN_URI,
    CERT_SAN_EMAIL,
    CERT_SAN_OTHER,     /* otherName of any type but UPN */
    CERT_SAN_UPN,       /* otherName 1.3.6.1.4.1.311.20.2.3: a Windows user principal name */
    CERT_SAN_DIRECTORY, /* directoryName */
    CERT_SAN_RID,       /* registeredID */
    CERT_SAN__COUNT
};

struct cert_san {
    enum cert_san_kind kind;
    /* DNS in lower case, URI, EMAIL: ASCII; IP: 4 or 16 octets; OTHER: whole GeneralName; UPN: UTF-8;
     * DIRECTORY: Name, whole DER; RID: OID body */
    struct view value;
    bool wildcard; /* DNS: the left-most label is "*" */
};

/* What a caller lets pass. */
struct cert_san_limits {
    size_t max;       /* names; 0: LIMIT_SANS */
    bool allow_other; /* else CERT_SAN_OTHER is refused */
};

/* The value of a subjectAltName extension: GeneralNames, at least one, each checked as cert_san_check does.
 * limits may be NULL (LIMIT_SANS, none other). x400Address and ediPartyName are always refused. ERR_BAD_NAME
 * with err_at "/sans/N", ERR_TOO_MANY, ERR_BAD_DER. */
MUST_USE struct err *cert_san_read(struct view value, const struct cert_san_limits *limits,
                                   struct arena *arena, struct cert_san **ret, size_t *ret_n);

/* GeneralNames DER of these, in this order. ERR_TOO_LARGE over LIMIT_TBS_BYTES. */
MUST_USE struct err *cert_san_write(const struct cert_san *sans, size_t n, struct arena *arena,
                                    struct view *ret);

/* Syntax, by kind:
 * dns    LDH labels of 1 to 63, 253 in all, no final dot, last label not all digits, not an IP address; `*`
 *        only as the whole left-most label with at least one label after it; no underscore; ASCII only (the
 *        refusal says to send the A-label, "xn--")
 * ip     4 or 16 octets (RFC 5280 4.2.1.6; netmasks of 8 or 32 are name constraints')
 * uri    scheme ":" and more, printable ASCII without blank and quotes, absolute (RFC 3986); LIMIT_URI_BYTES
 * email  local@host, ASCII, host as for dns without wildcard (RFC 5321); LIMIT_EMAIL_BYTES
 * other  type and exactly one well-formed DER element; not the type of upn
 * upn    user@host in UTF-8 without blanks and control characters, host as for dns without wildcard; 256
 * octets dir    a well-formed name (name.h) with at least one attribute rid    an OID */
MUST_USE struct err *cert_san_check(const struct cert_san *san);

/* From text; checked, lower-cased. A text without a known "kind:" is ERR_BAD_NAME and says which there are.
 */
MUST_USE struct err *cert_san_of_text(struct view text, struct arena *arena, struct cert_san *ret);

/* What cert_san_of_text takes; dir names with types or forms that name.h does not write come out as it shows
 * them. */
const char *cert_san_text(const struct cert_san *san, struct arena *arena);

/* Octet by octet after the normalisation above. */
bool cert_san_eq(const struct cert_san *a, const struct cert_san *b);

/* Drops repeated names, keeps the order of the first ones; gives the new number. */
size_t cert_san_unique(struct cert_san *sans, size_t n);

const char *cert_san_kind_name(enum cert_san_kind kind); /* "dns", "ip", ... "rid" */
MUST_USE struct err *cert_san_kind_parse(struct view name, enum cert_san_kind *ret); /* ERR_BAD_FIELD */

#endif
