/*
 * chancery template diff OLD NEW [--replay N]: two versions of a template held against each other, value by
 * value; and the last N certificates that were asked for by OLD's name, asked for again under NEW. All of it
 * is computed here, from what the daemon says and what stands in files; nothing is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/when.h"
#include "cert/chain.h"
#include "cert/pem.h"
#include "cli.h"
#include "templates_explain.h"

enum { REPLAY_MAX = 100000, PAGE = 1000, ISSUERS_MAX = 64, MADE_MAX = 32, ONE_BYTES = 8 << 20 };

struct side {
    const char *ref;
    struct templates *set;
    const struct template *t;
    json_t *values;
};

/* --- taking up a version --- */

static struct err *load_text(struct side *s, const char *file, struct view text)
{
    struct err *e = NULL;
    const struct templates_file one = {file, text};
    TRY(templates_load(&one, 1, &s->set));
    s->t = templates_at(s->set, 0);
    s->values = templates_to_json(s->t);
out:
    return e;
}

/* As the daemon has it: in force, or version N of it. Its values read as a template's file. */
static struct err *take_named(struct cli *c, struct side *s)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    const char *at = strrchr(s->ref, '@');
    const char *name = arena_str(c->arena, view_of(s->ref, at ? (size_t)(at - s->ref) : strlen(s->ref)));
    const char *path = arena_printf(c->arena, "/v1/templates/%s%s%s", cli_escape(c, name),
                                    at ? "/versions/" : "", at ? cli_escape(c, at + 1) : "");
    TRY(cli_call(c, "GET", path, NULL, &answer));
    json_t *values = at ? json_object_get(answer, "values") : answer;
    json_object_del(values, "extends"); /* all that it has from there stands here */
    char *text = json_dumps(values, JSON_COMPACT);
    e = load_text(s, "template.yaml", view_str(text));
    free(text);
out:
    json_decref(answer);
    return err_wrap(e, "%s", s->ref);
}

/* A file that extends others: loaded beside those in force, but the one that it is to replace. */
static struct err *take_beside(struct cli *c, struct side *s, struct view bytes, const char *replaced)
{
    struct err *e = NULL;
    json_t *answer = NULL, *one;
    size_t i, n = 1;
    TRY(cli_call(c, "GET", "/v1/templates", NULL, &answer));
    json_t *list = json_object_get(answer, "templates");
    struct templates_file *files = arena_array(c->arena, json_array_size(list) + 1, sizeof *files);
    files[0] = (struct templates_file){s->ref, bytes};
    json_array_foreach(list, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "name")), replaced) == 0)
            continue;
        json_object_del(one, "extends");
        char *text = json_dumps(one, JSON_COMPACT);
        files[n++] = (struct templates_file){arena_printf(c->arena, "in-force-%zu.yaml", i),
                                             view_str(arena_str(c->arena, view_str(text)))};
        free(text);
    }
    TRY(templates_load(files, n, &s->set));
    s->t = templates_find(s->set, view_str(replaced));
    if (!s->t)
        TRY(err_new(ERR_CONFIG,
                    "%s: a file that extends another is named as the template it is to replace: %s.yaml",
                    s->ref, replaced));
    s->values = templates_to_json(s->t);
out:
    json_decref(answer);
    return e;
}

static struct err *take(struct cli *c, struct side *s)
{
    struct err *e = NULL;
    struct view bytes;
    if (!view_ends(view_str(s->ref), view_str(".yaml")))
        return take_named(c, s);
    TRY(file_read(s->ref, TEMPLATES_FILE_BYTES, c->arena, &bytes));
    if (!memmem(bytes.p, bytes.n, "extends:", 8)) {
        e = load_text(s, s->ref, bytes);
        goto out;
    }
    const char *slash = strrchr(s->ref, '/'), *name = slash ? slash + 1 : s->ref;
    TRY(take_beside(c, s, bytes, arena_str(c->arena, view_of(name, strlen(name) - strlen(".yaml")))));
out:
    return e;
}

