/*
 * Loading: files to a set of templates, in the order of their names. Each file is filled by the rows of
 * fields.def; then each group refuses what cannot stand together.
 *
 * Never reads a file and never keeps anything of the bytes it is given. Any thread; the set does not change
 * afterwards.
 */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyser.h"
#include "base/check.h"
#include "extend.h"
#include "fields.h"

enum { NAME_MAX_BYTES = 63 };

struct templates {
    struct arena *arena;
    const struct template **all;
    size_t n;
};

static struct err *(*const group_loads[])(struct load *) = {
    head_load,       keys_load,      constraints_load, constraints_load_pointers,
    sans_load,       subject_load,   usage_load_key,   usage_load_extended,
    validity_load,   subtrees_load,  policies_load,    access_load,
    features_load,   directory_load, microsoft_load,   custom_load,
    conditions_load, quota_load,     approval_load,
};

const json_t *load_root(const struct load *l)
{
    return conf_root(l->conf);
}

const json_t *load_node(const struct load *l, enum group group)
{
    return l->t->nodes[group] ? l->t->nodes[group] : l->none;
}

bool load_given(const struct load *l, enum group group, const char *key)
{
    const json_t *node = json_object_get(load_node(l, group), key);
    return node && !conf_inherited(l->conf, node);
}

struct err *load_error(const struct load *l, enum group group, const char *key, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    const json_t *at =
        group < GROUP__COUNT ? json_object_get(load_node(l, group), key) : json_object_get(load_root(l), key);
    if (!at)
        at = group < GROUP__COUNT && l->t->nodes[group] ? l->t->nodes[group] : load_root(l);
    return conf_error(l->conf, at, "%s", text);
}

struct err *load_at(const struct conf *c, const json_t *at, struct err *e)
{
    struct err *said = e ? conf_error(c, at, "%s", err_detail(e)) : NULL;
    err_free(e);
    return said;
}

struct err *load_placed(const struct load *l, const json_t *at, struct err *e)
{
    return load_at(l->conf, at, e);
}

void load_ready(struct load *l, struct cert_ext ext)
{
    CHECK(l->t->ready_n < READY_MAX);
    l->t->ready[l->t->ready_n++] = ext;
}

void load_keep(struct load *l, struct template_tree *tree)
{
    char *text = tree->node ? json_dumps(tree->node, JSON_COMPACT) : NULL;
    tree->text = text ? arena_str(l->arena, view_str(text)) : NULL;
    tree->node = NULL;
    free(text);
}

static struct err *mask_one(const struct load *l, const json_t *at, const char *text,
                            const char *const *names, size_t names_n, unsigned *mask)
{
    for (size_t i = 0; i < names_n; i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        *mask |= 1u << i;
        return NULL;
    }
    const char *near = conf_nearest(text, names, names_n);
    for (size_t i = 0; i < names_n; i++)
        near = view_eq_nocase(view_str(text), view_str(names[i])) ? names[i] : near;
    if (near)
        return conf_error(l->conf, at, "unknown value '%s'; did you mean '%s'?", text, near);
    return conf_error(l->conf, at, "unknown value '%s'", text);
}

struct err *load_mask(const struct load *l, const json_t *group, const char *key,
                      const struct conf_texts *texts, const char *const *names, size_t names_n,
                      unsigned fallback, unsigned *ret)
{
    struct err *e = NULL;
    unsigned mask = 0;
    const json_t *list = json_object_get(group, key);
    for (size_t i = 0; i < texts->n && !e; i++)
        e = mask_one(l, json_array_get(list, i), texts->items[i], names, names_n, &mask);
    if (!e)
        *ret = texts->n > 0 ? mask : fallback;
    return e;
}

/* An empty list could mean all or none: it is refused. So is the same text twice. */
static struct err *lists_check(const struct load *l, const json_t *node)
{
    const char *key;
    json_t *list;
    json_object_foreach((json_t *)node, key, list)
    {
        if (!json_is_array(list))
            continue;
        if (json_array_size(list) == 0)
            return conf_error(l->conf, list, "'%s' is an empty list; leave it out, or name something", key);
        for (size_t i = 1; i < json_array_size(list); i++) {
            for (size_t k = 0; k < i; k++) {
                if (json_equal(json_array_get(list, i), json_array_get(list, k)))
                    return conf_error(l->conf, json_array_get(list, i), "'%s' names this twice", key);
            }
        }
    }
    return NULL;
}

