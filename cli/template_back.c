/*
 * chancery template rollback: the templates of an earlier generation, out of those that the warden has kept,
 * put back into their folder, and taken by a reload: whole, or not at all. Where the daemon refuses them the
 * folder is as it was. Runs on the daemon's machine, as a user who may write there.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/when.h"
#include "cli.h"
#include "config_kept.h"

enum { WAIT_S = 30, LOOK_MS = 100 };

struct back {
    struct cli *c;
    struct config *config;
    const struct config_kept *kept;
    size_t n;
    struct generation disk, target; /* templates of the folder; the whole that is to come back */
    long long running;              /* number of the generation in force */
    json_t *changes;
};

static const char *template_name(const struct generation_file *f)
{
    return strncmp(f->name, "templates/", 10) == 0 ? f->name + 10 : NULL;
}

/* --- which one --- */

static struct err *list(const struct back *b)
{
    static const struct cli_column columns[] = {
        {"ID", "id"}, {"SINCE", "since"}, {"TEMPLATES", "templates"}, {"IN FORCE", "in_force"}};
    struct err *e = NULL;
    json_t *rows = json_array(), *answer = json_pack("{s:o}", "generations", rows);
    for (size_t i = 0; i < b->n; i++) {
        struct generation g;
        json_int_t templates = 0;
        TRY(config_kept_read(&b->kept[i], b->c->arena, &g));
        for (size_t k = 0; k < g.n; k++)
            templates += template_name(&g.files[k]) != NULL;
        json_array_append_new(rows, json_pack("{s:s, s:s, s:I, s:b}", "id", b->kept[i].id, "since",
                                              when_text(b->c->arena, b->kept[i].at), "templates", templates,
                                              "in_force", i == 0));
    }
    cli_print_list(b->c, answer, "generations", columns, 4);
out:
    json_decref(answer);
    return e;
}

static struct err *choose(struct back *b, const char *to)
{
    if (!to && b->n > 1)
        return config_kept_read(&b->kept[1], b->c->arena, &b->target);
    for (size_t i = 0; to && i < b->n; i++)
        if (strlen(to) >= 4 && strncmp(b->kept[i].id, to, strlen(to)) == 0)
            return config_kept_read(&b->kept[i], b->c->arena, &b->target);
    return to ? err_new(ERR_NOT_FOUND, "no generation '%.40s' is kept; see --list", to)
              : err_new(ERR_NOT_FOUND, "no earlier generation is kept");
}

/* --- what is there now --- */

/* Changes that no reload has taken would be lost without a word. */
static struct err *check_disk(const struct back *b)
{
    struct err *e = NULL;
    struct generation in_force;
    TRY(config_kept_read(&b->kept[0], b->c->arena, &in_force));
    for (size_t i = 0; i < b->disk.n; i++) {
        const struct generation_file *f = &b->disk.files[i], *was = generation_find(&in_force, f->name);
        if (!was || !view_eq(was->bytes, f->bytes))
            return err_new(ERR_WRONG_STATE,
                           "%s has changes that are not in force; reload them, or give --discard", f->name);
    }
out:
    return e;
}

/* --- putting it back --- */

static struct err *put(struct back *b, const struct generation *from, const struct generation *over,
                       bool tell)
{
    struct err *e = NULL;
    for (size_t i = 0; i < from->n; i++) {
        const struct generation_file *f = &from->files[i], *now = generation_find(over, f->name);
        const char *name = template_name(f);
        if (!name || (now && view_eq(now->bytes, f->bytes)))
            continue;
        TRY(file_write(arena_printf(b->c->arena, "%s/%s", b->config->templates, name), f->bytes, 0644));
        if (tell)
            json_array_append_new(b->changes, json_pack("{s:s, s:s}", "file", f->name, "change",
                                                        now ? "put back" : "there again"));
    }
    for (size_t i = 0; i < over->n; i++) {
        const char *name = template_name(&over->files[i]);
        if (!name || generation_find(from, over->files[i].name))
            continue;
        const char *path = arena_printf(b->c->arena, "%s/%s", b->config->templates, name);
        if (unlink(path) != 0)
            return err_sys(ERR_IO, errno, "%s", path);
        if (tell)
            json_array_append_new(
                b->changes, json_pack("{s:s, s:s}", "file", over->files[i].name, "change", "taken away"));
    }
out:
    return e;
}

