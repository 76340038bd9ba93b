/*
 * GET /v1/templates/{name}/versions: every version of a template that was ever in force, newest first; and
 * one of them with its effective values. Also of templates that are there no more: certificates name them.
 */
#include <stdlib.h>

#include "../house.h"
#include "base/hex.h"
#include "base/when.h"
#include "rest.h"

enum { PAGE = 100, PAGE_MAX = 1000 };

static const char *name_of(struct http_request *r)
{
    return arena_str(r->arena, http_segment(r, "name"));
}

static json_t *version_json(const struct ledger_entry *entry, struct arena *arena)
{
    const struct ledger_template *t = &entry->body.template;
    char time[WHEN_TEXT_MAX];
    when_put_ms(time, entry->time_ms);
    return json_pack("{s:I, s:s, s:I, s:I, s:s}", "version", (json_int_t)t->version, "time", time, "entry",
                     (json_int_t)entry->seq, "generation", (json_int_t)t->generation, "sha256",
                     hex_of(arena, t->sha256));
}

static struct err *number_of(const char *what, const char *text, uint64_t *ret)
{
    char *end;
    *ret = strtoull(text, &end, 10);
    if (!*end && text[0] >= '0' && text[0] <= '9')
        return NULL;
    return err_at(err_new(ERR_BAD_FIELD, "%s is a number, not '%.20s'", what, text), "/%s", what);
}

void versions_list(struct http_request *r)
{
    static const char *const known[] = {"limit", "cursor", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    const struct ledger_entry *all;
    const char *cursor;
    size_t n, limit;
    uint64_t from = 0;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(answer_limit(r, PAGE, PAGE_MAX, &limit));
    TRY(answer_query(r, "cursor", &cursor));
    if (cursor)
        TRY(number_of("cursor", cursor, &from));
    TRY(ledger_template_versions(en->setup.ledger, name_of(r), from, limit, r->arena, &all, &n));
    if (n == 0 || strcmp(all[0].body.template.name, name_of(r)) != 0)
        TRY(err_new(ERR_TEMPLATE_UNKNOWN, "no template '%.64s' was ever in force", name_of(r)));
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, version_json(&all[i], r->arena));
    json_t *next = all[n - 1].ref ? json_sprintf("%llu", (unsigned long long)all[n - 1].ref) : json_null();
    answer_json(r, 200, json_pack("{s:s, s:o, s:o}", "template", name_of(r), "versions", list, "next", next));
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* Versions are numbered without a gap, newest first: the one that is wanted lies so many back. */
static struct err *find(struct http_request *r, uint64_t version, const struct ledger_entry **ret)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    uint64_t from = 0;
    do {
        const struct ledger_entry *all;
        size_t n;
        TRY(ledger_template_versions(en->setup.ledger, name_of(r), from, PAGE, r->arena, &all, &n));
        for (size_t i = 0; i < n; i++) {
            if (all[i].body.template.version != version)
                continue;
            *ret = &all[i];
            return NULL;
        }
        from = n ? all[n - 1].ref : 0;
    } while (from);
    e = err_new(ERR_TEMPLATE_UNKNOWN, "template '%.64s' never had a version %llu", name_of(r),
                (unsigned long long)version);
out:
    return e;
}

void versions_show(struct http_request *r)
{
    static const char *const no_query[] = {NULL};
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    const struct ledger_entry *entry;
    uint64_t version;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, no_query));
    TRY(number_of("version", arena_str(r->arena, http_segment(r, "version")), &version));
    TRY(find(r, version, &entry));
    json_t *tree = version_json(entry, r->arena);
    struct view text = entry->body.template.text;
    json_object_set_new(tree, "values", json_loadb((const char *)text.p, text.n, 0, NULL));
    answer_json(r, 200, tree);
out:
    if (e)
        asker_refuse(r, asker, e);
}