static struct err *fill(struct load *l, const char *group, const json_t *node)
{
    size_t n;
    struct err *e = NULL;
    const struct conf_row *rows = fields_rows(group, &n);
    TRY(conf_fill(l->conf, node, rows, n, l->arena, l->t));
    TRY(lists_check(l, node));
out:
    return e;
}

static struct err *fill_groups(struct load *l)
{
    struct err *e = NULL;
    for (enum group g = 0; g < GROUP__COUNT; g++) {
        const json_t *node = l->t->nodes[g];
        if (node && !json_is_object(node))
            return conf_error(l->conf, node, "'%s' must be a mapping of its fields", fields_group_key(g));
        TRY(fill(l, fields_group_key(g), load_node(l, g)));
    }
out:
    return e;
}

static bool word_ok(struct view word, bool mixed)
{
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        bool upper = mixed && ((c >= 'A' && c <= 'Z') || c == '_');
        if (!upper && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return word.n > 0;
}

/* "templates/server.yaml" -> "server". */
static struct err *name_of_file(const char *file, struct arena *arena, const char **ret)
{
    const char *last = strrchr(file, '/');
    struct view name = view_str(last ? last + 1 : file);
    name.n -= strlen(".yaml");
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return err_new(ERR_CONFIG, "%s: a template's name has 1 to %d characters", file, NAME_MAX_BYTES);
    if (!word_ok(name, false))
        return err_new(ERR_CONFIG, "%s: a template's name is made of a-z, 0-9 and '-'", file);
    *ret = arena_str(arena, name);
    return NULL;
}

/* One word as in a file's name, or three with slashes: aws/EndEntityCertificate/V1. */
static struct err *name_given(const struct load *l)
{
    struct view rest = view_str(l->t->head.given_name);
    size_t words = 0;
    bool ok = true, parted = view_find(rest, '/') < rest.n;
    for (bool more = true; ok && more; words++) {
        size_t slash = view_find(rest, '/');
        more = slash < rest.n;
        ok = word_ok(view_of(rest.p, slash), parted);
        rest = view_from(rest, slash + 1);
    }
    if (!ok || (words != 1 && words != 3))
        return load_error(l, GROUP__COUNT, "name",
                          "a name is one word of a-z, 0-9 and '-', or three with slashes between: "
                          "aws/EndEntityCertificate/V1");
    l->t->name = l->t->head.given_name;
    return NULL;
}

/* Takes conf. */
static struct err *load_one(struct arena *arena, struct conf *conf, struct template *t)
{
    struct err *e = NULL;
    json_t *none = json_object();
    struct load l = {conf, arena, t, none};
    t->constraints.path_len = -1;
    t->policy_constraints.require_explicit = t->policy_constraints.inhibit_mapping = -1;
    t->policy_constraints.inhibit_any = t->microsoft.major = t->microsoft.minor = -1;
    if (t->parent)
        TRY(extend_fill(&l, t->parent));
    TRY(fill(&l, "", conf_root(l.conf)));
    TRY(fill_groups(&l));
    if (t->head.given_name[0])
        TRY(name_given(&l));
    for (size_t i = 0; i < sizeof(group_loads) / sizeof(group_loads[0]); i++)
        TRY(group_loads[i](&l));
    if (t->parent)
        TRY(narrow_check(&l, t->parent));
    TRY(analyser_run(&l));
out:
    memset(t->nodes, 0, sizeof(t->nodes));
    t->subject.fixed_tree = t->subject.patterns_tree = t->subject.from_tree = t->custom.values_tree = NULL;
    t->head.overrides_tree = NULL;
    conf_free(l.conf);
    json_decref(none);
    return e;
}

static int by_name(const void *a, const void *b)
{
    const struct template *const *x = a, *const *y = b;
    return view_cmp(view_str((*x)->name), view_str((*y)->name));
}

/* Where it stands among these, which are in order; n where there is none. */
static size_t place_in(const struct template *const *all, size_t n, struct view name)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int cmp = view_cmp(view_str(all[mid]->name), name);
        if (cmp == 0)
            return mid;
        if (cmp < 0)
            low = mid + 1;
        if (cmp > 0)
            high = mid;
    }
    return n;
}

static const struct template *find_in(const struct template *const *all, size_t n, struct view name)
{
    size_t place = place_in(all, n, name);
    return place < n ? all[place] : NULL;
}

static struct err *check_file(const struct templates_file *file)
{
    if (file->bytes.n > TEMPLATES_FILE_BYTES)
        return err_new(ERR_CONFIG, "%s: %zu octets; a template has at most %d", file->name, file->bytes.n,
                       TEMPLATES_FILE_BYTES);
    if (!view_ends(view_str(file->name), view_str(".yaml")))
        return err_new(ERR_CONFIG, "%s: a template's file ends in .yaml", file->name);
    return NULL;
}

