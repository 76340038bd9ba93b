/*
 * The field table: rows for conf, the public list for documentation, and a template shown as JSON, all out of
 * fields.def.
 *
 * Never judges and never loads. Any thread.
 */
#include "fields.h"

#include "analyser.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/when.h"
#include "exts.h"
#include "quota.h"
#include "subject.h"

#define LIMIT_SANS_TEXT "100"
_Static_assert(LIMIT_SANS == 100, "LIMIT_SANS_TEXT says the same");

static const char *const limits_keys_texts[] = {[TEMPLATES_KEYS_OWNER] = "owner",
                                                [TEMPLATES_KEYS_RENEWAL] = "renewal",
                                                [TEMPLATES_KEYS_ONCE] = "once",
                                                NULL};
static const char *const source_other_texts[] = {[SOURCE_REFUSE] = "refuse", [SOURCE_DROP] = "drop", NULL};
static const char *const subject_other_texts[] = {[SUBJECT_REFUSE] = "refuse", [SUBJECT_DROP] = "drop", NULL};
static const char *const subject_cn_texts[] = {[SUBJECT_CN_SAN] = "san", [SUBJECT_CN_FREE] = "free", NULL};

/* Groups stand behind the fields of the top, so that both make one run of rows. */
static const struct conf_row rows[] = {
#define GROUP(id, key, doc)                                                                                  \
    {key, CONF_TREE, offsetof(struct template, nodes[GROUP_##id]), false, 0, 0, NULL, NULL, doc},
#define FIELD(group, key, type, member, min, max, fallback, choices, judge, doc)                             \
    {key, type, offsetof(struct template, member), false, min, max, fallback, choices, doc},
#include "fields.def"
#undef GROUP
#undef FIELD
};

/* The same rows in the same order. judge NULL: a group. */
static const struct {
    const char *group, *judge;
} places[] = {
#define GROUP(id, key, doc)                                                      {"", NULL},
#define FIELD(group, key, type, member, min, max, fallback, choices, judge, doc) {group, judge},
#include "fields.def"
#undef GROUP
#undef FIELD
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(sizeof(places) / sizeof(places[0]) == ROWS, "one place for each row");

static const char *const group_keys[GROUP__COUNT] = {
#define GROUP(id, key, doc) key,
#define FIELD(...)
#include "fields.def"
#undef GROUP
#undef FIELD
};

const char *fields_group_key(enum group group)
{
    return group_keys[group];
}

const struct conf_row *fields_rows(const char *group, size_t *ret_n)
{
    size_t first = 0, n = 0;
    while (first < ROWS && strcmp(places[first].group, group) != 0)
        first++;
    while (first + n < ROWS && strcmp(places[first + n].group, group) == 0)
        n++;
    CHECK(n > 0);
    *ret_n = n;
    return rows + first;
}

bool templates_fields(size_t i, struct templates_field *ret)
{
    for (size_t row = 0; row < ROWS; row++) {
        if (!places[row].judge || i-- > 0)
            continue;
        *ret = (struct templates_field){places[row].group, rows[row].key, places[row].judge, rows[row].doc};
        return true;
    }
    return false;
}

static json_t *texts_json(const struct conf_texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->n; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}

static json_t *duration_json(int64_t s)
{
    struct arena *arena = arena_new(4096);
    json_t *text = json_string(when_duration_text(arena, s));
    arena_free(arena);
    return text;
}

#define IS(row, member) ((row)->offset == offsetof(struct template, member))

static json_t *value_json(const struct template *t, const struct conf_row *row)
{
    const void *at = (const char *)t + row->offset;
    switch (row->type) {
    case CONF_TEXT:
        return json_string(*(const char *const *)at);
    case CONF_BOOL:
        return json_boolean(*(const bool *)at);
    case CONF_INT:
    case CONF_SIZE:
        return json_integer(*(const int64_t *)at);
    case CONF_DURATION:
        return duration_json(*(const int64_t *)at);
    case CONF_CHOICE:
        return json_string(row->choices[*(const int *)at]);
    case CONF_TEXTS:
        return texts_json(at);
    case CONF_TREE:
        break;
    }
    if (IS(row, custom.values_tree))
        return custom_values_json(t);
    if (IS(row, head.overrides_tree))
        return analyser_overrides_json(t);
    if (IS(row, subject.fixed_tree))
        return subject_fixed_json(t);
    if (IS(row, subject.patterns_tree))
        return subject_patterns_json(t);
    if (IS(row, subject.from_tree))
        return subject_from_json(t);
    return json_loads(((const struct template_tree *)at)->text, 0, NULL);
}

/* Fields that say nothing for this template are left out: an open list, no bound, nothing fixed. */
static bool worth_showing(const struct template *t, const struct conf_row *row)
{
    if (row->type == CONF_TEXTS)
        return ((const struct conf_texts *)((const char *)t + row->offset))->n > 0;
    if (row->choices == source_other_texts)
        return *(const int *)((const char *)t + row->offset) != SOURCE_REFUSE;
    if (IS(row, head.extends)) /* what comes from there is shown as its own */
        return false;
    if (strcmp(places[row - rows].group, "limits") == 0)
        return quota_given(t, row->offset);
    if (strcmp(places[row - rows].group, "approval") == 0)
        return templates_approval(t) != NULL;
    if (IS(row, head.given_name)) /* shown as the template's name */
        return false;
    if (IS(row, head.overrides_tree)) {
        struct templates_override o;
        return templates_override(t, 0, &o);
    }
    if (IS(row, custom.values_tree))
        return t->custom.n > 0;
    if (IS(row, policies.values) || IS(row, policies.critical))
        return t->policies.values.text != NULL;
    if (IS(row, info_access) || IS(row, directory) || IS(row, conditions.tree) ||
        IS(row, subject.computed_tree))
        return ((const struct template_tree *)((const char *)t + row->offset))->text != NULL;
    if (IS(row, microsoft.template_name) || IS(row, microsoft.template_oid) || IS(row, microsoft.sid))
        return (*(const char *const *)((const char *)t + row->offset))[0] != 0;
    if (row->type == CONF_INT && !row->fallback)
        return *(const int64_t *)((const char *)t + row->offset) >= 0;
    if (IS(row, subject.from_tree))
        return t->subject.sourced != 0;
    if (IS(row, subject.fixed_tree))
        return t->subject.fixed_set != 0;
    if (IS(row, subject.patterns_tree))
        return t->subject.patterned != 0;
    if (IS(row, sans.wildcard_labels))
        return t->sans.wildcard;
    if (IS(row, validity.jitter_s))
        return t->validity.jitter_s > 0;
    if (IS(row, validity.until_text) || IS(row, validity.computed_text))
        return (*(const char *const *)((const char *)t + row->offset))[0] != 0;
    if (IS(row, subject.cn))
        return t->subject.allow & (1u << subject_cn_attr());
    if (IS(row, keys.rsa_min) || IS(row, keys.rsa_max))
        return t->keys.allow & (1u << CERT_KEY_RSA);
    if (IS(row, constraints.critical))
        return t->constraints.present;
    return true;
}

static bool group_absent(const struct template *t, const char *group)
{
    if (strcmp(group, "sans") == 0)
        return t->sans.kinds == 0;
    if (strcmp(group, "key_usage") == 0)
        return t->key_usage.usages == 0 && t->key_usage.from.texts.n == 0;
    return strcmp(group, "extended_key_usage") == 0 && t->ext_key_usage.n == 0 &&
           t->ext_key_usage.from.texts.n == 0 && t->ext_key_usage.from.other == SOURCE_REFUSE;
}

json_t *templates_to_json(const struct template *t)
{
    json_t *all = json_object();
    json_object_set_new(all, "name", json_string(t->name));
    for (size_t i = 0; i < ROWS; i++) {
        const char *group = places[i].group;
        if (!places[i].judge || group_absent(t, group) || !worth_showing(t, &rows[i]))
            continue;
        json_t *to = all;
        if (group[0]) {
            to = json_object_get(all, group);
            if (!to)
                json_object_set_new(all, group, to = json_object());
        }
        json_object_set_new(to, rows[i].key, value_json(t, &rows[i]));
    }
    return all;
}