static void side_free(struct side *s)
{
    templates_free(s->set);
    json_decref(s->values);
}

/* --- value by value --- */

static const char *value_text(struct cli *c, const json_t *v)
{
    char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    const char *ret = json_is_string(v) ? json_string_value(v) : text ? text : "";
    ret = arena_str(c->arena, view_str(ret));
    free(text);
    return ret;
}

static void add_change(struct cli *c, json_t *list, const char *field, const json_t *was, const json_t *is)
{
    if (json_equal(was, is) || (!was && !is))
        return;
    json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "field", field, "before", value_text(c, was),
                                          "after", value_text(c, is)));
}

/* One level of groups, in the order of the field table. */
static json_t *changes_of(struct cli *c, const json_t *before, const json_t *after)
{
    json_t *list = json_array();
    struct templates_field f;
    for (size_t i = 0; templates_fields(i, &f); i++) {
        const json_t *was = f.group[0] ? json_object_get(before, f.group) : before;
        const json_t *is = f.group[0] ? json_object_get(after, f.group) : after;
        if (strcmp(f.key, "name") == 0) /* a file may be named otherwise */
            continue;
        const char *field = f.group[0] ? arena_printf(c->arena, "%s.%s", f.group, f.key) : f.key;
        add_change(c, list, field, json_object_get(was, f.key), json_object_get(is, f.key));
    }
    return list;
}

/* --- replay --- */

struct replay {
    struct cli *c;
    const struct side *before, *after;
    struct side made[MADE_MAX]; /* versions that made certificates, as they were needed */
    size_t made_n;
    struct templates_issuer issuers[ISSUERS_MAX];
    size_t issuers_n;
    size_t left;
    long long count[TEMPLATES_NEITHER + 1];
    json_t *requests; /* those that do not come out the same */
};

static struct err *take_issuer(struct cli *c, const json_t *row, struct templates_issuer *ret)
{
    struct err *e = NULL;
    struct view der;
    struct cert_chain_cert *cert = ARENA_NEW(c->arena, struct cert_chain_cert);
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *ca = json_string_value(json_object_get(row, "ca"));
    const char *end = ca ? strstr(ca, "/ca/") : NULL;
    struct view pem = view_str(json_string_value(json_object_get(row, "certificate")));
    if (!end)
        return err_new(ERR_IO, "the daemon names issuer '%s' without an address", name);
    TRY(cert_pem_read(pem, "CERTIFICATE", c->arena, &der));
    TRY(cert_chain_read(der, c->arena, cert));
    const struct cert_ext *ski = cert_tbs_ext(&cert->tbs, CERT_EXT_SKI);
    *ret = (struct templates_issuer){.name = arena_str(c->arena, view_str(name)),
                                     .subject = cert->tbs.subject,
                                     .not_before = cert->tbs.not_before,
                                     .not_after = cert->tbs.not_after,
                                     .base_url = arena_str(c->arena, view_of(ca, (size_t)(end - ca)))};
    if (ski)
        TRY(cert_ext_read_ski(ski->value, &ret->key_id));
    TRY(cert_alg_parse(view_str(json_string_value(json_object_get(row, "algorithm"))), &ret->alg));
out:
    return e;
}

static struct err *take_issuers(struct replay *r)
{
    struct err *e = NULL;
    json_t *answer = NULL, *row;
    size_t i;
    TRY(cli_call(r->c, "GET", "/v1/issuers", NULL, &answer));
    json_array_foreach(json_object_get(answer, "issuers"), i, row)
    {
        if (i < ISSUERS_MAX)
            TRY(take_issuer(r->c, row, &r->issuers[r->issuers_n++]));
    }
out:
    json_decref(answer);
    return e;
}

static const struct templates_issuer *issuer_of(const struct replay *r, const char *name)
{
    for (size_t i = 0; i < r->issuers_n; i++) {
        if (strcmp(r->issuers[i].name, name) == 0)
            return &r->issuers[i];
    }
    return NULL;
}

