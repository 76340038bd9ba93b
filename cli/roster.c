/*
 * chancery roster show, sign, install: who may do what, and how that changes. A change is signed by
 * administrators of the present roster, each with their own key, wherever they are; install holds the
 * signatures to the present roster before it puts both files in place. The vault holds them to it again.
 */
#include <stdio.h>

#include "base/file.h"
#include "base/hex.h"
#include "key.h"

enum { ROSTER_FILE_MAX = 1 << 20, SIGS_MAX = 256 * 1024 };

static struct err *read_roster(struct cli *c, const char *path, struct view *ret_text,
                               struct hsm_roster **ret)
{
    struct err *e = NULL;
    TRY(file_read(path, ROSTER_FILE_MAX, c->arena, ret_text));
    TRY(hsm_roster_parse(path, *ret_text, ret));
out:
    return e;
}

/* What is configured now; where the daemon has taken it, what the vault has pinned. */
static struct err *read_present(struct cli *c, const char **ret_path, struct hsm_roster **ret)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct view text;
    TRY(cli_config(c, &config));
    *ret_path = arena_str(c->arena, view_str(config->roster));
    TRY(read_roster(c, *ret_path, &text, ret));
out:
    config_free(config);
    return e;
}

static const char *hash_text(struct cli *c, const struct hsm_roster *r)
{
    uint8_t hash[SHA256_BYTES];
    hsm_roster_hash(r, hash);
    return hex_of(c->arena, view_of(hash, sizeof hash));
}

/* --- show --- */

static json_t *texts_json(const struct hsm_roster_texts *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n; i++)
        json_array_append_new(list, json_string(t->items[i]));
    return list;
}

static json_t *entries_json(struct cli *c, const struct hsm_roster *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < hsm_roster_count(r); i++) {
        const struct hsm_roster_entry *one = hsm_roster_at(r, i);
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o, s:o, s:s}", "name", one->name, "role",
                                              hsm_roster_role_name(one->role), "revoked", one->revoked,
                                              "issuers", texts_json(&one->issuers), "templates",
                                              texts_json(&one->templates), "spki_sha256",
                                              hex_of(c->arena, view_of(one->spki_sha256, SHA256_BYTES))));
    }
    return list;
}

static json_t *needed_json(const struct hsm_roster *r)
{
    json_t *map = json_object();
    for (unsigned kind = 1; kind <= HSM_ACT_KIND_MAX; kind++)
        if (hsm_act_row(kind)->text)
            json_object_set_new(map, hsm_act_row(kind)->text, json_integer(hsm_roster_needed(r, kind)));
    return map;
}

struct err *roster_show(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {{"NAME", "name"},           {"ROLE", "role"},
                                                {"REVOKED", "revoked"},     {"ISSUERS", "issuers"},
                                                {"TEMPLATES", "templates"}, {"KEY", "spki_sha256"}};
    struct err *e = NULL;
    struct hsm_roster *r = NULL;
    const char *path = argc ? argv[0] : NULL;
    struct view text;
    json_t *tree = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 0, 1));
    if (path)
        TRY(read_roster(c, path, &text, &r));
    else
        TRY(read_present(c, &path, &r));
    tree = json_pack("{s:s, s:s, s:i, s:o, s:o}", "file", path, "sha256", hash_text(c, r), "quorum",
                     (int)hsm_roster_quorum(r), "approvals", needed_json(r), "roster", entries_json(c, r));
    cli_print_list(c, tree, "roster", columns, sizeof columns / sizeof *columns);
    if (!c->json)
        printf("quorum %u; sha256 %s\n", hsm_roster_quorum(r), hash_text(c, r));
out:
    json_decref(tree);
    hsm_roster_free(r);
    return e;
}

/* --- sign --- */

static const char *change_text(struct cli *c, const struct hsm_roster *old, const struct hsm_roster *new)
{
    uint8_t was[SHA256_BYTES], will[SHA256_BYTES];
    hsm_roster_hash(old, was);
    hsm_roster_hash(new, will);
    return hsm_roster_change_text(c->arena, was, will);
}

static struct err *append_line(struct cli *c, const char *path, const struct hsm_act_signature *s)
{
    struct err *e = NULL;
    struct view before = view_of("", 0);
    e = file_read(path, SIGS_MAX, c->arena, &before);
    if (e && err_code(e) != ERR_NOT_FOUND)
        return e;
    err_free(e);
    const char *text =
        arena_printf(c->arena, "%.*s%s %s %s\n", (int)before.n, (const char *)before.p, cert_alg_name(s->alg),
                     base64_of(c->arena, s->spki), base64_of(c->arena, s->signature));
    return file_write(path, view_str(text), 0644);
}

struct err *roster_sign(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct key_options key_options = {.key = NULL};
    const char *sigs = NULL, *old_path = NULL;
    const struct cli_option options[] = {
        {"--sigs", &sigs, NULL, NULL}, {"--old", &old_path, NULL, NULL}, KEY_OPTIONS(key_options)};
    struct hsm_roster *old = NULL, *new = NULL;
    struct hsm_act_signature signature;
    struct key *key = NULL;
    struct view text;
    TRY(cli_options(options, sizeof options / sizeof *options, &argc, argv, 1, 1));
    if (!sigs)
        TRY(cli_usage("--sigs names the file that gathers the signatures"));
    TRY(read_roster(c, argv[0], &text, &new));
    if (old_path)
        TRY(read_roster(c, old_path, &text, &old));
    else
        TRY(read_present(c, &old_path, &old));
    TRY(key_open(c, &key_options, &key));
    TRY(key_sign(c, key, view_str(change_text(c, old, new)), &signature));
    TRY(append_line(c, sigs, &signature));
    fprintf(stderr, "signed: roster %.16s... takes the place of %.16s...\n", hash_text(c, new),
            hash_text(c, old));
out:
    key_close(key);
    hsm_roster_free(old);
    hsm_roster_free(new);
    return e;
}

/* --- install --- */

struct err *roster_install(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *sigs_path = NULL, *path = NULL;
    const struct cli_option options[] = {{"--sigs", &sigs_path, NULL, NULL}};
    struct hsm_roster *old = NULL, *new = NULL;
    struct view text, sigs;
    TRY(cli_options(options, 1, &argc, argv, 1, 1));
    if (!sigs_path)
        TRY(cli_usage("--sigs names the file with the signatures"));
    TRY(read_roster(c, argv[0], &text, &new));
    TRY(read_present(c, &path, &old));
    TRY(file_read(sigs_path, SIGS_MAX, c->arena, &sigs));
    TRY(hsm_roster_approved(old, new, sigs));
    /* The signatures first: with the old roster they say nothing, and a reload in between changes nothing. */
    TRY(file_write(config_sigs_beside(c->arena, path), sigs, 0600));
    TRY(file_write(path, text, 0600));
    fprintf(stderr,
            "%s is in place, with its signatures; reload to take it: kill -HUP, or systemctl reload\n", path);
out:
    hsm_roster_free(old);
    hsm_roster_free(new);
    return e;
}
