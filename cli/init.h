/*
 * What the files of `chancery init` share, and `chancery ceremony` with them. They play the front themselves,
 * over the same frames, with a vault in a child process: so the root and the issuing CA too are judged,
 * rolled and recorded, in the ledger and in the seal roll.
 */
#ifndef CHANCERY_CLI_INIT_H
#define CHANCERY_CLI_INIT_H

#include "cli.h"
#include "hsm_ceremony.h"
#include "ledger.h"
#include "templates.h"

struct init {
    struct cli *cli;
    /* options */
    const char *demo, *port, *http_port, *admin_csr, *admin_name, *organization;
    const char *root_key, *issuing_key; /* with --demo: TYPE or TYPE/ALG */
    bool separate_users;
    /* made on the way */
    const char *door;       /* in the ledger: "init", "ceremony" */
    const char *make_label; /* of a token to be made first; NULL: it is there */
    const char *dir;        /* of the configuration, absolute */
    struct config *config;
    struct templates *templates;
    struct ledger *ledger;
    struct hsm_ceremony *ceremony;
    int child; /* the vault's process, 0: none */
    int pin_fd, so_pin_fd;
};

/* One certificate that init makes. */
struct init_wish {
    const char *template;
    const char *issuer, *name; /* name: of the new issuer; NULL for an end entity */
    struct view proof;         /* of the key of a CA that is elsewhere: hsm_ceremony_seal_other; else empty */
    struct view keep;          /* its subject, exactly so, DER; empty: as the template writes it */
    struct templates_issuer facts;
    const struct cert_csr *csr; /* or */
    struct view spki;
    const struct templates_rdn *subject;
    size_t subject_n;
    int64_t validity_s; /* 0: the template's default */
};

/* --- init_demo.c: a whole installation's files in a new folder --- */
MUST_USE struct err *init_demo_files(struct init *in);
MUST_USE struct err *init_demo_finish(struct init *in, const struct config_issuer *root,
                                      const struct config_issuer *issuing);
/* The templates the program was built with, into a folder that is made where it is missing. */
MUST_USE struct err *init_templates(struct init *in, const char *folder);
void init_demo_undo(struct init *in); /* takes away what a failed run made */

/* --- init_softhsm.c: a SoftHSM token of its own in in->dir, with random PINs --- */
#define INIT_SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
MUST_USE struct err *init_softhsm_files(struct init *in);

/* --- init_vault.c: the vault in a child --- */
MUST_USE struct err *init_vault_start(struct init *in);
void init_vault_end(struct init *in);

/* --- init_ca.c: intent, seal, record --- */
/* An entry of this kind, with actor and door. */
struct ledger_entry init_entry(struct init *in, unsigned kind);
MUST_USE struct err *init_certify(struct init *in, const struct init_wish *wish, struct view *ret_der);
MUST_USE struct err *init_hierarchy(struct init *in, const struct config_issuer *root,
                                    const struct config_issuer *issuing,
                                    struct templates_issuer *ret_issuing);

/* --- init_admin.c: the first administrator and the roster --- */
MUST_USE struct err *init_admin(struct init *in, const struct templates_issuer *issuing);

/* --- init_owners.c: who owns what, where each process has its own user --- */
MUST_USE struct err *init_owners(struct init *in);
MUST_USE struct err *init_user_become(const char *user); /* for the vault's child; nothing where not root */
MUST_USE struct err *init_owner_set(const char *path, const char *user, const char *group_of, unsigned mode);

#endif
