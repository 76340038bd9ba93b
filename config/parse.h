/* What the files that read chancery.yaml share. Private to config. */
#ifndef CHANCERY_CONFIG_PARSE_H
#define CHANCERY_CONFIG_PARSE_H

#include "rows.h"

struct parse {
    const struct conf *conf;
    struct arena *arena;
    struct config *to;
    struct rows_top top;
};

MUST_USE struct err *parse_fill(struct parse *p, enum rows_group group, const json_t *node, void *to);
/* A group that is left out has its defaults. */
MUST_USE struct err *parse_fill_optional(struct parse *p, enum rows_group group, const json_t *node,
                                         void *to);
/* Under `dir` where it is relative. */
const char *parse_path(struct parse *p, const char *path);
struct conf_texts parse_paths(struct parse *p, struct conf_texts paths);
/* [a-z0-9-]{1,63} */
bool parse_name_ok(const char *name);

#endif
