/*
 * doc/TEMPLATES.md is made of templates/TEMPLATES.in.md and the tables of this room, and is up to date.
 *
 * DOC_WRITE=1 writes it anew.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyser.h"
#include "expr.h"
#include "fields.h"
#include "judge.h"
#include "lint.h"

static const char *type_text(const struct conf_row *row, char *buf, size_t n)
{
    static const char *const names[] = {
        [CONF_TEXT] = "text",         [CONF_BOOL] = "true, false", [CONF_INT] = "number",
        [CONF_DURATION] = "duration", [CONF_SIZE] = "size",        [CONF_CHOICE] = "",
        [CONF_TEXTS] = "list",        [CONF_TREE] = "mapping"};
    if (row->type == CONF_INT) {
        snprintf(buf, n, "%lld to %lld", (long long)row->min, (long long)row->max);
        return buf;
    }
    if (row->type != CONF_CHOICE)
        return names[row->type];
    buf[0] = 0;
    for (size_t i = 0; row->choices[i]; i++)
        snprintf(buf + strlen(buf), n - strlen(buf), "%s%s", i ? ", " : "", row->choices[i]);
    return buf;
}

/* A bar ends a cell. */
static void put_cell(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', to);
        fputc(*text, to);
    }
}

static void put_row(FILE *to, const char *const *cells, size_t n)
{
    fputc('|', to);
    for (size_t i = 0; i < n; i++) {
        fputc(' ', to);
        put_cell(to, cells[i]);
        fputs(" |", to);
    }
    fputc('\n', to);
}