/* What it extends is looked for among the first `sorted` of the set. *ret stays NULL where it is not there
 * yet; last: then it never will be. */
static struct err *load_file(const struct templates *set, size_t sorted, bool last,
                             const struct templates_file *file, const struct template **ret)
{
    struct err *e = NULL;
    struct conf *conf = NULL;
    struct template *t = ARENA_NEW(set->arena, struct template);
    TRY(check_file(file));
    TRY(conf_parse(file->name, file->bytes, &conf));
    const char *parent = extend_name(conf);
    t->file = file;
    t->parent = parent ? find_in(set->all, sorted, view_str(parent)) : NULL;
    if (parent && !t->parent && last)
        TRY(conf_error(conf, json_object_get(conf_root(conf), "extends"),
                       "there is no template '%s' to extend, or it extends this one", parent));
    if (parent && !t->parent)
        goto out;
    struct conf *taken = conf;
    conf = NULL;
    TRY(load_one(set->arena, taken, t));
    if (!t->name)
        TRY(name_of_file(file->name, set->arena, &t->name));
    *ret = t;
out:
    conf_free(conf);
    return e;
}

/* Those that extend others wait until these are there: at most EXTEND_DEPTH_MAX rounds. */
static struct err *load_all(struct templates *set, const struct templates_file *files, size_t n)
{
    struct err *e = NULL;
    size_t sorted = 0, kept = n;
    const struct templates_file **waiting = arena_array(set->arena, n, sizeof(waiting[0]));
    for (size_t i = 0; i < n; i++)
        waiting[i] = &files[i];
    for (bool last = false; kept > 0;) {
        size_t was = kept;
        kept = 0;
        for (size_t i = 0; i < was; i++) {
            const struct template *t = NULL;
            TRY(load_file(set, sorted, last, waiting[i], &t));
            if (t)
                set->all[set->n++] = t;
            else
                waiting[kept++] = waiting[i];
        }
        last = kept == was;
        sorted = set->n;
        qsort(set->all, sorted, sizeof(set->all[0]), by_name);
    }
    for (size_t i = 0; i < n; i++)
        ((struct template *)set->all[i])->file = NULL;
out:
    return e;
}

/* A bound on what the set can need: texts, pointers and the parts of expressions come from the files' octets,
 * and from those of the files they extend. */
static size_t arena_bound(const struct templates_file *files, size_t n)
{
    size_t sum = 64 * 1024;
    for (size_t i = 0; i < n; i++) {
        struct view bytes = files[i].bytes;
        bool extends = bytes.n > 0 && memmem(bytes.p, bytes.n, "extends", 7);
        size_t counted = bytes.n < TEMPLATES_FILE_BYTES ? bytes.n : TEMPLATES_FILE_BYTES;
        sum += 16 * 1024 + 256 * (counted + (extends ? EXTEND_DEPTH_MAX * TEMPLATES_FILE_BYTES : 0));
    }
    return sum;
}

struct err *templates_load(const struct templates_file *files, size_t n, struct templates **ret_set)
{
    struct err *e = NULL;
    struct templates *set = NULL;
    if (n > TEMPLATES_MAX)
        return err_new(ERR_CONFIG, "%zu templates; at most %d", n, TEMPLATES_MAX);
    set = calloc(1, sizeof(*set));
    CHECK(set);
    set->arena = arena_new(arena_bound(files, n));
    set->all = arena_array(set->arena, n, sizeof(set->all[0]));
    TRY(load_all(set, files, n));
    for (size_t i = 1; i < n; i++) {
        if (by_name(&set->all[i - 1], &set->all[i]) == 0)
            TRY(err_new(ERR_CONFIG, "templates: two files are named %s.yaml", set->all[i]->name));
    }
    *ret_set = set;
    set = NULL;
out:
    templates_free(set);
    return e;
}

void templates_free(struct templates *set)
{
    if (!set)
        return;
    arena_free(set->arena);
    free(set);
}

const struct template *templates_find(const struct templates *set, struct view name)
{
    return find_in(set->all, set->n, name);
}

size_t templates_place(const struct templates *set, const struct template *t)
{
    size_t place = place_in(set->all, set->n, view_str(t->name));
    CHECK(place < set->n && set->all[place] == t);
    return place;
}

size_t templates_count(const struct templates *set)
{
    return set->n;
}

const struct template *templates_at(const struct templates *set, size_t i)
{
    return i < set->n ? set->all[i] : NULL;
}
