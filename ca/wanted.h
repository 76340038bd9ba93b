/* A request in the form in which it is kept while it waits for approval. Any thread. */
#ifndef CHANCERY_CA_WANTED_H
#define CHANCERY_CA_WANTED_H

#include "ca.h"

/* csr: its DER. Who asks is not part of it. */
MUST_USE struct err *wanted_write(const struct ca_request *r, struct view csr, struct arena *arena,
                                  struct view *ret);
/* All but asker and body_hash. */
MUST_USE struct err *wanted_read(struct view der, struct arena *arena, struct ca_request *ret);

#endif
