/*
 * A whole installation in a new folder: configuration, templates, a SoftHSM token of its own with a random
 * PIN, and at the end a bearer token and `env`. chancery.yaml gets its name last, so a folder that has one is
 * complete.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/world.h"
#include "enroll.h"
#include "init.h"

enum { DEMO_TOKEN_DAYS = 30 };

static const char *in_dir(struct init *in, const char *name)
{
    return arena_printf(in->cli->arena, "%s/%s", in->dir, name);
}

static struct err *refuse_full(struct init *in, const char *path)
{
    struct err *e = NULL;
    const struct dirent *d;
    DIR *dir = opendir(path);
    if (access(arena_printf(in->cli->arena, "%s/chancery.yaml", path), F_OK) == 0)
        e = err_new(ERR_WRONG_STATE,
                    "%s holds an installation already; start it: chanceryd -c %s/chancery.yaml", in->demo,
                    path);
    while (!e && dir && (d = readdir(dir)))
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            e = err_new(ERR_WRONG_STATE,
                        "%s is not empty (%s): name a new folder, or remove what is left of an "
                        "init that was cut off",
                        in->demo, d->d_name);
    if (dir)
        closedir(dir);
    return e;
}

/* The path stands unquoted in chancery.yaml, softhsm2.conf and env. */
static struct err *plain_path(const char *path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+@=";
    size_t n = strspn(path, plain);
    if (!path[n])
        return NULL;
    return err_new(ERR_CONFIG,
                   "the demo's folder '%s': its path has letters, digits and /._-+@= alone, not '%c'", path,
                   path[n] > ' ' && path[n] < 0x7f ? path[n] : '?');
}

static struct err *make_folder(struct init *in)
{
    struct err *e = NULL;
    char real[4096];
    TRY(plain_path(in->demo));
    TRY(file_mkdir(in->demo, in->separate_users ? 0755 : 0700));
    if (!realpath(in->demo, real))
        TRY(err_sys(ERR_IO, errno, "%s", in->demo));
    TRY(plain_path(real));
    TRY(refuse_full(in, real));
    in->dir = arena_str(in->cli->arena, view_str(real));
out:
    return e;
}

static struct err *make_folders(struct init *in)
{
    static const struct {
        const char *name;
        unsigned mode;
    } folders[] = {{"templates", 0755}, {"issuers", 0755}, {"run", 0755},   {"roll", 0700},
                   {"lock", 0700},      {"ledger", 0700},  {"front", 0700}, {"shelf", 02770}};
    struct err *e = NULL;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        TRY(file_mkdir(in_dir(in, folders[i].name), folders[i].mode));
out:
    return e;
}

struct err *init_templates(struct init *in, const char *folder)
{
    struct err *e = NULL;
    const char *name;
    struct view bytes;
    TRY(file_mkdir(folder, 0755));
    for (size_t i = 0; templates_builtin(i, &name, &bytes); i++)
        TRY(file_write(arena_printf(in->cli->arena, "%s/%s", folder, name), bytes, 0644));
out:
    return e;
}

/* "rsa-3072/pss-sha256" as lines of an issuer. */
static const char *key_lines(struct init *in, const char *wish)
{
    const char *slash = wish ? strchr(wish, '/') : NULL;
    if (!wish)
        return "";
    return arena_printf(in->cli->arena, "    key_type: %.*s\n%s%s%s",
                        (int)(slash ? slash - wish : (long)strlen(wish)), wish, slash ? "    alg: " : "",
                        slash ? slash + 1 : "", slash ? "\n" : "");
}

static struct err *write_configuration(struct init *in)
{
    struct err *e = NULL;
    const char *users = in->separate_users ? "users: {front: chancery-front, vault: chancery-vault, "
                                             "responder: chancery-responder, courier: chancery-courier}\n"
                                           : "";
    const char *text =
        arena_printf(in->cli->arena,
                     "# A demo: it listens on this machine alone. Every key: chanceryd --help\n"
                     "demo: true\n"
                     "public_url: http://localhost:%s\n"
                     "https_url: https://localhost:%s\n"
                     "names: [\"dns:localhost\", \"ip:127.0.0.1\", \"ip:::1\"]\n"
                     "listen:\n"
                     "  https: [\"127.0.0.1:%s\", \"[::1]:%s\"]\n"
                     "  http: [\"127.0.0.1:%s\", \"[::1]:%s\"]\n"
                     "tokens:\n"
                     "  - name: demo\n"
                     "    module: " INIT_SOFTHSM_MODULE "\n"
                     "    uri: pkcs11:token=chancery\n"
                     "    pin_file: secret/pin\n"
                     "    env: {SOFTHSM2_CONF: %s/softhsm2.conf}\n"
                     "    reads: [softhsm2.conf]\n"
                     "    writes: [token]\n"
                     "issuers:\n"
                     "  - name: root\n"
                     "    key: pkcs11:object=root\n"
                     "%s"
                     "    certificate: issuers/root.pem\n"
                     "    issue: false\n"
                     "    crl: {every: 1d, lifetime: 7d}\n"
                     "  - name: issuing\n"
                     "    key: pkcs11:object=issuing\n"
                     "%s"
                     "    certificate: issuers/issuing.pem\n"
                     "acme:\n"
                     "  enabled: true\n"
                     "  templates: [server, client, device]\n"
                     "  open: [server] # who answers a challenge needs nothing else\n"
                     "%s",
                     in->http_port, in->port, in->port, in->port, in->http_port, in->http_port, in->dir,
                     key_lines(in, in->root_key), key_lines(in, in->issuing_key), users);
    TRY(file_write(in_dir(in, "chancery.yaml.making"), view_str(text), 0644));
out:
    return e;
}

