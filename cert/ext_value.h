/* What the files of extensions share. Private to the room. */
#ifndef CHANCERY_CERT_EXT_VALUE_H
#define CHANCERY_CERT_EXT_VALUE_H

#include "cert/ext.h"

/* One Extension off the front. */
MUST_USE struct err *ext_value_read_one(struct view *in, struct cert_ext *ret);

/* Around the writing of a value. */
void ext_value_begin(struct der_out *out, struct arena *arena);
MUST_USE struct err *ext_value_done(struct der_out *out, enum cert_ext_id id, bool critical,
                                    struct cert_ext *ret);

/* ERR_BAD_EXTENSION: "keyUsage: why (RFC 5280 4.2.1.3)". */
MUST_USE struct err *ext_value_bad(enum cert_ext_id id, const char *why);

/* A URI as subjectAltName has them (ext_point.c). */
MUST_USE struct err *ext_value_check_uri(struct view uri);
/* The GeneralName, checked. */
MUST_USE struct err *ext_value_put_uri(struct der_out *out, struct view uri);
/* Reads one onto a list; at most 8. */
MUST_USE struct err *ext_value_read_uri(struct view *in, struct arena *arena, struct cert_views *list);

/* freshestCRL of a list: one URI. */
MUST_USE struct err *ext_value_read_freshest(struct view value, struct view *ret_uri);

/* Exactly one DER element, well formed all the way down (ext_element.c). */
MUST_USE struct err *ext_value_element(struct view der);

/* An OID body as the reader of base would take it. */
MUST_USE struct err *ext_value_oid(struct view oid);

#endif
