/*
 * Rows to a struct: each key known, each value of its type and within its bounds, texts copied to the arena.
 * Serves files and API bodies alike. Never guesses: a value of another type is refused, with the place. Any
 * thread.
 */
#include "base/check.h"
#include "base/when.h"
#include "conf_tree.h"

#include <stdlib.h>

enum { NAME_MAX_CHARS = 64, SHOWN_CHARS = 64 };

struct fill {
    const struct conf *c;
    struct arena *arena;
    const struct conf_row *row;
    const json_t *at;
    void *field;
};

/* --- the nearest name --- */

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Insertions, deletions, changes and swaps of neighbours. Neither is longer than NAME_MAX_CHARS. */
static size_t distance(struct view a, struct view b)
{
    size_t rows[3][NAME_MAX_CHARS + 1];
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, change);
            bool swap = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (swap && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return rows[a.n % 3][b.n];
}

const char *conf_nearest(const char *text, const char *const *names, size_t n)
{
    struct view t = view_str(text);
    size_t limit = 1 + t.n / 4 < 3 ? 1 + t.n / 4 : 3;
    const char *best = NULL;
    for (size_t i = 0; i < n && t.n <= NAME_MAX_CHARS; i++) {
        struct view name = view_str(names[i]);
        if (name.n == 0 || name.n > NAME_MAX_CHARS)
            continue;
        size_t d = distance(t, name);
        if (d > limit || d >= name.n) /* nothing of the name is left */
            continue;
        limit = d ? d - 1 : 0;
        best = names[i];
        if (d == 0)
            break;
    }
    return best;
}

/* --- errors --- */

static const char *found(const struct fill *f)
{
    static const char *const words[] = {
        [JSON_OBJECT] = "a mapping",      [JSON_ARRAY] = "a list", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a decimal number", [JSON_TRUE] = "true",    [JSON_FALSE] = "false",
        [JSON_NULL] = "nothing",
    };
    if (!json_is_string(f->at))
        return words[json_typeof(f->at)];
    return arena_printf(f->arena, "'%.*s'", SHOWN_CHARS, json_string_value(f->at));
}

static struct err *expected(const struct fill *f, const char *what)
{
    return conf_error(f->c, f->at, "'%s': expected %s, found %s", f->row->key, what, found(f));
}

/* A count in the row's own unit, for messages. */
static const char *shown(const struct fill *f, int64_t value)
{
    if (f->row->type == CONF_DURATION)
        return when_duration_text(f->arena, value);
    if (f->row->type == CONF_SIZE && value >= 1024 * 1024 && value % (1024 * 1024) == 0)
        return arena_printf(f->arena, "%lldMiB", (long long)(value / (1024 * 1024)));
    if (f->row->type == CONF_SIZE && value >= 1024 && value % 1024 == 0)
        return arena_printf(f->arena, "%lldKiB", (long long)(value / 1024));
    return arena_printf(f->arena, "%lld", (long long)value);
}

/* The row's bounds: 0, 0 are the type's own; a max below min leaves the upper end to the type. */
static struct err *check_bounds(const struct fill *f, int64_t value, const char *what)
{
    int64_t min = f->row->min, max = f->row->max;
    if (min == 0 && max == 0)
        return NULL;
    if (value >= min && (value <= max || max < min))
        return NULL;
    if (max < min)
        return conf_error(f->c, f->at, "'%s': %s %s is below the least, %s", f->row->key, what,
                          shown(f, value), shown(f, min));
    return conf_error(f->c, f->at, "'%s': %s %s is not between %s and %s", f->row->key, what, shown(f, value),
                      shown(f, min), shown(f, max));
}

/* --- one value --- */

