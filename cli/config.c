/* chancery config check: everything that can be found wrong without a token and without a daemon. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "hsm.h"
#include "templates.h"

static struct err *check_templates(const struct generation *g, struct arena *arena, size_t *ret_n)
{
    struct err *e = NULL;
    struct templates *set = NULL;
    struct templates_file *files = arena_array(arena, g->n, sizeof *files);
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (strncmp(g->files[i].name, "templates/", 10) == 0)
            files[n++] = (struct templates_file){.name = g->files[i].name, .bytes = g->files[i].bytes};
    TRY(templates_load(files, n, &set));
    *ret_n = templates_count(set);
out:
    templates_free(set);
    return e;
}

static struct err *check_roster(const struct generation *g, size_t *ret_n)
{
    struct err *e = NULL;
    struct hsm_roster *roster = NULL;
    const struct generation_file *file = generation_find(g, "roster.yaml");
    TRY(hsm_roster_parse("roster.yaml", file ? file->bytes : view_of(NULL, 0), &roster));
    *ret_n = hsm_roster_count(roster);
out:
    hsm_roster_free(roster);
    return e;
}

struct err *config_check(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct generation g;
    struct view bytes;
    size_t templates, roster;

    TRY(cli_options(NULL, 0, &argc, argv, 0, 1));
    TRY(config_load(argc ? argv[0] : c->config_path, c->arena, &bytes, &config));
    TRY(config_gather(config, bytes, 1, c->arena, &g));
    TRY(check_templates(&g, c->arena, &templates));
    TRY(check_roster(&g, &roster));
    if (c->json) {
        json_t *tree = json_pack("{s:b, s:I, s:I, s:I}", "ok", 1, "issuers", (json_int_t)config->issuers_n,
                                 "templates", (json_int_t)templates, "roster", (json_int_t)roster);
        cli_print_json(tree);
        json_decref(tree);
    } else {
        printf("%s: %zu issuers, %zu templates, %zu on the roster: all well formed\n", config->file,
               config->issuers_n, templates, roster);
        printf("(keys and PIN are tried by `chanceryd -c %s --check`)\n", config->file);
    }
out:
    config_free(config);
    return e;
}