#define ROW(to, ...)                                                                                         \
    put_row((to), (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const char *judge_of(const char *group, const char *key)
{
    struct templates_field field;
    for (size_t i = 0; templates_fields(i, &field); i++) {
        if (strcmp(field.group, group) == 0 && strcmp(field.key, key) == 0)
            return field.judge;
    }
    return NULL;
}

static void put_group(FILE *to, const char *group, const char *title, const char *doc)
{
    size_t n;
    const struct conf_row *rows = fields_rows(group, &n);
    fprintf(to, "### %s: %s\n\n", title, doc);
    ROW(to, "field", "value", "default", "judged", "what it says");
    ROW(to, "---", "---", "---", "---", "---");
    for (size_t i = 0; i < n; i++) {
        char buf[128], name[64], fallback[64] = "";
        const char *judge = judge_of(group, rows[i].key);
        if (!judge)
            continue; /* a group */
        snprintf(name, sizeof(name), "`%s`", rows[i].key);
        if (rows[i].fallback && rows[i].fallback[0])
            snprintf(fallback, sizeof(fallback), "`%s`", rows[i].fallback);
        ROW(to, name, type_text(&rows[i], buf, sizeof(buf)), fallback, judge, rows[i].doc);
    }
    fputc('\n', to);
}

static const char *const group_docs[] = {
#define GROUP(id, key, doc) doc,
#define FIELD(...)
#include "fields.def"
#undef GROUP
#undef FIELD
};

static void put_fields(FILE *to)
{
    put_group(to, "", "At the top", "whom the template is for");
    for (enum group g = 0; g < GROUP__COUNT; g++) {
        char title[64];
        snprintf(title, sizeof(title), "`%s`", fields_group_key(g));
        put_group(to, fields_group_key(g), title, group_docs[g]);
    }
}

static void put_rules(FILE *to)
{
    ROW(to, "rule", "what it holds");
    ROW(to, "---", "---");
    for (size_t i = 0; i < judge_rows_count(); i++) {
        char name[96];
        snprintf(name, sizeof(name), "`%s`", judge_rows[i].name);
        ROW(to, name, judge_rows[i].doc);
    }
}

static void put_findings(FILE *to)
{
    ROW(to, "finding", "what is wrong", "an attacker ...");
    ROW(to, "---", "---", "---");
    for (size_t i = 0; i < analyser_rows_count(); i++) {
        char name[96];
        snprintf(name, sizeof(name), "`%s`", analyser_rows[i].name);
        ROW(to, name, analyser_rows[i].wrong, analyser_rows[i].attack);
    }
}

static void put_lint(FILE *to)
{
    ROW(to, "rule", "severity", "section", "what it holds");
    ROW(to, "---", "---", "---", "---");
    for (size_t i = 0; i < lint_rows_count(); i++) {
        char name[96];
        snprintf(name, sizeof(name), "`%s`", lint_rows[i].name);
        ROW(to, name, templates_severity_name(lint_rows[i].severity), lint_rows[i].section, lint_rows[i].doc);
    }
}

static const char *asker_text(const struct template *t)
{
    return templates_internal(t) ? "the house alone" : "requests";
}

static void put_builtin(FILE *to)
{
    struct fixture *f = fixture_new();
    ROW(to, "template", "what for", "made for");
    ROW(to, "---", "---", "---");
    for (size_t i = 0; i < templates_count(f->set); i++) {
        const struct template *t = templates_at(f->set, i);
        char name[96];
        snprintf(name, sizeof(name), "`%s`", templates_name(t));
        ROW(to, name, templates_description(t), asker_text(t));
    }
    fixture_free(f);
}

static void put_aws(FILE *to)
{
    struct templates_file files[64];
    struct templates *set = NULL;
    size_t n = 0;
    while (n < 64 && templates_aws(n, &files[n].name, &files[n].bytes))
        n++;
    fixture_ok(templates_load(files, n, &set));
    ROW(to, "template", "made for");
    ROW(to, "---", "---");
    for (size_t i = 0; i < n; i++) {
        char name[128];
        snprintf(name, sizeof(name), "`%s`", templates_name(templates_at(set, i)));
        ROW(to, name, asker_text(templates_at(set, i)));
    }
    templates_free(set);
}

static void put_vars(FILE *to)
{
    const char *name, *doc;
    enum expr_type type = EXPR_BOOL;
    ROW(to, "name", "type", "what it is");
    ROW(to, "---", "---", "---");
    for (size_t i = 0; expr_var_at(i, &name, &type, &doc); i++) {
        char cell[64];
        snprintf(cell, sizeof(cell), "`%s`", name);
        ROW(to, cell, expr_type_name(type), doc);
    }
}

static void put_fns(FILE *to)
{
    struct arena *arena = arena_new(1 << 20);
    const char *text, *doc;
    ROW(to, "function", "");
    ROW(to, "---", "---");
    for (size_t i = 0; expr_fn_at(i, arena, &text, &doc); i++)
        ROW(to, arena_printf(arena, "`%s`", text), doc);
    arena_free(arena);
}

static const struct {
    const char *line;
    void (*put)(FILE *to);
} tables[] = {
    {"@vars\n", put_vars},       {"@fns\n", put_fns},           {"@fields\n", put_fields},
    {"@rules\n", put_rules},     {"@findings\n", put_findings}, {"@lint\n", put_lint},
    {"@builtin\n", put_builtin}, {"@aws\n", put_aws},
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static void put_line(FILE *to, const char *line)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (strcmp(line, tables[i].line) == 0) {
            tables[i].put(to);
            return;
        }
    }
    fputs(line, to);
}

static char *made(void)
{
    char *text = NULL, line[1024];
    size_t n = 0;
    FILE *in = fopen(SOURCE_DIR "/templates/TEMPLATES.in.md", "r"), *to = open_memstream(&text, &n);
    assert_non_null(in);
    assert_non_null(to);
    while (fgets(line, sizeof(line), in))
        put_line(to, line);
    fclose(in);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void the_page_is_up_to_date(void **state)
{
    (void)state;
    enum { PAGE_BYTES = 256 * 1024 };
    const char *path = SOURCE_DIR "/doc/TEMPLATES.md";
    char *want = made(), *have = calloc(1, PAGE_BYTES);
    FILE *file = getenv("DOC_WRITE") ? fopen(path, "w") : NULL;
    if (file) {
        assert_true(fputs(want, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(have, 1, PAGE_BYTES - 1, file) > 0);
    fclose(file);
    if (strcmp(want, have) != 0)
        print_error("doc/TEMPLATES.md is old: run with DOC_WRITE=1\n");
    assert_true(strcmp(want, have) == 0);
    free(want);
    free(have);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
