/*
 * Extensions that this authority has no type for: any OID with one DER element, given raw or in a small typed
 * form; and subjectDirectoryAttributes (RFC 5280 4.2.1.8), whose values are such elements. Errors as in
 * ext.h. Pure; any thread.
 */
#ifndef CHANCERY_CERT_EXT_CUSTOM_H
#define CHANCERY_CERT_EXT_CUSTOM_H

#include "cert/ext.h"

/* der must be one well-formed element with nothing after it, nested at most 15 deep; it and the OID are
 * borrowed. Whether an OID of ext.def may be given this way is the caller's to say (cert_ext_id_of). */
MUST_USE struct err *cert_ext_write_custom(struct view oid, bool critical, struct view der,
                                           struct cert_ext *ret);
/* The same check on a value that was read. */
MUST_USE struct err *cert_ext_read_custom(struct view value);

/*
 * The typed form, one element of DER as text:
 *   utf8:TEXT  ia5:TEXT  printable:TEXT  integer:-12  boolean:true  oid:1.2.3  octets:HEX  null
 *   time:2026-11-21T06:18:59Z (GeneralizedTime)  der:HEX (any element)
 * Texts without control characters; integers of 64 bits. ERR_BAD_FIELD says which forms there are.
 */
MUST_USE struct err *cert_ext_der_of_text(const char *text, struct arena *arena, struct view *ret_der);
/* Back: the shortest form that gives the same octets again; "der:" where no other does. */
const char *cert_ext_der_text(struct view der, struct arena *arena);

/* One attribute; values are whole elements, 1 to 8, each once. */
struct cert_directory_attr {
    struct view oid;
    struct cert_views values;
};
struct cert_directory {
    const struct cert_directory_attr *v;
    size_t n;
};
enum { CERT_DIRECTORY_MAX = 16, CERT_DIRECTORY_VALUES_MAX = 8 };

/* Never critical. Values are put in DER's order for a SET OF; no attribute twice. */
MUST_USE struct err *cert_ext_write_directory(struct cert_directory attrs, struct arena *arena,
                                              struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_directory(struct view value, struct arena *arena,
                                             struct cert_directory *ret);

/* "dateOfBirth" (directory.def, RFC 3739 3.2.2) or a dotted OID to an OID body, and back. ERR_BAD_FIELD. */
MUST_USE struct err *cert_ext_directory_parse(const char *text, struct arena *arena, struct view *ret_oid);
const char *cert_ext_directory_text(struct view oid, struct arena *arena);

#endif
