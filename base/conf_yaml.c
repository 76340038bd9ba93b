/*
 * YAML to a tree, from libyaml's events: one document, plain data. What makes YAML surprising is refused by
 * name: anchors, aliases, tags, directives, merge keys, keys given twice. Never follows anything, never grows
 * more than the file's own size allows. Any thread.
 */
#include "base/check.h"
#include "conf_tree.h"

#include <stdlib.h>
#include <yaml.h>

struct level {
    json_t *node;
    char *key; /* a mapping's key that waits for its value */
    struct conf_mark key_at;
};

struct builder {
    struct conf *c;
    struct level levels[CONF_MAX_DEPTH];
    size_t depth;
    size_t documents;
    bool done;
};

static struct conf_mark mark_of(yaml_mark_t m)
{
    return (struct conf_mark){m.line + 1, m.column + 1};
}

static struct level *top(struct builder *b)
{
    return b->depth ? &b->levels[b->depth - 1] : NULL;
}

/* Takes key. */
static void set_key(struct level *l, char *key)
{
    free(l->key);
    l->key = key;
}

/* Puts the node where the builder stands and notes its place. Takes node. */
static struct err *attach(struct builder *b, json_t *node, struct conf_mark at)
{
    struct level *l = top(b);
    struct conf_place place = {.node = node, .at = at};
    place.own = json_is_boolean(node) || json_is_null(node);
    if (!l)
        b->c->root = node;
    if (l && json_is_array(l->node)) {
        place.parent = l->node;
        place.index = json_array_size(l->node);
        CHECK(json_array_append_new(l->node, node) == 0);
    }
    if (l && json_is_object(l->node)) {
        place.parent = l->node;
        place.key_at = l->key_at;
        CHECK(json_object_set_new(l->node, l->key, node) == 0);
        place.key = json_object_iter_key(json_object_iter_at(l->node, l->key));
        set_key(l, NULL);
    }
    if (conf_note(b->c, &place))
        return NULL;
    return conf_error_mark(b->c, at, "more than %d values", CONF_MAX_NODES);
}

static bool is_key_next(struct builder *b)
{
    struct level *l = top(b);
    return l && json_is_object(l->node) && !l->key;
}

static struct err *take_key(struct builder *b, struct view text, bool plain, struct conf_mark at)
{
    struct level *l = top(b);
    if (plain && view_eq_str(text, "<<"))
        return conf_error_mark(b->c, at, "merge keys are not used here");
    char *key = strndup((const char *)text.p, text.n);
    CHECK(key != NULL);
    const struct conf_place *first = conf_place_of(b->c, json_object_get(l->node, key));
    if (first) {
        struct err *e = conf_error_mark(b->c, at, "duplicate key '%.64s', first given on line %zu", key,
                                        first->key_at.line);
        free(key);
        return e;
    }
    set_key(l, key);
    l->key_at = at;
    return NULL;
}

/* -?(0|[1-9][0-9]*) within int64_t; what YAML would read in another base stays text. */
static bool is_integer(struct view t, int64_t *ret)
{
    int64_t value = 0;
    bool negative = t.n > 0 && t.p[0] == '-';
    struct view digits = negative ? view_from(t, 1) : t;
    if (digits.n == 0 || digits.n > 19 || (digits.p[0] == '0' && t.n > 1))
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        int digit = digits.p[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) /* counted downward: INT64_MIN has no opposite */
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret = negative ? value : -value;
    return true;
}

static json_t *scalar_node(struct view text, bool plain)
{
    int64_t number;
    if (plain && view_eq_str(text, "true"))
        return conf_constant(JSON_TRUE);
    if (plain && view_eq_str(text, "false"))
        return conf_constant(JSON_FALSE);
    if (plain && (text.n == 0 || view_eq_str(text, "null")))
        return conf_constant(JSON_NULL);
    if (plain && is_integer(text, &number))
        return json_integer(number);
    return json_stringn((const char *)text.p, text.n);
}

static struct err *no_extras(struct builder *b, const yaml_char_t *anchor, const yaml_char_t *tag,
                             struct conf_mark at)
{
    if (anchor)
        return conf_error_mark(b->c, at, "anchors are not used here");
    if (tag)
        return conf_error_mark(b->c, at, "tags are not used here");
    return NULL;
}

static struct err *on_scalar(struct builder *b, const yaml_event_t *ev)
{
    struct err *e = NULL;
    struct conf_mark at = mark_of(ev->start_mark);
    struct view text = view_of(ev->data.scalar.value, ev->data.scalar.length);
    bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    TRY(no_extras(b, ev->data.scalar.anchor, ev->data.scalar.tag, at));
    if (view_find(text, 0) < text.n)
        return conf_error_mark(b->c, at, "text with a NUL");
    if (is_key_next(b))
        return take_key(b, text, plain, at);
    json_t *node = scalar_node(text, plain);
    if (!node)
        return conf_error_mark(b->c, at, "text that is not UTF-8");
    e = attach(b, node, at);
out:
    return e;
}

