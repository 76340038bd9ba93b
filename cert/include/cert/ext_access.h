/*
 * subjectInfoAccess (RFC 5280 4.2.2.2) and the names of access methods. Written and read as ext.h says;
 * errors as there. Locations are URIs. Rows: access.def. Pure; any thread.
 */
#ifndef CHANCERY_CERT_EXT_ACCESS_H
#define CHANCERY_CERT_EXT_ACCESS_H

#include "cert/ext.h"

enum { CERT_ACCESSES_MAX = 16 };

struct cert_access {
    struct view method; /* OID body */
    struct view uri;
};
struct cert_accesses {
    const struct cert_access *v;
    size_t n;
};

/* Never critical; the order is kept. */
MUST_USE struct err *cert_ext_write_sia(struct cert_accesses accesses, struct arena *arena,
                                        struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_sia(struct view value, struct arena *arena, struct cert_accesses *ret);

/* "caRepository" or a dotted OID to an OID body, and back. ERR_BAD_FIELD. */
MUST_USE struct err *cert_ext_access_parse(const char *text, struct arena *arena, struct view *ret_oid);
const char *cert_ext_access_text(struct view oid, struct arena *arena);

#endif
