/* Comma-separated values (RFC 4180): a header line with the names of the columns, then rows. */
#ifndef CHANCERY_CLI_CSV_H
#define CHANCERY_CLI_CSV_H

#include "base/arena.h"
#include "base/err.h"

enum { CSV_COLUMNS_MAX = 32, CSV_FIELD_BYTES = 4096 };

struct csv {
    struct view rest;
    size_t line; /* of what was read last, from 1 */
    size_t columns;
    const char *names[CSV_COLUMNS_MAX];
    const char *fields[CSV_COLUMNS_MAX]; /* of the present row; "" where it is short */
};

/* Reads the header. ERR_BAD_FIELD naming the line. The text is borrowed. */
MUST_USE struct err *csv_open(struct view text, struct arena *arena, struct csv *ret);
/* The next row that is not empty; *ret_more false: that was the end. */
MUST_USE struct err *csv_next(struct csv *c, struct arena *arena, bool *ret_more);
/* The field of this column in the present row; "" where there is no such column. */
const char *csv_field(const struct csv *c, const char *name);
bool csv_has(const struct csv *c, const char *name);
/* Quoted where it must be. */
const char *csv_quoted(const char *field, struct arena *arena);

#endif
