/*
 * Distinguished names (RFC 5280 4.1.2.4). Read from DER within limits, written from pairs of type and value,
 * shown and read as text (RFC 4514). Names are compared octet by octet: we copy an issuer's name, never make
 * it anew. Attribute types with a short name: name.def. Pure; any thread.
 */
#ifndef CHANCERY_CERT_NAME_H
#define CHANCERY_CERT_NAME_H

#include "base/arena.h"
#include "base/err.h"

struct cert_attr {
    struct view oid; /* OID body */
    unsigned tag;    /* of the string: DER_UTF8_STRING... */
    struct view value;
    size_t rdn; /* which RelativeDistinguishedName, from 0; the same number twice where it is multi-valued */
};

struct cert_name {
    struct view der; /* the whole Name, tag and length included */
    size_t n;
    const struct cert_attr *attrs; /* in DER order: most general first */
};

/* One wanted attribute: type is a short name ("CN") or a dotted OID. */
struct cert_name_part {
    const char *type;
    const char *value; /* UTF-8 */
};

/* The Name, whole, and nothing after it. Limits: LIMIT_NAME_BYTES, LIMIT_RDNS attributes,
 * LIMIT_RDN_VALUE_BYTES. Strings must be what their tag says, without NUL and control characters; teletex,
 * BMP and universal strings are refused. The empty name is well formed. Upper bounds are the writer's alone.
 * ERR_BAD_NAME, ERR_BAD_DER, ERR_TOO_LARGE, ERR_TOO_MANY. */
MUST_USE struct err *cert_name_parse(struct view der, struct arena *arena, struct cert_name *ret);

/* One RDN for each part, in this order (most general first: C, O, OU, CN). String types as RFC 5280 and
 * RFC 4519 want them; upper bounds of RFC 5280 appendix A; C two letters. ERR_BAD_NAME; err_at the part. */
MUST_USE struct err *cert_name_write(const struct cert_name_part *parts, size_t n, struct arena *arena,
                                     struct view *ret_der);

/* RFC 4514 text: last RDN first ("CN=a,O=b,C=DE"), "" for the empty name. Unknown types as dotted OID with
 * #hex. Never contains control characters. */
const char *cert_name_text(const struct cert_name *name, struct arena *arena);

/* RFC 4514 text to DER: the last RDN of the text becomes the first of the name. Blanks around `,` and `=` are
 * dropped; `+` and #hex are refused. ERR_BAD_NAME. */
MUST_USE struct err *cert_name_of_text(const char *text, struct arena *arena, struct view *ret_der);

/* The text split into parts, in DER order (most general first). */
MUST_USE struct err *cert_name_split_text(const char *text, struct arena *arena,
                                          const struct cert_name_part **ret, size_t *ret_n);

/* The first attribute of this short name ("CN"), or NULL. */
const struct cert_attr *cert_name_find(const struct cert_name *name, const char *type);
/* Its value as UTF-8 C string, or NULL. */
const char *cert_name_value(const struct cert_name *name, const char *type, struct arena *arena);

/* "CN" for the OID of commonName, or NULL where it has no short name. And back: an empty view. */
const char *cert_name_type_of(struct view oid);
struct view cert_name_oid_of(const char *short_name);

#endif
