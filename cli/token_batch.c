/*
 * chancery token create --csv: a token for each row of a table. The whole table is read before anything is
 * made; each piece is in the other file, and on the disk, before the next one is asked for. A token's text
 * stands in that file (0600) and nowhere else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "csv.h"
#include "token_batch.h"

enum { PIECE = 500, CSV_BYTES = 64 << 20, LIST_MAX = 64 };

struct run {
    struct cli *c;
    const struct token_batch *ask;
    struct csv csv;
    FILE *out;
    size_t rows, done;
};

/* "a; b" to a list, added to what is there. */
static void add_parts(json_t *list, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, ";");
        const char *from = text + strspn(text, " "), *end = text + n;
        while (end > from && end[-1] == ' ')
            end--;
        if (end > from)
            json_array_append_new(list, json_stringn(from, (size_t)(end - from)));
        text += n + (text[n] == ';');
    }
}

static const char *or_default(const struct csv *csv, const char *name, const char *fallback)
{
    const char *field = csv_field(csv, name);
    return field[0] ? field : fallback;
}

static struct err *at_line(const struct csv *csv, const char *what)
{
    return err_new(ERR_BAD_FIELD, "line %zu: %s", csv->line, what);
}

/* A body as for POST /v1/tokens. */
static struct err *body_of(const struct run *run, struct arena *arena, json_t **ret)
{
    const struct csv *csv = &run->csv;
    const char *serial = csv_field(csv, "serial_number");
    json_t *templates = cli_texts(run->ask->templates), *names = cli_texts(run->ask->names);
    char *end;
    const char *uses_text = or_default(csv, "uses", run->ask->uses);
    long long uses = strtoll(uses_text, &end, 10);
    struct err *e = NULL;

    add_parts(templates, csv_field(csv, "template"));
    add_parts(names, csv_field(csv, "name"));
    if (serial[0])
        json_array_append_new(names, json_string(arena_printf(arena, "serial_number:%s", serial)));
    if (*end || end == uses_text)
        TRY(at_line(csv, "uses is a number"));
    if (json_array_size(templates) == 0 || json_array_size(names) == 0)
        TRY(at_line(csv, "neither the row nor an option names a template and a name"));
    const char *key = csv_field(csv, "spki_sha256");
    *ret = json_pack("{s:O, s:O, s:I, s:s, s:s, s:s*}", "templates", templates, "names", names, "uses",
                     (json_int_t)uses, "ttl", or_default(csv, "ttl", run->ask->ttl), "label",
                     or_default(csv, "label", run->ask->label), "spki_sha256", key[0] ? key : NULL);
    if (!*ret)
        TRY(at_line(csv, "not UTF-8"));
out:
    json_decref(templates);
    json_decref(names);
    return e;
}

/* All rows once, for nothing but their faults. */
static struct err *look_over(struct run *run, struct view text)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(1u << 30);
    bool more;
    TRY(csv_open(text, arena, &run->csv));
    for (;;) {
        json_t *body = NULL;
        TRY(csv_next(&run->csv, arena, &more));
        if (!more)
            break;
        TRY(body_of(run, arena, &body));
        json_decref(body);
        run->rows++;
    }
    if (run->rows == 0)
        TRY(err_new(ERR_BAD_FIELD, "no row below the line with the columns"));
out:
    arena_free(arena);
    return e;
}

/* --- out --- */

static void put_fields(FILE *out, const char *const *fields, size_t n, struct arena *arena)
{
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s,", csv_quoted(fields[i], arena));
}

static struct err *flush(const struct run *run)
{
    if (fflush(run->out) == 0 && fsync(fileno(run->out)) == 0)
        return NULL;
    return err_sys(ERR_IO, errno, "%s", run->ask->out);
}

struct line {
    const char *fields[CSV_COLUMNS_MAX];
};

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

static void put_lines(const struct run *run, const json_t *answer, const struct line *lines, size_t n,
                      struct arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *made = json_array_get(json_object_get(answer, "tokens"), i);
        put_fields(run->out, lines[i].fields, run->csv.columns, arena);
        fprintf(run->out, "%s,%s,%s\n", text_of(made, "token"), text_of(made, "id"),
                text_of(made, "expires"));
    }
}

/* Up to PIECE rows; *ret_more false: those were the last. */
static struct err *make_piece(struct run *run, struct arena *arena, bool *ret_more)
{
    struct err *e = NULL;
    json_t *list = json_array(), *answer = NULL;
    struct line *lines = arena_array(arena, PIECE, sizeof *lines);
    size_t n = 0;
    while (n < PIECE) {
        json_t *body = NULL;
        TRY(csv_next(&run->csv, arena, ret_more));
        if (!*ret_more)
            break;
        TRY(body_of(run, arena, &body));
        json_array_append_new(list, body);
        memcpy(lines[n++].fields, run->csv.fields, sizeof run->csv.fields);
    }
    if (n == 0)
        goto out;
    TRY(cli_call(run->c, "POST", "/v1/tokens/batch", json_pack("{s:O}", "tokens", list), &answer));
    put_lines(run, answer, lines, n, arena);
    TRY(flush(run));
    run->done += n;
    fprintf(stderr, "%zu of %zu tokens\n", run->done, run->rows);
out:
    json_decref(list);
    json_decref(answer);
    return e;
}

static struct err *make_all(struct run *run, struct view text)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(256u << 20), *head = arena_new(1u << 20);
    bool more = true;
    TRY(csv_open(text, head, &run->csv));
    put_fields(run->out, run->csv.names, run->csv.columns, head);
    fprintf(run->out, "token,id,expires\n");
    while (more) {
        TRY(make_piece(run, arena, &more));
        arena_reset(arena);
    }
out:
    arena_free(arena);
    arena_free(head);
    return e;
}

struct err *token_batch_run(struct cli *c, const struct token_batch *ask)
{
    struct err *e = NULL;
    struct run run = {.c = c, .ask = ask};
    struct view text;
    if (!ask->out)
        return cli_usage("--csv needs --out FILE, for the tokens");
    TRY(file_read(ask->csv, CSV_BYTES, c->arena, &text));
    TRY(err_wrap(look_over(&run, text), "%s", ask->csv));
    mode_t mask = umask(0077);
    run.out = fopen(ask->out, "wx");
    umask(mask);
    if (!run.out)
        TRY(err_sys(ERR_IO, errno, "%s is not made anew", ask->out));
    e = make_all(&run, text);
    if (e)
        e = err_wrap(e, "%zu of %zu tokens are made and in %s; the rest is not", run.done, run.rows,
                     ask->out);
    else if (c->json)
        printf("{\"tokens\": %zu}\n", run.done);
out:
    if (run.out && fclose(run.out) != 0 && !e)
        e = err_sys(ERR_IO, errno, "%s", ask->out);
    return e;
}