/* The version that the record names; OLD where it names none, or there are very many. */
static struct err *made_by(struct replay *r, const json_t *row, const struct template **ret)
{
    struct err *e = NULL;
    long long version = json_integer_value(json_object_get(row, "template_version"));
    const char *ref = arena_printf(r->c->arena, "%s@%lld", templates_name(r->before->t), version);
    *ret = r->before->t;
    for (size_t i = 0; i < r->made_n; i++) {
        if (strcmp(r->made[i].ref, ref) == 0)
            *ret = r->made[i].t;
    }
    if (version == 0 || *ret != r->before->t || r->made_n == MADE_MAX)
        return NULL;
    struct side *made = &r->made[r->made_n++];
    *made = (struct side){.ref = ref};
    TRY(take_named(r->c, made));
    *ret = made->t;
out:
    return e;
}

static void note(struct replay *r, const json_t *row, const struct templates_replay *x)
{
    r->count[x->outcome]++;
    if (x->outcome == TEMPLATES_SAME)
        return;
    json_t *changes = json_array(),
           *copy = json_pack("{s:O, s:O, s:O, s:s}", "serial", json_object_get(row, "serial"), "owner",
                             json_object_get(row, "owner"), "names", json_object_get(row, "names"), "outcome",
                             templates_outcome_name(x->outcome));
    for (size_t i = 0; i < x->changes_n; i++)
        json_array_append_new(changes, json_pack("{s:s, s:s, s:s}", "field", x->changes[i].field, "before",
                                                 x->changes[i].before, "after", x->changes[i].after));
    json_object_set_new(copy, "why", json_string(x->why));
    json_object_set_new(copy, "changes", changes);
    json_array_append_new(r->requests, copy);
}

static struct err *replay_one(struct replay *r, const json_t *row)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    struct arena *arena = arena_new(ONE_BYTES);
    struct view der;
    struct cert_tbs tbs;
    struct templates_replay x;
    int64_t asked_at = 0;
    const struct template *maker;
    const char *issuer_name = json_string_value(json_object_get(row, "issuer"));
    const struct templates_issuer *issuer = issuer_of(r, issuer_name);
    const char *path =
        arena_printf(r->c->arena, "/v1/certificates/%s?issuer=%s",
                     json_string_value(json_object_get(row, "serial")), cli_escape(r->c, issuer_name));
    if (!issuer)
        TRY(err_new(ERR_ISSUER_UNKNOWN, "issuer '%s' is there no more", issuer_name));
    TRY(cli_call(r->c, "GET", path, NULL, &answer));
    TRY(cert_pem_read(view_str(json_string_value(json_object_get(answer, "certificate"))), "CERTIFICATE",
                      arena, &der));
    TRY(cert_tbs_open(der, arena, NULL, &tbs));
    TRY(when_parse(view_str(json_string_value(json_object_get(row, "requested_at"))), &asked_at));
    TRY(made_by(r, row, &maker));
    TRY(templates_replay(maker, r->before->t, r->after->t, issuer, &tbs, asked_at, arena, &x));
    note(r, row, &x);
out:
    json_decref(answer);
    arena_free(arena);
    return e;
}

static struct err *replay_page(struct replay *r, const char **cursor)
{
    struct err *e = NULL;
    json_t *answer = NULL, *row;
    size_t i;
    const char *path =
        arena_printf(r->c->arena, "/v1/certificates?status=any&template=%s&limit=%zu%s%s",
                     cli_escape(r->c, templates_name(r->before->t)), r->left < PAGE ? r->left : PAGE,
                     *cursor ? "&cursor=" : "", *cursor ? cli_escape(r->c, *cursor) : "");
    TRY(cli_call(r->c, "GET", path, NULL, &answer));
    json_array_foreach(json_object_get(answer, "certificates"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "status")), "lost") == 0)
            continue;
        TRY(replay_one(r, row));
        r->left--;
    }
    const char *next = json_string_value(json_object_get(answer, "next"));
    *cursor = next ? arena_str(r->c->arena, view_str(next)) : NULL;
out:
    json_decref(answer);
    return e;
}

