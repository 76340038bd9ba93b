/* See csv.h. Fields may be quoted, and then hold commas, doubled quotes and line breaks. */
#include "csv.h"

#include <stdbool.h>
#include <string.h>

static struct err *fault(const struct csv *c, const char *what)
{
    return err_new(ERR_BAD_FIELD, "line %zu: %s (RFC 4180)", c->line, what);
}

static struct err *quoted(struct csv *c, char *to, size_t *ret_n)
{
    size_t n = 0, i = 1;
    for (; i < c->rest.n; i++) {
        if (c->rest.p[i] == '"' && (i + 1 == c->rest.n || c->rest.p[i + 1] != '"'))
            break;
        if (n == CSV_FIELD_BYTES)
            return fault(c, "a field too long");
        i += c->rest.p[i] == '"';
        to[n++] = (char)c->rest.p[i];
    }
    if (i == c->rest.n)
        return fault(c, "a quoted field without its end");
    c->rest = view_from(c->rest, i + 1);
    if (c->rest.n && !strchr(",\r\n", c->rest.p[0]))
        return fault(c, "something behind a quoted field");
    *ret_n = n;
    return NULL;
}

static struct err *plain(struct csv *c, char *to, size_t *ret_n)
{
    size_t n = 0;
    while (n < c->rest.n && c->rest.p[n] && !strchr(",\r\n\"", c->rest.p[n]))
        n++;
    if (n > CSV_FIELD_BYTES)
        return fault(c, "a field too long");
    if (n < c->rest.n && (c->rest.p[n] == '"' || !c->rest.p[n]))
        return fault(c, "a quote or a NUL within a field");
    if (n > 0) /* the empty view may have no address */
        memcpy(to, c->rest.p, n);
    c->rest = view_from(c->rest, n);
    *ret_n = n;
    return NULL;
}

/* Up to the end of the line, which goes too. */
static struct err *row(struct csv *c, struct arena *arena, const char **to, size_t *ret_n)
{
    struct err *e = NULL;
    char text[CSV_FIELD_BYTES + 1];
    size_t n = 0, length;
    c->line++;
    for (;;) {
        if (n == CSV_COLUMNS_MAX)
            return fault(c, "too many columns");
        TRY(c->rest.n && c->rest.p[0] == '"' ? quoted(c, text, &length) : plain(c, text, &length));
        to[n++] = arena_str(arena, view_of(text, length));
        if (!c->rest.n || c->rest.p[0] != ',')
            break;
        c->rest = view_from(c->rest, 1);
    }
    if (c->rest.n && c->rest.p[0] == '\r')
        c->rest = view_from(c->rest, 1);
    if (c->rest.n && c->rest.p[0] != '\n')
        TRY(fault(c, "a carriage return within a line"));
    c->rest = view_from(c->rest, 1);
    *ret_n = n;
out:
    return e;
}

struct err *csv_open(struct view text, struct arena *arena, struct csv *ret)
{
    *ret = (struct csv){.rest = text};
    if (!text.n)
        return err_new(ERR_BAD_FIELD, "the file is empty: its first line names the columns");
    return row(ret, arena, ret->names, &ret->columns);
}

struct err *csv_next(struct csv *c, struct arena *arena, bool *ret_more)
{
    struct err *e = NULL;
    size_t n;
    *ret_more = false;
    while (c->rest.n && !*ret_more) {
        TRY(row(c, arena, c->fields, &n));
        if (n > c->columns)
            TRY(fault(c, "more fields than columns"));
        for (size_t i = n; i < c->columns; i++)
            c->fields[i] = "";
        *ret_more = n > 1 || c->fields[0][0];
    }
out:
    return e;
}

static size_t column(const struct csv *c, const char *name)
{
    size_t i = 0;
    while (i < c->columns && strcmp(c->names[i], name) != 0)
        i++;
    return i;
}

bool csv_has(const struct csv *c, const char *name)
{
    return column(c, name) < c->columns;
}

const char *csv_field(const struct csv *c, const char *name)
{
    size_t i = column(c, name);
    return i < c->columns ? c->fields[i] : "";
}

const char *csv_quoted(const char *field, struct arena *arena)
{
    if (!field[strcspn(field, ",\"\r\n")])
        return field;
    char *text = arena_alloc(arena, 2 * strlen(field) + 3), *to = text;
    *to++ = '"';
    for (const char *p = field; *p; p++) {
        if (*p == '"')
            *to++ = '"';
        *to++ = *p;
    }
    *to++ = '"';
    *to = '\0';
    return text;
}
