/* Attributes of a subject by number, in the order we write them. */
#ifndef CHANCERY_TEMPLATES_SUBJECT_H
#define CHANCERY_TEMPLATES_SUBJECT_H

#include "template.h"

extern const char *const subject_attrs[SUBJECT_ATTRS]; /* "DC", "C", ... "CN", "emailAddress" */

/* Number of a short name, or of an OID body; SUBJECT_ATTRS where it is none of ours. Without case. */
unsigned subject_attr_of(struct view name);
unsigned subject_attr_of_oid(struct view oid);
unsigned subject_cn_attr(void);

/* Whether this common name says the same as one of the names. */
bool subject_repeats(struct view cn, const struct cert_san *sans, size_t n, struct arena *arena);

json_t *subject_fixed_json(const struct template *t);
json_t *subject_patterns_json(const struct template *t);
json_t *subject_from_json(const struct template *t);

#endif
