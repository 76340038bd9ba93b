/*
 * chancery ca import: a certificate that was made elsewhere for a key of ours. Every rule is checked here, by
 * the same check as in a ceremony; that the key is in the token the vault sees when it is taken up.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/world.h"
#include "ca_config.h"
#include "ca_hierarchy.h"
#include "cert/csr.h"
#include "cert/pem.h"

enum { CHAIN_MAX = 7 };

struct asked {
    const char *name, *certificate, *csr, *out;
    struct cli_list chain;
    bool no_issue;
};

static struct err *read_all(struct cli *c, const struct asked *o, struct ca_import *im)
{
    struct err *e = NULL;
    struct cert_csr csr;
    struct view der;
    struct view *chain = arena_array(c->arena, CHAIN_MAX, sizeof *chain);
    if (o->chain.n > CHAIN_MAX)
        return err_new(ERR_TOO_MANY, "a chain of more than %d certificates", CHAIN_MAX);
    TRY(cli_pem(c, o->certificate, "CERTIFICATE", &im->certificate));
    TRY(cli_pem(c, o->csr, "CERTIFICATE REQUEST", &der));
    TRY(cert_csr_parse(der, c->arena, &csr));
    TRY(cert_csr_verify(&csr));
    for (size_t i = 0; i < o->chain.n; i++)
        TRY(cli_pem(c, o->chain.items[i], "CERTIFICATE", &chain[i]));
    im->spki = csr.key.spki;
    im->chain = chain;
    im->chain_n = o->chain.n;
    im->now = world_now_s();
out:
    return e;
}

struct err *ca_import(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct asked o = {.name = NULL};
    struct ca_import im = {.chain_n = 0};
    const struct cli_option options[] = {
        {"--chain", NULL, NULL, &o.chain},
        {"--csr", &o.csr, NULL, NULL},
        {"--out", &o.out, NULL, NULL},
        {"--no-issue", NULL, &o.no_issue, NULL},
    };

    TRY(cli_options(options, sizeof options / sizeof *options, &argc, argv, 2, 2));
    o.name = argv[0];
    o.certificate = argv[1];
    if (!o.csr || o.chain.n == 0)
        TRY(cli_usage(
            "name the request it answers (--csr) and the certificates above it (--chain, nearest first)"));
    TRY(read_all(c, &o, &im));
    TRY(ca_import_check(&im, c->arena));
    const char *path = o.out;
    if (!path)
        TRY(ca_config_path(c, o.name, &path));
    if (access(path, F_OK) == 0)
        TRY(err_new(ERR_WRONG_STATE, "%s is there already; nothing is written over it", path));
    TRY(file_write(path, view_str(cert_pem_write("CERTIFICATE", im.certificate, c->arena)), 0644));
    TRY(ca_config_add(c, &(struct ca_config_row){o.name, path, !o.no_issue}));
out:
    return e;
}
