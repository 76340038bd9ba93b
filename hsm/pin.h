/*
 * The PIN and the memory of its refusal. A refused PIN is never tried again, across restarts, until the PIN
 * itself is another one or a person says so (pin_forget): real tokens lock after a few wrong ones.
 *
 * What is kept of a refusal is a small file in the vault's own folder: time, salt and a slow hash (PBKDF2) of
 * the PIN that was refused. Writing the same PIN into the file again changes nothing.
 */
#ifndef CHANCERY_HSM_PIN_H
#define CHANCERY_HSM_PIN_H

#include "base/err.h"
#include "base/view.h"

struct pin;

enum { PIN_MAX_BYTES = 255 };

/* Reads the PIN from an open descriptor (from its start; one trailing newline left off); fd stays the
 * caller's. state_path: the file that remembers a refusal; NULL remembers nothing (a person typed it). */
MUST_USE struct err *pin_read(int fd, const char *state_path, struct pin **ret);
MUST_USE struct err *pin_of(struct view bytes, const char *state_path, struct pin **ret);
void pin_free(struct pin *p); /* wipes; accepts NULL */

struct view pin_view(const struct pin *p); /* borrow; never log or store */

/* ERR_PIN_REFUSED where this very PIN was refused before. */
MUST_USE struct err *pin_check(const struct pin *p);
/* The token refused it: remembered durably before this returns. */
MUST_USE struct err *pin_refused(struct pin *p);
/* The token took it: what was remembered no longer counts. */
MUST_USE struct err *pin_accepted(struct pin *p);
/* A person says: try again. Fine where nothing is remembered. */
MUST_USE struct err *pin_forget(const char *state_path);

#endif
