/* The files of one backup, in the order of the log. Blocking; any thread. */
#ifndef CHANCERY_LEDGER_COPY_SET_H
#define CHANCERY_LEDGER_COPY_SET_H

#include "copy_form.h"

struct copy_set {
    struct copy_name *files;
    size_t n;
};
/* From entry 1 on without a gap; of two that begin alike the longer. A folder that is not there has none.
 * ERR_CORRUPT: files lie beyond a gap. */
MUST_USE struct err *copy_set_read(const char *dir, struct copy_set *ret);
void copy_set_free(struct copy_set *s);
void copy_set_path(const char *dir, const struct copy_name *name, char ret[COPY_PATH_BYTES]);
/* The file, whose head must go on from this tree, and whose content is what its name says. */
MUST_USE struct err *copy_set_open(const char *dir, const struct copy_name *name, const struct tree *before,
                                   struct copy **ret);

#endif
