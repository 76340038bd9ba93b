/*
 * The frames of a check, DER in and out. Pure; any thread.
 *
 *     CHECK ::= SEQUENCE { kind ENUMERATED, identifier UTF8String, ip BOOLEAN, wildcard BOOLEAN,
 *                          token UTF8String, keyAuthorization UTF8String, account UTF8String,
 *                          method UTF8String }                          "" where the kind has none
 *     FOUND ::= SEQUENCE { verdict ENUMERATED, problem ENUMERATED, detail UTF8String }
 */
#ifndef CHANCERY_COURIER_ERRAND_CHECK_H
#define CHANCERY_COURIER_ERRAND_CHECK_H

#include "courier_check.h"
#include "errand.h"

enum { ERRAND_CHECK = 3, ERRAND_FOUND = 4, ERRAND_URI_MAX = 512, ERRAND_DETAIL_MAX = 1000 };

MUST_USE struct err *errand_check_write(const struct courier_check *check, struct arena *arena,
                                        struct view *ret);
/* Each text is of the form that its place asks for, and there where its kind needs it: the identifier may
 * stand in a name that is looked up, the token in a path. */
MUST_USE struct err *errand_check_read(struct view body, struct arena *arena, struct courier_check *ret);

MUST_USE struct err *errand_found_write(const struct courier_finding *f, struct arena *arena,
                                        struct view *ret);
MUST_USE struct err *errand_found_read(struct view body, struct arena *arena, struct courier_finding *ret);

#endif