struct err *init_demo_files(struct init *in)
{
    struct err *e = NULL;
    TRY(make_folder(in));
    TRY(make_folders(in));
    TRY(init_templates(in, in_dir(in, "templates")));
    TRY(init_softhsm_files(in));
    TRY(write_configuration(in));
    if (in->separate_users) {
        TRY(init_owner_set(in_dir(in, "token"), "chancery-vault", "chancery-vault", 0700));
        TRY(init_owner_set(in_dir(in, "secret"), "chancery-vault", "chancery-vault", 0700));
        TRY(init_owner_set(in_dir(in, "roll"), "chancery-vault", "chancery-vault", 0700));
        TRY(init_owner_set(in_dir(in, "lock"), "chancery-vault", "chancery-vault", 0700));
    }
out:
    return e;
}

/* --- at the end --- */

static struct err *write_token(struct init *in)
{
    static const char *const templates[] = {"server", "client", "device"};
    static const char *const names[] = {"localhost", "example.internal", "**.example.internal"};
    struct err *e = NULL;
    char text[ENROLL_TOKEN_TEXT_BYTES];
    uint8_t id[SHA256_BYTES];
    struct ledger_result result;

    enroll_token_make(text, id);
    const struct ledger_entry entry = {
        .kind = LEDGER_TOKEN_CREATE,
        .actor = arena_printf(in->cli->arena, "local:%u", (unsigned)getuid()),
        .door = "init",
        .body.token = {.id = view_of(id, sizeof id),
                       .label = "demo",
                       .templates = {3, templates},
                       .names = {3, names},
                       .expires = world_now_s() + DEMO_TOKEN_DAYS * 86400},
    };
    TRY(ledger_append_wait(in->ledger, &entry, &result));
    TRY(file_write(in_dir(in, "token.txt"), view_of(text, strlen(text)), 0600));
out:
    secret_wipe(text, sizeof text);
    return e;
}

static struct err *write_env(struct init *in, const struct config_issuer *root,
                             const struct config_issuer *issuing)
{
    const char *d = in->dir;
    return file_write(
        in_dir(in, "env"),
        view_str(arena_printf(
            in->cli->arena,
            "CHANCERY_DIR=%s\nCHANCERY_CONFIG=%s/chancery.yaml\nCHANCERY_URL=https://localhost:%s\n"
            "CHANCERY_HTTP_URL=http://localhost:%s\nCHANCERY_ROOT=%s\nCHANCERY_ISSUER=%s\n"
            "CHANCERY_TOKEN_FILE=%s/token.txt\nCHANCERY_ADMIN_CERT=%s/%s.crt\n"
            "CHANCERY_ADMIN_KEY=%s/admin.key\nCHANCERY_APPROVER_KEY=%s/approver.key\n"
            "CHANCERY_RECOVERY_KEY=%s/recovery.key\nCHANCERY_OPERATOR_CERT=%s/operator.crt\n"
            "CHANCERY_OPERATOR_KEY=%s/operator.key\n",
            d, d, in->port, in->http_port, root->certificate, issuing->certificate, d, d, in->admin_name, d,
            d, d, d, d)),
        0644);
}

struct err *init_demo_finish(struct init *in, const struct config_issuer *root,
                             const struct config_issuer *issuing)
{
    struct err *e = NULL;
    TRY(write_token(in));
    TRY(write_env(in, root, issuing));
    if (world_rename(in_dir(in, "chancery.yaml.making"), in_dir(in, "chancery.yaml")) != 0)
        TRY(err_sys(ERR_IO, errno, "chancery.yaml"));
    fprintf(stderr, "a demo is in %s; start it: chanceryd -c %s/chancery.yaml\n", in->dir, in->dir);
out:
    return e;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

void init_demo_undo(struct init *in)
{
    nftw(in->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