static struct err *fill_text(const struct fill *f)
{
    if (!json_is_string(f->at))
        return expected(f,
                        json_is_number(f->at) && f->c->file ? "text (in quotes where it is digits)" : "text");
    struct err *e = check_bounds(f, (int64_t)json_string_length(f->at), "length");
    if (e)
        return e;
    const char *text = arena_str(f->arena, view_of(json_string_value(f->at), json_string_length(f->at)));
    memcpy(f->field, &text, sizeof text);
    return NULL;
}

static struct err *fill_bool(const struct fill *f)
{
    if (!json_is_boolean(f->at))
        return expected(f, "true or false");
    bool value = json_is_true(f->at);
    memcpy(f->field, &value, sizeof value);
    return NULL;
}

static struct err *put_number(const struct fill *f, int64_t value)
{
    struct err *e = check_bounds(f, value, "value");
    if (!e)
        memcpy(f->field, &value, sizeof value);
    return e;
}

static struct err *fill_int(const struct fill *f)
{
    if (!json_is_integer(f->at))
        return expected(f, "a whole number");
    return put_number(f, json_integer_value(f->at));
}

static struct err *fill_duration(const struct fill *f)
{
    int64_t s;
    if (!json_is_string(f->at))
        return expected(f, "a duration like 90d, 12h, 30m or 45s");
    struct err *e = when_duration_parse(view_str(json_string_value(f->at)), &s);
    if (!e)
        return put_number(f, s);
    e = err_wrap(e, "'%s': '%.*s' is", f->row->key, SHOWN_CHARS, json_string_value(f->at));
    struct err *placed = conf_error(f->c, f->at, "%s", err_detail(e));
    err_free(e);
    return placed;
}

/* "64KiB": digits and a unit of 1024, or digits alone. */
static bool parse_size(struct view text, int64_t *ret)
{
    static const struct {
        const char *suffix;
        int64_t bytes;
    } units[] = {{"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}};
    int64_t unit = 1, value = 0;
    for (size_t i = 0; i < 3; i++)
        if (view_ends(text, view_str(units[i].suffix))) {
            unit = units[i].bytes;
            text.n -= 3;
            break;
        }
    if (text.n == 0 || (text.p[0] == '0' && text.n > 1))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.p[i] - '0', &value))
            return false;
    return !__builtin_mul_overflow(value, unit, ret);
}

static struct err *fill_size(const struct fill *f)
{
    int64_t bytes;
    if (json_is_integer(f->at) && json_integer_value(f->at) >= 0)
        return put_number(f, json_integer_value(f->at));
    if (!json_is_string(f->at) || !parse_size(view_str(json_string_value(f->at)), &bytes))
        return expected(f, "a size in octets, like 4096, 64KiB or 4MiB");
    return put_number(f, bytes);
}

static const char *choices_text(const struct fill *f)
{
    const char *text = "";
    for (size_t i = 0; f->row->choices[i]; i++)
        text = arena_printf(f->arena, "%s%s%s", text, i ? ", " : "", f->row->choices[i]);
    return text;
}

