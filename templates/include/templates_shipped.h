/*
 * What the program was built with: templates to be written out, and the table of fields that documentation is
 * made from. Part of templates.h, which includes it. Constant; any thread.
 */
#ifndef CHANCERY_TEMPLATES_SHIPPED_H
#define CHANCERY_TEMPLATES_SHIPPED_H

#include <stdbool.h>

#include "base/view.h"

/* The files the program was built with, to be written out by `init`: i from 0 until false. name:
 * "server.yaml". */
bool templates_builtin(size_t i, const char **ret_name, struct view *ret_bytes);

/* The same for AWS Private CA's 61 names (aws/NAME/V1), one in each file. No daemon has them unless they are
 * put into its folder: several let an asker say more than he should, and carry their overrides. */
bool templates_aws(size_t i, const char **ret_name, struct view *ret_bytes);

/* One row per field of the file, for documentation. Judge: "tbs" or "context". i from 0 until false. */
struct templates_field {
    const char *group, *key; /* "validity", "max"; group "" at the top of the file */
    const char *judge, *doc;
};
bool templates_fields(size_t i, struct templates_field *ret);

#endif