/* Takes node. */
static struct err *open_level(struct builder *b, json_t *node, struct conf_mark at)
{
    struct err *e = NULL;
    CHECK(node != NULL);
    if (is_key_next(b) || b->depth == CONF_MAX_DEPTH) {
        bool key = is_key_next(b);
        json_decref(node);
        return key ? conf_error_mark(b->c, at, "a key must be text")
                   : conf_error_mark(b->c, at, "nested deeper than %d levels", CONF_MAX_DEPTH);
    }
    TRY(attach(b, node, at));
    b->levels[b->depth++] = (struct level){.node = node};
out:
    return e;
}

static struct err *on_document(struct builder *b, const yaml_event_t *ev)
{
    struct conf_mark at = mark_of(ev->start_mark);
    if (b->documents++ > 0)
        return conf_error_mark(b->c, at, "more than one document");
    if (ev->data.document_start.version_directive ||
        ev->data.document_start.tag_directives.start != ev->data.document_start.tag_directives.end)
        return conf_error_mark(b->c, at, "directives are not used here");
    return NULL;
}

static struct err *on_open(struct builder *b, const yaml_event_t *ev)
{
    struct conf_mark at = mark_of(ev->start_mark);
    bool mapping = ev->type == YAML_MAPPING_START_EVENT;
    struct err *e = mapping ? no_extras(b, ev->data.mapping_start.anchor, ev->data.mapping_start.tag, at)
                            : no_extras(b, ev->data.sequence_start.anchor, ev->data.sequence_start.tag, at);
    return e ? e : open_level(b, mapping ? json_object() : json_array(), at);
}

static struct err *on_event(struct builder *b, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(b, ev);
    case YAML_ALIAS_EVENT:
        return conf_error_mark(b->c, mark_of(ev->start_mark), "aliases are not used here");
    case YAML_SCALAR_EVENT:
        return on_scalar(b, ev);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_open(b, ev);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        CHECK(b->depth > 0);
        b->depth--;
        return NULL;
    case YAML_STREAM_END_EVENT:
        b->done = true;
        return NULL;
    default:
        return NULL;
    }
}

static struct err *run(struct builder *b, yaml_parser_t *parser)
{
    struct err *e = NULL;
    while (!e && !b->done) {
        yaml_event_t ev;
        if (!yaml_parser_parse(parser, &ev))
            return conf_error_mark(b->c, mark_of(parser->problem_mark), "not YAML: %s",
                                   parser->problem ? parser->problem : "cannot be read");
        e = on_event(b, &ev);
        yaml_event_delete(&ev);
    }
    return e;
}

/* Before libyaml sees it: size, and characters that have no place in a text file, with their place. */
static struct err *check_text(const struct conf *c, struct view yaml)
{
    struct conf_mark at = {1, 1};
    if (yaml.n > CONF_MAX_BYTES)
        return conf_error_mark(c, (struct conf_mark){0, 0}, "larger than %d octets", CONF_MAX_BYTES);
    while (yaml.n > 0) {
        uint32_t code = 0;
        size_t n = view_utf8_next(yaml, &code);
        if (n == 0)
            return conf_error_mark(c, at, "not UTF-8");
        if ((code < 0x20 && code != '\n' && code != '\r' && code != '\t') || code == 0x7f || code == 0xfeff)
            return conf_error_mark(c, at, "character U+%04X, which a text file does not hold",
                                   (unsigned)code);
        at = code == '\n' ? (struct conf_mark){at.line + 1, 1} : (struct conf_mark){at.line, at.col + 1};
        yaml = view_from(yaml, n);
    }
    return NULL;
}

struct err *conf_yaml_build(struct conf *c, struct view yaml)
{
    struct err *e = NULL;
    yaml_parser_t parser;
    struct builder b = {.c = c};
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (view_starts(yaml, view_of(mark, sizeof mark)))
        yaml = view_from(yaml, sizeof mark);
    CHECK(yaml_parser_initialize(&parser) == 1);
    TRY(check_text(c, yaml));
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, yaml.n ? yaml.p : (const uint8_t *)"", yaml.n);
    TRY(run(&b, &parser));
    if (!c->root)
        e = conf_error_mark(c, (struct conf_mark){1, 1}, "nothing in it");
out:
    for (size_t i = 0; i < CONF_MAX_DEPTH; i++)
        free(b.levels[i].key);
    yaml_parser_delete(&parser);
    return e;
}
