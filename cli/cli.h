/*
 * What every command shares: the options that all take, the connection to the daemon, printing for people or
 * programs. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
 */
#ifndef CHANCERY_CLI_H
#define CHANCERY_CLI_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "config.h"

struct cli {
    bool json;
    const char *config_path; /* -c, $CHANCERY_CONFIG or the default */
    struct arena *arena;     /* of the whole run */
    int patience_s;          /* with the daemon's answer; 0: as long as it takes */
    const struct cli_command *command;
};

/* A command: one row in main.c's table. run gets the arguments after its name, options taken out already. */
struct cli_command {
    const char *noun, *verb; /* "cert", "revoke"; verb NULL where the noun alone is the command */
    const char *args;        /* "SERIAL" */
    const char *summary;
    const char *options; /* text for --help, or NULL */
    const char *example;
    struct err *(*run)(struct cli *c, int argc, char **argv);
};

/* Wrong usage: main prints the command's usage and ends with 2. */
MUST_USE struct err *cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool cli_is_usage(const struct err *e);

/* --- args.c: options after the command's name, in any order, `--name value` or `--name=value` --- */
struct cli_option {
    const char *name;      /* "--reason" */
    const char **text;     /* takes a value, or */
    bool *flag;            /* takes none, or */
    struct cli_list *list; /* may be given several times, or as a,b,c */
};
struct cli_list {
    size_t n;
    const char *items[64];
};
json_t *cli_texts(const struct cli_list *list); /* a new reference */
/* Takes options out of argv; what is left are *argc positional arguments, `least` to `most` of them. */
MUST_USE struct err *cli_options(const struct cli_option *options, size_t n, int *argc, char **argv,
                                 int least, int most);

/* --- client.c: /v1 over control.sock --- */
/* body may be NULL. ERR_* of the problem document where the daemon refuses, with its detail; ERR_STARTING
 * where no daemon answers. *ret_json is the caller's (json_decref), and the whole answer in *ret_text where
 * that is not NULL. */
MUST_USE struct err *cli_call(struct cli *c, const char *method, const char *path, json_t *body,
                              json_t **ret_json);
MUST_USE struct err *cli_get_text(struct cli *c, const char *path, const char *accept, const char **ret_text);
/* *ret_next: the cursor of the page that follows, or NULL. */
MUST_USE struct err *cli_get_page(struct cli *c, const char *path, const char *accept, const char **ret_text,
                                  const char **ret_next);
/* value percent-encoded for a query. */
const char *cli_escape(struct cli *c, const char *value);
/* A CSR as it came from a file, PEM or DER, as text for a body. */
const char *cli_csr_text(struct cli *c, struct view csr);
/* The DER of the one PEM block of this label in a file of at most 1 MiB. */
MUST_USE struct err *cli_pem(struct cli *c, const char *path, const char *label, struct view *ret_der);
/* The parsed configuration of this run. The caller frees it. */
MUST_USE struct err *cli_config(struct cli *c, struct config **ret);

/* --- break_glass.c: for root, where no front answers --- */
enum { BREAK_GLASS_PATIENCE_S = 5 };
/* Whether this failure is a daemon that does not answer, and we are one who may go past it. */
bool break_glass_due(const struct err *e);
/* Freezes by an order to the vault; revokes in the ledger itself. Each writes an entry of its use. */
struct hsm_freeze;
MUST_USE struct err *break_glass_freeze(struct cli *c, const struct hsm_freeze *what, const char *reason);
MUST_USE struct err *break_glass_revoke(struct cli *c, const char *issuer, const char *serial,
                                        const char *reason);

/* --- print.c --- */
struct cli_column {
    const char *title, *member; /* member of each object; lists are joined with spaces */
};
/* The list under `member` of the answer: as a table, or with --json as it came. Takes nothing. */
void cli_print_list(const struct cli *c, const json_t *answer, const char *member,
                    const struct cli_column *columns, size_t n);
/* One object: "title: value" lines, or JSON. */
void cli_print_object(const struct cli *c, const json_t *object, const struct cli_column *columns, size_t n);
void cli_print_json(const json_t *tree);
/* A problem to stderr: for people, or with --json as a problem document to stdout. */
void cli_print_problem(const struct cli *c, const struct err *e);

/* For --help of a command that signs (key.h). */
#define KEY_HELP                                                                                             \
    "  --key FILE             your key on the roster, PEM; or pkcs11:object=... with\n"                      \
    "  --token pkcs11:token=...  --module FILE  --pin-file FILE (else the PIN is asked for)\n"

/* --- the commands --- */
typedef struct err *cli_run(struct cli *c, int argc, char **argv);
struct err *cert_tag_set(json_t *tags, const char *text); /* "team=pay" into an object */
cli_run cert_tag, cert_request, cert_show, cert_list, cert_revoke, cert_release, incident_run;
cli_run trust_fetch, trust_install;
cli_run token_create, token_list, token_revoke;
cli_run acme_eab, acme_account, acme_order, acme_authz, acme_why;
cli_run hsm_info_run, hsm_login, hsm_pin;
cli_run ca_list, ca_show, ca_import;
cli_run ca_create, ca_csr, ca_sign, ca_cross, ca_renew, ca_disable, ca_enable, ca_delete, ca_restore;
cli_run template_list, template_show, template_explain, template_versions, template_diff, template_rollback;
cli_run request_new, request_list, request_show, request_approve, request_deny, request_execute;
cli_run freeze_run, freeze_list, roster_show, roster_sign, roster_install;
cli_run shipped_show, shipped_add;
cli_run ledger_verify_run, ledger_log_run, ledger_head_run, ledger_proof_run, ledger_export_run;
cli_run audit_report;
cli_run ledger_backup_run, ledger_check_backup, ledger_restore_run, ledger_accept_loss, ledger_stat_run;
cli_run config_check, clock_confirm_run, doctor_run, init_run, ceremony_run;
cli_run transcript_verify, transcript_record;
cli_run shelf_send, shelf_receive, shelf_position;

#endif
