/* Where a field's value may come from: the lists `from` and the choices `other` of a template. */
#ifndef CHANCERY_TEMPLATES_SOURCE_H
#define CHANCERY_TEMPLATES_SOURCE_H

#include "load.h"

/* Reads the list `key` of a group: out of `may`, `fallback` where it is left out. */
MUST_USE struct err *source_load(struct load *l, enum group group, const char *key,
                                 struct template_from *from, unsigned may, unsigned fallback);

/* Whether an asker may give the value at all. */
bool source_open(const struct template_from *from);

/* Who may give an extension with this OID; NULL: nobody, for it follows from key and issuer. */
const struct template_from *source_of(const struct template *t, struct view oid);

const char *source_name(enum source source);

#endif
