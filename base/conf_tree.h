/*
 * Inside conf*.c: the tree and the table of places beside it. Every node is an object of its own, true, false
 * and null too (jansson shares these; here each has a place), so that a node alone says where it stands.
 */
#ifndef CHANCERY_CONF_TREE_H
#define CHANCERY_CONF_TREE_H

#include "base/conf.h"

enum { CONF_MAX_DEPTH = 32, CONF_MAX_NODES = 100000, CONF_MAX_BYTES = 4 * 1024 * 1024 };

struct conf_mark {
    size_t line, col; /* from 1; 0 where unknown */
};

struct conf_place {
    const json_t *node;
    const json_t *parent; /* NULL: the root */
    const char *key;      /* in the parent mapping, which owns it; NULL in a list */
    size_t index;         /* in the parent list */
    struct conf_mark at, key_at;
    bool own;       /* the node is ours to free, see conf_constant */
    bool inherited; /* a copy out of another tree */
};

struct conf {
    char *file; /* NULL: an API body */
    json_t *root;
    struct conf_place *places; /* open addressing by node */
    size_t n, cap;
};

/* true, false or null as a node of its own; lives until conf_free once placed. */
json_t *conf_constant(json_type type);

/* Notes where node stands. False over CONF_MAX_NODES; noted it is all the same, so that it is freed. */
bool conf_note(struct conf *c, const struct conf_place *place);
const struct conf_place *conf_place_of(const struct conf *c, const json_t *node);

/* An error at a place that has no node, or at the key rather than the value. */
MUST_USE struct err *conf_error_mark(const struct conf *c, struct conf_mark at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
MUST_USE struct err *conf_error_key(const struct conf *c, const json_t *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Fill c->root and the places; on failure c is freed by the caller. */
MUST_USE struct err *conf_yaml_build(struct conf *c, struct view yaml);
MUST_USE struct err *conf_json_build(struct conf *c, struct view json);

#endif
