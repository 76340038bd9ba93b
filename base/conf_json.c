/*
 * An API body to a tree, through jansson, with the same bounds as a file. Depth is bounded before anything is
 * parsed. Never accepts what YAML files would not: duplicate keys, NUL, bad UTF-8. Any thread.
 */
#include "base/check.h"
#include "conf_tree.h"

static struct err *too_deep(void)
{
    return err_new(ERR_BAD_JSON, "nested deeper than %d levels", CONF_MAX_DEPTH);
}

/* Brackets outside of strings. What is not JSON at all is for the parser to say. */
static struct err *check_depth(struct view json)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < json.n; i++) {
        uint8_t ch = json.p[i];
        if (quoted && ch == '\\')
            i++;
        if (ch == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        if ((ch == '[' || ch == '{') && ++depth > CONF_MAX_DEPTH)
            return too_deep();
        if ((ch == ']' || ch == '}') && depth > 0)
            depth--;
    }
    return NULL;
}

static bool is_constant(const json_t *node)
{
    return json_is_boolean(node) || json_is_null(node);
}

static struct err *note(struct conf *c, const struct conf_place *place)
{
    if (conf_note(c, place))
        return NULL;
    return err_new(ERR_BAD_JSON, "more than %d values", CONF_MAX_NODES);
}

/* Notes each child's place, with shared constants made our own. Recursion is bounded by check_depth. */
static struct err *note_children(struct conf *c, json_t *node);

static struct err *note_member(struct conf *c, json_t *object, void *at)
{
    struct err *e = NULL;
    json_t *child = json_object_iter_value(at);
    struct conf_place place = {.parent = object, .key = json_object_iter_key(at)};
    place.own = is_constant(child);
    if (place.own) {
        child = conf_constant(json_typeof(child));
        CHECK(json_object_iter_set_new(object, at, child) == 0);
    }
    place.node = child;
    TRY(note(c, &place));
    e = note_children(c, child);
out:
    return e;
}

static struct err *note_element(struct conf *c, json_t *array, size_t i)
{
    struct err *e = NULL;
    json_t *child = json_array_get(array, i);
    struct conf_place place = {.parent = array, .index = i};
    place.own = is_constant(child);
    if (place.own) {
        child = conf_constant(json_typeof(child));
        CHECK(json_array_set_new(array, i, child) == 0);
    }
    place.node = child;
    TRY(note(c, &place));
    e = note_children(c, child);
out:
    return e;
}

static struct err *note_children(struct conf *c, json_t *node)
{
    struct err *e = NULL;
    if (json_is_object(node))
        for (void *at = json_object_iter(node); at; at = json_object_iter_next(node, at))
            TRY(note_member(c, node, at));
    if (json_is_array(node))
        for (size_t i = 0; i < json_array_size(node); i++)
            TRY(note_element(c, node, i));
out:
    return e;
}

struct err *conf_json_build(struct conf *c, struct view json)
{
    struct err *e = NULL;
    json_error_t why;
    if (json.n > CONF_MAX_BYTES)
        return err_new(ERR_TOO_LARGE, "larger than %d octets", CONF_MAX_BYTES);
    TRY(check_depth(json));
    c->root = json_loadb(json.n ? (const char *)json.p : "", json.n, JSON_REJECT_DUPLICATES, &why);
    if (!c->root)
        return err_new(ERR_BAD_JSON, "line %d column %d: %s", why.line, why.column, why.text);
    struct conf_place place = {.node = c->root};
    TRY(note(c, &place));
    e = note_children(c, c->root);
out:
    return e;
}