static struct err *fill_choice(const struct fill *f)
{
    int n = 0;
    CHECK(f->row->choices != NULL);
    for (; f->row->choices[n]; n++) {
        if (!json_is_string(f->at) || strcmp(json_string_value(f->at), f->row->choices[n]) != 0)
            continue;
        memcpy(f->field, &n, sizeof n);
        return NULL;
    }
    const char *near =
        json_is_string(f->at) ? conf_nearest(json_string_value(f->at), f->row->choices, (size_t)n) : NULL;
    return conf_error(f->c, f->at, "'%s': expected one of %s, found %s%s%s%s", f->row->key, choices_text(f),
                      found(f), near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static struct err *fill_texts(const struct fill *f)
{
    if (!json_is_array(f->at))
        return expected(f, "a list of texts");
    size_t n = json_array_size(f->at);
    struct err *e = check_bounds(f, (int64_t)n, "number of elements");
    if (e)
        return e;
    const char **items = arena_array(f->arena, n, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        struct fill element = *f;
        element.at = json_array_get(f->at, i);
        if (!json_is_string(element.at))
            return expected(&element, "text");
        items[i] =
            arena_str(f->arena, view_of(json_string_value(element.at), json_string_length(element.at)));
    }
    struct conf_texts texts = {n, items};
    memcpy(f->field, &texts, sizeof texts);
    return NULL;
}

static struct err *fill_value(const struct fill *f)
{
    switch (f->row->type) {
    case CONF_TEXT:
        return fill_text(f);
    case CONF_BOOL:
        return fill_bool(f);
    case CONF_INT:
        return fill_int(f);
    case CONF_DURATION:
        return fill_duration(f);
    case CONF_SIZE:
        return fill_size(f);
    case CONF_CHOICE:
        return fill_choice(f);
    case CONF_TEXTS:
        return fill_texts(f);
    case CONF_TREE:
        memcpy(f->field, &f->at, sizeof f->at);
        return NULL;
    }
    UNREACHABLE();
}

/* --- defaults --- */

/* "[a, b]" or "[]". */
static json_t *texts_node(const char *text)
{
    struct view rest = view_str(text);
    json_t *list = json_array();
    CHECK(list != NULL && rest.n >= 2 && text[0] == '[' && text[rest.n - 1] == ']');
    rest = view_of(rest.p + 1, rest.n - 2);
    while (rest.n > 0) {
        size_t n = view_find(rest, ',');
        CHECK(json_array_append_new(list, json_stringn((const char *)rest.p, n)) == 0);
        rest = view_from(rest, n + 1);
        while (rest.n > 0 && rest.p[0] == ' ')
            rest = view_from(rest, 1);
    }
    return list;
}

static json_t *fallback_node(const struct conf_row *row)
{
    switch (row->type) {
    case CONF_BOOL:
        return json_boolean(strcmp(row->fallback, "true") == 0);
    case CONF_INT:
        return json_integer(strtoll(row->fallback, NULL, 10));
    case CONF_TEXTS:
        return texts_node(row->fallback);
    default:
        return json_string(row->fallback);
    }
}

static void fill_fallback(struct fill f)
{
    json_t *node = fallback_node(f.row);
    CHECK(f.row->type != CONF_TREE && node != NULL);
    f.at = node;
    struct err *e = fill_value(&f);
    CHECK(e == NULL); /* the row refuses its own default */
    json_decref(node);
}

/* --- all --- */

static struct err *unknown_key(const struct conf *c, const json_t *value, const char *key,
                               const struct conf_row *rows, size_t n, struct arena *arena)
{
    const char **names = arena_array(arena, n, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = rows[i].key;
    const char *near = conf_nearest(key, names, n);
    return conf_error_key(c, value, "unknown key '%.*s'%s%s%s", SHOWN_CHARS, key,
                          near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static struct err *check_keys(const struct conf *c, const json_t *node, const struct conf_row *rows, size_t n,
                              struct arena *arena)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)node, key, value)
    {
        size_t i = 0;
        while (i < n && strcmp(rows[i].key, key) != 0)
            i++;
        if (i == n)
            return unknown_key(c, value, key, rows, n, arena);
    }
    return NULL;
}

struct err *conf_fill(const struct conf *c, const json_t *node, const struct conf_row *rows, size_t n,
                      struct arena *arena, void *to)
{
    struct err *e = NULL;
    if (!json_is_object(node))
        return conf_error(c, node, "expected a mapping of keys to values");
    TRY(check_keys(c, node, rows, n, arena));
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(node, rows[i].key);
        struct fill f = {c, arena, &rows[i], value, (uint8_t *)to + rows[i].offset};
        if (!value && rows[i].fallback) {
            fill_fallback(f);
            continue;
        }
        if (!value && rows[i].required)
            return conf_error(c, node, "missing key '%s'", rows[i].key);
        if (value)
            TRY(fill_value(&f));
    }
out:
    return e;
}