static struct err *running(struct back *b, long long *ret)
{
    json_t *answer = NULL;
    struct err *e = cli_call(b->c, "GET", "/readyz", NULL, &answer);
    if (!e)
        *ret = json_integer_value(json_object_get(answer, "generation"));
    json_decref(answer);
    return e;
}

static struct err *hang_up(const struct back *b)
{
    struct err *e = NULL;
    struct view text;
    TRY(file_read(arena_printf(b->c->arena, "%s/pid", b->config->paths.run), 32, b->c->arena, &text));
    long pid = strtol(arena_str(b->c->arena, text), NULL, 10);
    if (pid <= 1)
        return err_new(ERR_STARTING, "no daemon runs here");
    if (kill((pid_t)pid, SIGHUP) != 0)
        e = err_sys(ERR_FORBIDDEN, errno, "telling the daemon (pid %ld) to reload", pid);
out:
    return e;
}

/* Until another generation is in force; the daemon's log says why where none comes. */
static struct err *reloaded(struct back *b, long long *ret_now)
{
    struct err *e = NULL;
    const struct timespec pause = {0, LOOK_MS * 1000000L};
    TRY(hang_up(b));
    for (int i = 0; i < WAIT_S * 1000 / LOOK_MS; i++) {
        nanosleep(&pause, NULL);
        TRY(running(b, ret_now));
        if (*ret_now != b->running)
            return NULL;
    }
    e = err_new(ERR_WRONG_STATE, "the daemon has not taken them; its log says why. All is as it was");
out:
    return e;
}

static void print_back(struct back *b, long long now)
{
    static const struct cli_column columns[] = {{"FILE", "file"}, {"CHANGE", "change"}};
    json_t *answer = json_pack("{s:O, s:I}", "changes", b->changes, "generation", (json_int_t)now);
    if (json_array_size(b->changes) > 0 || b->c->json)
        cli_print_list(b->c, answer, "changes", columns, 2);
    if (!b->c->json)
        printf("%sgeneration %lld is in force\n",
               json_array_size(b->changes) > 0 ? "" : "the templates are the same already; ", now);
    json_decref(answer);
}

static struct err *go_back(struct back *b)
{
    struct err *e = NULL, *undo;
    long long now = b->running;
    TRY(put(b, &b->target, &b->disk, true));
    if (json_array_size(b->changes) > 0)
        e = reloaded(b, &now);
    if (e) {
        undo = put(b, &b->disk, &b->target, false);
        if (undo)
            fprintf(stderr, "chancery: %s\n", err_detail(undo));
        err_free(undo);
        return e;
    }
    print_back(b, now);
out:
    return e;
}

struct err *template_rollback(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *to = NULL;
    bool only_list = false, discard = false;
    const struct cli_option options[] = {
        {"--to", &to, NULL, NULL}, {"--list", NULL, &only_list, NULL}, {"--discard", NULL, &discard, NULL}};
    struct back b = {.c = c, .changes = json_array()};

    TRY(cli_options(options, sizeof options / sizeof options[0], &argc, argv, 0, 0));
    TRY(cli_config(c, &b.config));
    TRY(config_kept_list(b.config->paths.run, c->arena, &b.kept, &b.n));
    if (only_list) {
        e = list(&b);
        goto out;
    }
    TRY(choose(&b, to));
    TRY(config_gather_templates(b.config, c->arena, &b.disk));
    if (!discard)
        TRY(check_disk(&b));
    TRY(running(&b, &b.running));
    TRY(go_back(&b));
out:
    json_decref(b.changes);
    config_free(b.config);
    return e;
}
