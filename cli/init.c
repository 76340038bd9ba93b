/*
 * chancery init: the keys of a root and an issuing CA in the token, their certificates, the first
 * administrator, the roster. With --demo a whole installation around it. Makes nothing twice: what is there
 * already is refused by name.
 */
#include "init.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "cert/key.h"

enum { TEMPLATE_FILES_MAX = 1000 };

/* The hierarchy init makes: one root that does not issue to askers, one issuing CA below it. */
static struct err *pick(const struct config *c, const struct config_issuer **root,
                        const struct config_issuer **issuing)
{
    *root = *issuing = NULL;
    for (size_t i = 0; i < c->issuers_n; i++) {
        const struct config_issuer **to = c->issuers[i].issue ? issuing : root;
        if (*to)
            return err_new(ERR_CONFIG,
                           "init makes one root (issue: false) and one issuing CA (issue: true), not more");
        *to = &c->issuers[i];
    }
    return *root && *issuing
               ? NULL
               : err_new(ERR_CONFIG, "init needs an issuer with issue: false and one that issues");
}

/* The roll and the ledger know a key by one name. */
static struct err *check_label(const struct config_issuer *i)
{
    if (i->vault != 0)
        return err_new(
            ERR_CONFIG,
            "init makes keys in the first token; the key of '%s' is made later, by `chancery ca csr %s "
            "--vault %s`: take it out of `issuers` until then",
            i->name, i->name, i->token);
    const char *object = strstr(i->key, "object=");
    if (object && strcmp(object + strlen("object="), i->name) == 0)
        return NULL;
    return err_new(ERR_CONFIG, "init makes the key of '%s' under its own name: key: pkcs11:object=%s",
                   i->name, i->name);
}

/* Kind of key and algorithm, before anything is made. */
static struct err *check_key(const struct config_issuer *i)
{
    struct err *e = NULL;
    enum cert_key_kind kind;
    enum cert_alg alg;
    unsigned bits;

    if (i->key_type)
        TRY(cert_key_wish_parse(view_str(i->key_type), &kind, &bits));
    if (i->alg)
        TRY(cert_alg_parse(view_str(i->alg), &alg));
    if (i->key_type && i->alg && !cert_alg_fits(alg, kind))
        return err_new(ERR_CONFIG, "issuer %s: alg %s does not fit key_type %s", i->name, i->alg,
                       i->key_type);
out:
    return err_wrap(e, "issuer %s", i->name);
}

static struct err *refuse_second(const struct config_issuer *i)
{
    if (access(i->certificate, F_OK) != 0)
        return NULL;
    return err_new(ERR_WRONG_STATE, "'%s' has a certificate already: %s", i->name, i->certificate);
}

static struct err *load_templates(struct init *in)
{
    struct err *e = NULL;
    struct generation g;
    size_t n = 0;
    struct templates_file *files = arena_array(in->cli->arena, TEMPLATE_FILES_MAX, sizeof *files);

    TRY(config_gather_templates(in->config, in->cli->arena, &g));
    for (size_t i = 0; i < g.n && n < TEMPLATE_FILES_MAX; i++)
        files[n++] = (struct templates_file){.name = g.files[i].name, .bytes = g.files[i].bytes};
    TRY(templates_load(files, n, &in->templates));
out:
    return e;
}

static struct err *make_all(struct init *in)
{
    struct err *e = NULL;
    const struct config_issuer *root, *issuing;
    struct templates_issuer facts;

    TRY(pick(in->config, &root, &issuing));
    TRY(check_label(root));
    TRY(check_label(issuing));
    TRY(check_key(root));
    TRY(check_key(issuing));
    TRY(refuse_second(root));
    TRY(refuse_second(issuing));
    TRY(load_templates(in));
    TRY(init_vault_start(in)); /* forks: before the ledger is open */
    TRY(ledger_open(in->config->paths.ledger, NULL, NULL, &in->ledger));
    TRY(init_hierarchy(in, root, issuing, &facts));
    TRY(init_admin(in, &facts));
    init_vault_end(in);
    if (in->demo)
        TRY(init_demo_finish(in, root, issuing));
    ledger_close(in->ledger);
    in->ledger = NULL;
    TRY(init_owners(in));
out:
    init_vault_end(in);
    ledger_close(in->ledger);
    in->ledger = NULL;
    templates_free(in->templates);
    return e;
}

/* What a configuration names and nobody has made yet. Templates that are there are left as they are. */
static struct err *make_missing(struct init *in, const struct config *c)
{
    struct err *e = NULL;
    char folder[4096];

    TRY(file_mkdir(c->paths.roll, 0700));
    TRY(file_mkdir(c->paths.lock, 0700));
    TRY(file_mkdir(c->paths.front, 0700));
    TRY(file_mkdir(c->paths.shelf, 02770));
    for (size_t i = 0; i < c->issuers_n; i++) {
        snprintf(folder, sizeof folder, "%s", c->issuers[i].certificate);
        TRY(file_mkdir(dirname(folder), 0755));
    }
    if (access(c->templates, F_OK) != 0)
        TRY(init_templates(in, c->templates));
    for (size_t i = 0; c->users.vault && geteuid() == 0 && i < 2; i++)
        TRY(init_owner_set(i ? c->paths.lock : c->paths.roll, c->users.vault, c->users.vault, 0700));
out:
    return e;
}

static struct err *prepare(struct init *in)
{
    struct err *e = NULL;
    struct view bytes;
    const char *path = in->cli->config_path;

    if (in->demo) {
        TRY(init_demo_files(in));
        path = arena_printf(in->cli->arena, "%s/chancery.yaml.making", in->dir);
    }
    TRY(config_load(path, in->cli->arena, &bytes, &in->config));
    in->dir = in->config->dir;
    if (!in->demo)
        TRY(make_missing(in, in->config));
out:
    return e;
}

struct err *init_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct init in = {.cli = c,
                      .door = "init",
                      .port = "8443",
                      .http_port = "8080",
                      .admin_name = "admin",
                      .organization = "Chancery",
                      .pin_fd = -1,
                      .so_pin_fd = -1};
    const struct cli_option options[] = {
        {"--demo", &in.demo, NULL, NULL},
        {"--port", &in.port, NULL, NULL},
        {"--http-port", &in.http_port, NULL, NULL},
        {"--separate-users", NULL, &in.separate_users, NULL},
        {"--root-key", &in.root_key, NULL, NULL},
        {"--issuing-key", &in.issuing_key, NULL, NULL},
        {"--admin-csr", &in.admin_csr, NULL, NULL},
        {"--admin-name", &in.admin_name, NULL, NULL},
        {"--organization", &in.organization, NULL, NULL},
    };

    TRY(cli_options(options, sizeof options / sizeof options[0], &argc, argv, 0, 0));
    if ((in.root_key || in.issuing_key) && !in.demo)
        TRY(cli_usage("--root-key and --issuing-key go with --demo; else key_type and alg of the issuers in "
                      "chancery.yaml"));
    if (!in.demo && !in.admin_csr)
        TRY(cli_usage("name --demo DIR, or --admin-csr FILE with the first administrator's request"));
    in.make_label = in.demo ? "chancery" : NULL;
    TRY(prepare(&in));
    TRY(make_all(&in));
out:
    if (e && in.demo && in.dir)
        init_demo_undo(&in);
    config_free(in.config);
    if (in.pin_fd >= 0)
        close(in.pin_fd);
    if (in.so_pin_fd >= 0)
        close(in.so_pin_fd);
    return e;
}
