/*
 * The frames between front and courier, DER in and out. Pure; any thread.
 *
 *     PUT  ::= SEQUENCE { issuer UTF8String, name UTF8String, type UTF8String } and a descriptor: the file
 *     DONE ::= SEQUENCE { outcome ENUMERATED, detail UTF8String }     the id is that of the errand
 *
 * A frame that is not this closes the channel.
 */
#ifndef CHANCERY_COURIER_ERRAND_H
#define CHANCERY_COURIER_ERRAND_H

#include "base/frame.h"
#include "courier.h"

enum { ERRAND_PUT = 1, ERRAND_DONE = 2, ERRAND_BODY_MAX = 4096, ERRAND_TEXT_MAX = 255, ERRANDS_MAX = 4096 };
enum errand_outcome { ERRAND_WELL, ERRAND_FAILED, ERRAND_NO_PLACE, ERRAND_BUSY };

MUST_USE struct err *errand_put_write(const struct courier_put *put, struct arena *arena, struct view *ret);
/* The name is safe to stand behind a URL. fd is left alone. */
MUST_USE struct err *errand_put_read(struct view body, struct arena *arena, struct courier_put *ret);
MUST_USE struct err *errand_done_write(enum errand_outcome outcome, const char *detail, struct arena *arena,
                                       struct view *ret);
/* NULL, or the error that the outcome stands for. *ret_form: the frame was malformed. */
struct err *errand_done_read(struct view body, struct arena *arena, bool *ret_form);

#endif
