/*
 * YAML files as strict trees, and rows that say what may stand in them. One check serves files and API
 * bodies: both are jansson trees. YAML: one document, no anchors, aliases, tags, merge keys or duplicate
 * keys, UTF-8, bounded depth (32), nodes (100,000) and size (4 MiB). Plain scalars true/false, integers and
 * null (or nothing) become JSON's; all else is text. Every node is an object of its own, true, false and null
 * too: ask for its type, never compare it with json_true().
 *
 * Errors are ERR_CONFIG: "templates/server.yaml:12:3: unknown key 'validty'; did you mean 'validity'?"
 */
#ifndef CHANCERY_BASE_CONF_H
#define CHANCERY_BASE_CONF_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

struct conf;

/* file: the name for messages. */
MUST_USE struct err *conf_parse(const char *file, struct view yaml, struct conf **ret);
/* An API body: same rules through jansson (duplicate keys, NUL and bad UTF-8 refused, depth bounded).
 * Messages name the JSON pointer, the code is ERR_BAD_JSON or ERR_BAD_FIELD. */
MUST_USE struct err *conf_parse_json(struct view json, struct conf **ret);
void conf_free(struct conf *c);                /* accepts NULL */
const json_t *conf_root(const struct conf *c); /* borrow */

/* An error that names the place of `at` (a node of this tree). */
MUST_USE struct err *conf_error(const struct conf *c, const json_t *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a copy of a node of another tree into a mapping (key) or at the end of a list (key NULL) of this one.
 * For errors all of it stands where `at` does, a node of this tree. ERR_CONFIG over the bound of nodes. */
MUST_USE struct err *conf_inherit(struct conf *c, json_t *to, const char *key, const json_t *node,
                                  const json_t *at);
bool conf_inherited(const struct conf *c, const json_t *node); /* whether it came so */

enum conf_type {
    CONF_TEXT,     /* const char *; min..max length in bytes */
    CONF_BOOL,     /* bool */
    CONF_INT,      /* int64_t; min..max */
    CONF_DURATION, /* int64_t seconds ("90d"); min..max */
    CONF_SIZE,     /* int64_t bytes ("64KiB", "4MiB", plain); min..max */
    CONF_CHOICE,   /* int: index into choices */
    CONF_TEXTS,    /* struct conf_texts: a list of texts; max elements */
    CONF_TREE,     /* const json_t *: any node, checked by whoever knows it */
};

struct conf_texts {
    size_t n;
    const char *const *items;
};

struct conf_row {
    const char *key;
    enum conf_type type;
    size_t offset; /* into the struct that is filled */
    bool required;
    int64_t min, max;     /* 0, 0: the type's own bounds; max < min: no upper bound */
    const char *fallback; /* default as it would be written, a list as "[a, b]"; NULL: field left as it is */
    const char *const *choices; /* CONF_CHOICE, NULL-terminated */
    const char *doc;            /* one line, for --help and the manual */
};

/* Fills *to from the mapping `node` by rows. Unknown keys are errors, with a suggestion. Texts live in the
 * arena. */
MUST_USE struct err *conf_fill(const struct conf *c, const json_t *node, const struct conf_row *rows,
                               size_t n, struct arena *arena, void *to);

/* The nearest of the names within a small edit distance, or NULL. */
const char *conf_nearest(const char *text, const char *const *names, size_t n);

#endif
