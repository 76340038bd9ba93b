/* Secret bytes (a PIN, a bearer token): locked in memory, left out of cores, wiped when freed. The log
 * refuses them: it has no call that takes one. */
#ifndef CHANCERY_BASE_SECRET_H
#define CHANCERY_BASE_SECRET_H

#include "base/err.h"
#include "base/view.h"

struct secret;

MUST_USE struct err *secret_of(struct view bytes, struct secret **ret); /* copies */
/* From a descriptor, up to max bytes, one trailing newline left off. The caller closes fd. */
MUST_USE struct err *secret_read(int fd, size_t max, struct secret **ret);
struct view secret_view(const struct secret *s); /* borrow; never log or store */
void secret_free(struct secret *s);              /* wipes; accepts NULL */
void secret_wipe(void *p, size_t n);

#endif
