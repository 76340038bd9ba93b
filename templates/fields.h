/* The rows of fields.def, for load and for showing a template. */
#ifndef CHANCERY_TEMPLATES_FIELDS_H
#define CHANCERY_TEMPLATES_FIELDS_H

#include "template.h"

/* The rows of one group; of the file's top ("") with the groups as trees. */
const struct conf_row *fields_rows(const char *group, size_t *ret_n);

const char *fields_group_key(enum group group);

#endif