static struct err *replay_all(struct replay *r, json_t *result)
{
    struct err *e = NULL;
    const char *cursor = NULL;
    TRY(take_issuers(r));
    do {
        TRY(replay_page(r, &cursor));
    } while (cursor && r->left > 0);
    json_object_set_new(result, "replay",
                        json_pack("{s:I, s:I, s:I, s:I, s:O}", "same", (json_int_t)r->count[TEMPLATES_SAME],
                                  "different", (json_int_t)r->count[TEMPLATES_DIFFERENT], "refused",
                                  (json_int_t)r->count[TEMPLATES_REFUSED], "neither",
                                  (json_int_t)r->count[TEMPLATES_NEITHER], "requests", r->requests));
out:
    return e;
}

/* --- printing --- */

static const struct cli_column change_columns[] = {{"FIELD", "field"}, {"OLD", "before"}, {"NEW", "after"}};
static const struct cli_column request_columns[] = {
    {"SERIAL", "serial"}, {"OWNER", "owner"}, {"NAMES", "names"}, {"OUTCOME", "outcome"}, {"WHY", "why"}};

/* For eyes, what is different stands where a refusal has its reason. */
static void say_changes(struct cli *c, json_t *requests)
{
    size_t i, k;
    json_t *row, *change;
    json_array_foreach(requests, i, row)
    {
        const char *text = json_string_value(json_object_get(row, "why"));
        json_array_foreach(json_object_get(row, "changes"), k, change) text =
            arena_printf(c->arena, "%s%s%s: '%s' -> '%s'", text, k ? "; " : "",
                         json_string_value(json_object_get(change, "field")),
                         json_string_value(json_object_get(change, "before")),
                         json_string_value(json_object_get(change, "after")));
        json_object_set_new(row, "why", json_string(text));
    }
}

static void print_diff(struct cli *c, json_t *result)
{
    json_t *replay = json_object_get(result, "replay");
    if (c->json) {
        cli_print_json(result);
        return;
    }
    if (json_array_size(json_object_get(result, "changes")) == 0)
        printf("the two say the same\n");
    else
        cli_print_list(c, result, "changes", change_columns, 3);
    if (!replay)
        return;
    say_changes(c, json_object_get(replay, "requests"));
    printf("\nasked for again: %lld the same, %lld different, %lld refused, %lld that neither gives\n",
           (long long)json_integer_value(json_object_get(replay, "same")),
           (long long)json_integer_value(json_object_get(replay, "different")),
           (long long)json_integer_value(json_object_get(replay, "refused")),
           (long long)json_integer_value(json_object_get(replay, "neither")));
    if (json_array_size(json_object_get(replay, "requests")) > 0)
        cli_print_list(c, replay, "requests", request_columns, 5);
}

static struct err *replay_number(const char *text, size_t *ret)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || text[0] < '0' || text[0] > '9' || n < 1 || n > REPLAY_MAX)
        return cli_usage("--replay takes a number from 1 to %d, not '%s'", REPLAY_MAX, text);
    *ret = n;
    return NULL;
}

struct err *template_diff(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *replay = NULL;
    const struct cli_option options[] = {{"--replay", &replay, NULL, NULL}};
    struct side before = {.set = NULL}, after = {.set = NULL};
    struct replay r = {.c = c, .before = &before, .after = &after, .requests = json_array()};
    json_t *result = NULL;

    TRY(cli_options(options, 1, &argc, argv, 2, 2));
    if (replay)
        TRY(replay_number(replay, &r.left));
    before.ref = argv[0];
    after.ref = argv[1];
    TRY(take(c, &before));
    TRY(take(c, &after));
    result = json_pack("{s:s, s:s, s:o}", "old", before.ref, "new", after.ref, "changes",
                       changes_of(c, before.values, after.values));
    if (replay)
        TRY(replay_all(&r, result));
    print_diff(c, result);
out:
    for (size_t i = 0; i < r.made_n; i++)
        side_free(&r.made[i]);
    json_decref(r.requests);
    json_decref(result);
    side_free(&before);
    side_free(&after);
    return e;
}
