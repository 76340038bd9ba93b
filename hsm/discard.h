/*
 * Deleting a responder key that has had its time. The only way in which a key leaves a token by this program:
 * by its label, which must be one that responder_label makes, and by its id; both halves. Blocks; any thread
 * but the loop's.
 */
#ifndef CHANCERY_HSM_DISCARD_H
#define CHANCERY_HSM_DISCARD_H

#include "token.h"

/* ERR_CONFIG: not a responder's label. One that is not there is none to delete. */
MUST_USE struct err *discard_key(struct token *t, const char *label, struct view id);

#endif
