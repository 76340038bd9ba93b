/*
 * Configuration trees: what is common to YAML files and API bodies. Holds the tree and the table from node to
 * place, and words the errors that name a place. Reads no file. Any thread; a tree is not changed once built.
 */
#include "base/check.h"
#include "conf_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct conf *conf_new(const char *file)
{
    struct conf *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    c->file = file ? strdup(file) : NULL;
    CHECK(!file || c->file);
    return c;
}

struct err *conf_parse(const char *file, struct view yaml, struct conf **ret)
{
    struct conf *c = conf_new(file);
    struct err *e = conf_yaml_build(c, yaml);
    if (e) {
        conf_free(c);
        return e;
    }
    *ret = c;
    return NULL;
}

struct err *conf_parse_json(struct view json, struct conf **ret)
{
    struct conf *c = conf_new(NULL);
    struct err *e = conf_json_build(c, json);
    if (e) {
        conf_free(c);
        return e;
    }
    *ret = c;
    return NULL;
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    json_decref(c->root);
    for (size_t i = 0; i < c->cap; i++)
        if (c->places[i].own)
            free((void *)c->places[i].node);
    free(c->places);
    free(c->file);
    free(c);
}

const json_t *conf_root(const struct conf *c)
{
    return c->root;
}

json_t *conf_constant(json_type type)
{
    json_t *node = malloc(sizeof *node);
    CHECK(node != NULL);
    node->type = type;
    node->refcount = (size_t)-1; /* as jansson marks its own constants: never counted, never deleted */
    return node;
}

/* --- places --- */

static size_t slot_of(const struct conf *c, const json_t *node)
{
    uint64_t h = (uint64_t)(uintptr_t)node * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(h >> 32) & (c->cap - 1);
    while (c->places[i].node && c->places[i].node != node)
        i = (i + 1) & (c->cap - 1);
    return i;
}

static void grow(struct conf *c)
{
    struct conf_place *old = c->places;
    size_t old_cap = c->cap;
    c->cap = old_cap ? old_cap * 2 : 64;
    c->places = calloc(c->cap, sizeof *c->places);
    CHECK(c->places != NULL);
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].node)
            c->places[slot_of(c, old[i].node)] = old[i];
    free(old);
}

bool conf_note(struct conf *c, const struct conf_place *place)
{
    if (c->n * 2 >= c->cap)
        grow(c);
    size_t i = slot_of(c, place->node);
    CHECK(c->places[i].node == NULL);
    c->places[i] = *place;
    c->n++;
    return c->n <= CONF_MAX_NODES;
}

const struct conf_place *conf_place_of(const struct conf *c, const json_t *node)
{
    if (!node || c->cap == 0)
        return NULL;
    const struct conf_place *p = &c->places[slot_of(c, node)];
    return p->node ? p : NULL;
}

/* --- errors --- */

static struct err *error_in_file(const struct conf *c, struct conf_mark at, const char *text)
{
    if (at.line == 0)
        return err_new(ERR_CONFIG, "%s: %s", c->file, text);
    return err_new(ERR_CONFIG, "%s:%zu:%zu: %s", c->file, at.line, at.col, text);
}

/* RFC 6901 section 3: '~' and '/' in a key are escaped. A long key is cut; it is only shown. */
static void pointer_escape(char *to, size_t cap, const char *key)
{
    size_t n = 0;
    for (; *key && n + 3 < cap; key++) {
        if (*key == '~' || *key == '/') {
            to[n++] = '~';
            to[n++] = *key == '~' ? '0' : '1';
            continue;
        }
        to[n++] = *key;
    }
    to[n] = '\0';
}

/* Climbs to the root, each step in front of what is there. */
static struct err *add_pointer(const struct conf *c, const json_t *at, struct err *e)
{
    char key[128];
    const struct conf_place *p = conf_place_of(c, at);
    for (; p && p->parent; p = conf_place_of(c, p->parent)) {
        if (!p->key) {
            e = err_at(e, "/%zu", p->index);
            continue;
        }
        pointer_escape(key, sizeof key, p->key);
        e = err_at(e, "/%s", key);
    }
    return e;
}

static struct err *error_at(const struct conf *c, const json_t *at, bool key, const char *text)
{
    const struct conf_place *p = conf_place_of(c, at);
    struct conf_mark mark = {0, 0};
    if (!c->file)
        return add_pointer(c, at, err_new(ERR_BAD_FIELD, "%s", text));
    if (p)
        mark = key && p->key_at.line ? p->key_at : p->at;
    return error_in_file(c, mark, text);
}

struct err *conf_error(const struct conf *c, const json_t *at, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return error_at(c, at, false, text);
}

struct err *conf_error_key(const struct conf *c, const json_t *at, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return error_at(c, at, true, text);
}

struct err *conf_error_mark(const struct conf *c, struct conf_mark at, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return error_in_file(c, at, text);
}
