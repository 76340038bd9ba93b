/*
 * What one tree takes over from another: copies of nodes, each noted so that an error about it names the
 * place in this file that called for it. Reads no file. Any thread, as long as the tree is still being built.
 */
#include "base/check.h"
#include "conf_tree.h"

static struct err *note_copy(struct conf *c, const json_t *node, const json_t *parent, bool own,
                             const struct conf_place *at)
{
    const struct conf_place place = {
        .node = node, .parent = parent, .at = at->at, .key_at = at->at, .own = own, .inherited = true};
    if (conf_note(c, &place))
        return NULL;
    return err_new(ERR_CONFIG, "%s: more than %d values with those that are inherited", c->file,
                   CONF_MAX_NODES);
}

static struct err *copy_into(struct conf *c, const json_t *node, json_t *parent, const char *key,
                             const struct conf_place *at);

static struct err *copy_children(struct conf *c, const json_t *node, json_t *copy,
                                 const struct conf_place *at)
{
    struct err *e = NULL;
    const char *key;
    json_t *child;
    size_t i;
    json_object_foreach((json_t *)node, key, child) TRY(copy_into(c, child, copy, key, at));
    json_array_foreach(node, i, child) TRY(copy_into(c, child, copy, NULL, at));
out:
    return e;
}

static json_t *copy_node(const json_t *node, bool constant)
{
    if (constant)
        return conf_constant(json_typeof(node));
    if (json_is_object(node))
        return json_object();
    return json_is_array(node) ? json_array() : json_copy((json_t *)node);
}

/* Under key, or at the end of a list. Depth is bounded: both trees are. */
static struct err *copy_into(struct conf *c, const json_t *node, json_t *parent, const char *key,
                             const struct conf_place *at)
{
    struct err *e = NULL;
    bool constant = json_is_boolean(node) || json_is_null(node);
    json_t *copy = copy_node(node, constant);
    CHECK(copy);
    CHECK((key ? json_object_set_new(parent, key, copy) : json_array_append_new(parent, copy)) == 0);
    TRY(note_copy(c, copy, parent, constant, at));
    TRY(copy_children(c, node, copy, at));
out:
    return e;
}

struct err *conf_inherit(struct conf *c, json_t *to, const char *key, const json_t *node, const json_t *at)
{
    const struct conf_place *found = conf_place_of(c, at);
    CHECK(found);
    const struct conf_place place = *found; /* the table moves as it grows */
    return copy_into(c, node, to, key, &place);
}

bool conf_inherited(const struct conf *c, const json_t *node)
{
    const struct conf_place *place = conf_place_of(c, node);
    return place && place->inherited;
}
