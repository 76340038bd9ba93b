/*
 * `chancery`: finds the command in the table, runs it, prints how it ended. One file per noun; online
 * commands speak /v1 over the control socket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli.h"
#include "select.h"

#define DEFAULT_CONFIG "/etc/chancery/chancery.yaml"

static const struct cli_command commands[] = {
    {"init", NULL, "", "make the keys and certificates of a root and an issuing CA",
     "  --demo DIR             a whole installation in DIR, on a SoftHSM token of its own\n"
     "  --port N               with --demo: HTTPS port (8443)\n"
     "  --http-port N          with --demo: HTTP port (8080)\n"
     "  --separate-users       with --demo, as root: users chancery-front, -vault, -responder, -courier\n"
     "  --root-key TYPE[/ALG]  with --demo: ec-p384; or ec-p256, ec-p521, ed25519, rsa-2048, -3072, -4096;\n"
     "                         ALG as in chancery.yaml: rsa-3072/pss-sha256\n"
     "  --issuing-key TYPE[/ALG]  the same for the issuing CA (ec-p256)\n"
     "  --admin-csr FILE       certify this administrator's key instead of making one\n"
     "  --admin-name NAME      the first administrator's name on the roster (admin)\n"
     "  --organization TEXT    O= of the CA's names\n",
     "chancery init --demo ./chancery-demo\n"
     "  chancery -c /etc/chancery/chancery.yaml init --admin-csr maria.csr --admin-name maria",
     init_run},
    {"ceremony", NULL, "FILE", "run a ceremony from its file: no daemon, no network",
     "  --rehearse DIR         the same in DIR, on a SoftHSM token of its own; nobody is asked\n",
     "chancery ceremony --rehearse ./rehearsal root-2026.yaml", ceremony_run},
    {"transcript", "verify", "FILE", "whether the lines of a ceremony's transcript follow each other", NULL,
     "chancery transcript verify transcript.jsonl", transcript_verify},
    {"transcript", "record", "FILE", "take a ceremony's transcript into the ledger", NULL,
     "chancery transcript record transcript.jsonl", transcript_record},
    {"cert", "request", "--template T --csr FILE", "ask for a certificate; PEM chain to stdout",
     "  --issuer NAME          other than the default issuer\n"
     "  --validity 30d         shorter than the template's default\n"
     "  --san dns:a.example    in place of the CSR's names; may be repeated\n"
     "  --tag KEY=VALUE        may be repeated\n"
     "  --replaces SERIAL      it takes the place of this one: `cert show` of either names the other\n"
     "  --out FILE             write the chain there\n",
     "chancery cert request --template server --csr web.csr --out web.pem", cert_request},
    {"cert", "show", "SERIAL", "one certificate, and what the books say of it", "  --issuer NAME\n",
     "chancery cert show 5f3a...", cert_show},
    {"cert", "list", "", "certificates, newest first",
     SELECT_HELP "  --limit N   --cursor TEXT (`next` of the page before)\n"
                 "  --all csv|jsonl          all that are found, as they come\n",
     "chancery cert list --under dns:pay.example.internal --status valid\n"
     "  chancery cert list --net 10.1.0.0/16 --all csv > certificates.csv",
     cert_list},
    {"cert", "revoke", "SERIAL... | conditions", "revoke; OCSP and CRL show it within a second",
     "  --reason REASON          RFC 5280: keyCompromise, superseded, ... (unspecified)\n"
     "  --invalidity-date TIME   since when it is not to be trusted\n"
     "  --dry-run                only show what it would hit: how many, whose, which have a newer one\n"
     "  --yes                    revoke as many as the look has shown, without asking\n"
     "  --per-second N           no quicker\n" SELECT_HELP,
     "chancery cert revoke 5f3a... --reason keyCompromise\n"
     "  chancery cert revoke --under dns:pay.example.internal --status valid --reason superseded --dry-run",
     cert_revoke},
    {"cert", "tag", "SERIAL KEY=VALUE...", "set tags; nothing is decided by them",
     "  --remove KEY           may be repeated\n  --issuer NAME\n",
     "chancery cert tag 5f3a... team=pay stage=prod --remove owner\n  chancery cert list --tag team=pay",
     cert_tag},
    {"cert", "release", "SERIAL", "end a hold (certificateHold)",
     "  --why TEXT   for the ledger\n  --issuer NAME\n",
     "chancery cert release 5f3a... --why 'the laptop was found'", cert_release},
    {"incident", NULL, "--since TIME [--until TIME]",
     "all that was signed in that time by the seal roll, whether the ledger knows it or not",
     "  --revoke                 revoke it; without, only show it\n"
     "  --reason REASON          (keyCompromise)\n  --invalidity-date TIME\n"
     "  --per-second N           in stages, no quicker\n  --yes                    without asking\n",
     "chancery incident --since 2026-11-20T08:00:00Z --until 2026-11-20T09:30:00Z", incident_run},
    {"token", "create", "--template T... --name PATTERN...", "a bearer token; shown once",
     "  --uses N               how many certificates (0: without bound)\n"
     "  --ttl 30d              how long it holds\n  --label TEXT\n"
     "  --out FILE             write the token there (0600) instead of to stdout\n"
     "  --key SHA256           in place of a secret: the key with this hash of its SPKI, shown in TLS\n"
     "  --csv FILE             a token for each row, into --out with all the row says; columns: label,\n"
     "                         template, name, serial_number, uses (1), ttl, spki_sha256; what a row leaves "
     "out is as\n"
     "                         the options say, and several templates or names stand with `;` between\n",
     "chancery token create --template server --name '**.pay.example.internal' --uses 10 --ttl 7d --out "
     "pay.token",
     token_create},
    {"token", "list", "", "tokens, without their text", NULL, "chancery token list", token_list},
    {"token", "revoke", "ID", "end a token at once", NULL, "chancery token revoke 3f9a01c2", token_revoke},
    {"trust", "fetch", "--fingerprint SHA256 URL",
     "the root with this fingerprint, from an authority not trusted yet",
     "  --out FILE             in place of stdout\n",
     "chancery trust fetch --fingerprint 9f86d081884c... --out root.pem https://ca.example.internal:8443",
     trust_fetch},
    {"trust", "install", "FILE", "into the machine's own store of roots (Debian: update-ca-certificates)",
     "  --fingerprint SHA256   only the one of the file that it fits\n"
     "  --dir DIR              write it there, and run nothing\n",
     "chancery trust install root.pem --fingerprint 9f86d081884c...", trust_install},
    {"acme", "eab", "create --template T... --name PATTERN... | list | revoke KID",
     "keys that ACME accounts are bound to; shown once",
     "  --accounts N           for how many accounts (1; 0: without bound)\n"
     "  --ttl 30d              how long accounts can be made with it\n"
     "  --preapproved          no challenge for these names\n"
     "  --label TEXT\n  --out FILE             write KID and HMAC there (0600) instead of to stdout\n",
     "chancery acme eab create --template server --name '**.pay.example.internal' --preapproved --out "
     "pay.eab",
     acme_eab},
    {"acme", "account", "list | show ID", "accounts of ACME clients", "  --limit N   --cursor TEXT\n",
     "chancery acme account list", acme_account},
    {"acme", "order", "list | show ID", "their orders", "  --account ID   --limit N   --cursor TEXT\n",
     "chancery acme order list --account 9f2c...", acme_order},
    {"acme", "authz", "list | show ID", "which names they may have, and how that was shown",
     "  --account ID   --limit N   --cursor TEXT\n", "chancery acme authz list", acme_authz},
    {"acme", "why", "ORDER", "why an order has no certificate, in plain words", NULL,
     "chancery acme why 5f0c...", acme_why},
    {"ca", "list", "", "issuers: state, days left, and how many unexpired certificates hang on each", NULL,
     "chancery ca list", ca_list},
    {"ca", "import", "NAME CERTIFICATE",
     "a certificate made elsewhere for a key of ours: checked, and into the configuration",
     "  --csr FILE             the request it answers\n"
     "  --chain FILE           a certificate above it; nearest first, the root last; may be repeated\n"
     "  --out FILE             in place of issuers/NAME.pem beside the configuration\n"
     "  --no-issue             it signs CAs alone: issue: false\n",
     "chancery ca import policy policy.pem --csr policy.csr --chain root.pem --no-issue", ca_import},
    {"ca", "create", "NAME --issuer PARENT --subject DN",
     "a key in the token and a CA certificate for it; into the configuration",
     "  --template T           what it looks like (sub-ca; root where PARENT is NAME)\n"
     "  --key-type KIND        ec-p256, ec-p384, rsa-3072, ... (ec-p256)\n"
     "  --reuse                take the key that is there\n"
     "  --no-issue             it signs CAs alone: issue: false\n"
     "  --vault NAME           of several vaults the one that makes a root's key\n"
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca create issuing-2 --issuer root --subject 'CN=Issuing CA 2,O=Example' --reason '...' --key "
     "maria.key",
     ca_create},
    {"ca", "csr", "NAME --subject DN", "a key in the token and a request for it, to be signed elsewhere",
     "  --key-type KIND        ec-p256, ec-p384, rsa-3072, ... (ec-p256)\n"
     "  --vault NAME           of several vaults the one that makes the key (the first)\n"
     "  --reuse                take the key that is there\n"
     "  --out FILE             write the request there\n"
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca csr policy --subject 'CN=Policy CA,O=Example' --out policy.csr --reason '...' --key "
     "maria.key",
     ca_csr},
    {"ca", "sign", "--issuer PARENT --csr FILE", "certify a CA whose key is elsewhere",
     "  --template T           what it looks like (sub-ca)\n"
     "  --subject DN           in place of the request's own\n"
     "  --out FILE             write the certificate there\n"
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca sign --issuer root --csr theirs.csr --out theirs.pem --reason '...' --key maria.key",
     ca_sign},
    {"ca", "cross", "--issuer ROOT --certificate FILE", "certify another root, under its own name",
     "  --template T           what it looks like (cross-ca)\n"
     "  --out FILE             write the certificate there\n"
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca cross --issuer root --certificate other.pem --out other-by-root.pem --reason '...' --key "
     "maria.key",
     ca_cross},
    {"ca", "renew", "NAME --issuer PARENT", "certify an issuer's own key once more",
     "  --template T           what it looks like (sub-ca; root where PARENT is NAME)\n"
     "  --out FILE             write the certificate there\n"
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca renew issuing --issuer root --out issuing.pem --reason '...' --key maria.key", ca_renew},
    {"ca", "disable", "NAME", "suspend an issuer: no certificates; status goes on",
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca disable issuing --reason '...' --key maria.key", ca_disable},
    {"ca", "enable", "NAME", "let a disabled issuer issue again",
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca enable issuing --reason '...' --key maria.key", ca_enable},
    {"ca", "delete", "NAME", "delete a disabled issuer; it can be restored for a while",
     "  --for 30d              how long: 7d to 30d (30d)\n"
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca delete issuing --reason '...' --key maria.key", ca_delete},
    {"ca", "restore", "NAME", "take a deleted issuer back, as disabled",
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ca restore issuing --reason '...' --key maria.key", ca_restore},
    {"ca", "show", "NAME", "one issuer", NULL, "chancery ca show issuing", ca_show},
    {"template", "list", "", "templates", NULL, "chancery template list", template_list},
    {"template", "show", "NAME", "one template, all effective values", "  --version N            as it was\n",
     "chancery template show server", template_show},
    {"template", "shipped", "[NAME]", "the templates that came with this program; one of them, as its file",
     NULL, "chancery template shipped aws/EndEntityCertificate/V1", shipped_show},
    {"template", "add", "NAME", "put a template that came with this program into the daemon's folder", NULL,
     "chancery template add aws/EndEntityServerAuthCertificate/V1", shipped_add},
    {"template", "versions", "NAME", "every version that was ever in force", "  --limit N   --cursor TEXT\n",
     "chancery template versions server", template_versions},
    {"template", "diff", "OLD NEW", "two versions of a template, and what they make of past requests",
     "  --replay N             ask again for the last N certificates\n"
     "  OLD, NEW: a name (as it is in force), NAME@VERSION, or a file that ends in .yaml\n",
     "chancery template diff server templates/server.yaml --replay 500", template_diff},
    {"template", "rollback", "", "the templates of an earlier generation, put back and reloaded",
     "  --to ID                one of --list; else the one before the present\n"
     "  --list                 the generations that are kept\n"
     "  --discard              also where the folder has changes that are not in force\n",
     "chancery template rollback --to 3f9a01c2b7d4", template_rollback},
    {"template", "explain", "NAME --csr FILE",
     "what a request would come to, rule by rule; nothing is signed",
     "  --asker ID             for somebody else: token:6bb5d596, cert:issuing/4a..., roster:maria\n"
     "  --issuer NAME   --validity 30d   --san dns:a.example\n"
     "  --wanting              only the rules that are not kept\n",
     "chancery template explain server --csr web.csr --asker token:6bb5d596", template_explain},
    {"hsm", "info", "", "the token: its state, mechanisms, sessions, free space, keys and lanes",
     "  --vault NAME           of several vaults that one alone\n", "chancery hsm info", hsm_info_run},
    {"hsm", "login", "", "try the PIN in its file once more, after the token refused it",
     "  --token NAME           of several tokens this one (the first)\n", "chancery hsm login", hsm_login},
    {"hsm", "pin", "change", "give the token a new PIN, prove it by a login, replace the PIN file",
     "  --new FILE             the new PIN (default: a random one)\n"
     "  --token NAME           of several tokens this one (the first)\n",
     "chancery hsm pin change", hsm_pin},
    {"request", "new", "KIND OBJECT --reason TEXT --key FILE", "ask for what the roster must approve",
     "  --payload FILE         exactly what is to be done, where the kind has bytes; or\n"
     "  --sha256 HEX           its SHA-256\n  --template-sha256 HEX\n"
     "  --expires 7d           at most 30d\n"
     "  --vault NAME           of several vaults the one that is to do it (an issuer's own, else the "
     "first)\n" KEY_HELP,
     "chancery request new thaw issuer:issuing --reason 'keys checked' --key maria.key", request_new},
    {"request", "list", "", "what was asked for, newest first", "  --limit N   --cursor TEXT\n",
     "chancery request list", request_list},
    {"request", "show", "ID", "one request, and who has said what to it",
     "  --payload-out FILE     write what is to be done there\n", "chancery request show 3f9a01c2",
     request_show},
    {"request", "approve", "ID --key FILE", "approve it with your key on the roster", KEY_HELP,
     "chancery request approve 3f9a01c2 --key nils.key", request_approve},
    {"request", "deny", "ID --key FILE", "deny it, or take your own back", KEY_HELP,
     "chancery request deny 3f9a01c2 --key nils.key", request_deny},
    {"request", "execute", "ID", "have the vault do what was approved", NULL,
     "chancery request execute 3f9a01c2", request_execute},
    {"freeze", "list", "", "what is frozen", NULL, "chancery freeze list", freeze_list},
    {"freeze", NULL, "--reason TEXT", "issue nothing more, at once; status and revocation go on",
     "  --issuer NAME | --template NAME | --asker ID | --all\n",
     "chancery freeze --issuer issuing --reason 'laptop of an operator stolen'", freeze_run},
    {"roster", "show", "[FILE]", "who may do what, and how many must approve", NULL, "chancery roster show",
     roster_show},
    {"roster", "sign", "FILE --sigs FILE --key FILE", "sign another roster with your key on the present one",
     "  --old FILE             the present one, where it is not the configured one\n" KEY_HELP,
     "chancery roster sign roster.new.yaml --sigs roster.sigs --key maria.key", roster_sign},
    {"roster", "install", "FILE --sigs FILE", "put a signed roster in place, for the next reload", NULL,
     "chancery roster install roster.new.yaml --sigs roster.sigs", roster_install},
    {"ledger", "verify", "[FILE]",
     "recompute the ledger, or an export of it, and hold it against the seal roll",
     "  --ledger DIR           a ledger elsewhere\n  --roll FILE[,FILE]     seal rolls elsewhere, one of "
     "each vault\n"
     "  --key KEY              with FILE: the log's key as `ledger head` prints it; heads' signatures are "
     "checked\n",
     "chancery ledger verify", ledger_verify_run},
    {"ledger", "export", "FILE", "the ledger and the seal rolls in one file, while the daemon runs",
     "  --ledger DIR           a ledger elsewhere\n  --roll FILE[,FILE]     seal rolls elsewhere\n",
     "chancery ledger export 2027-03.export", ledger_export_run},
    {"ledger", "head", "", "a signed head over all that is in the ledger now", NULL,
     "chancery ledger head > today.checkpoint", ledger_head_run},
    {"ledger", "proof", "ENTRY", "that an entry is under a signed head", NULL,
     "chancery ledger proof 4711 > 4711.tlog-proof", ledger_proof_run},
    {"ledger", "log", "", "the entries as they stand", "  --from N   --limit N\n",
     "chancery ledger log --from 100", ledger_log_run},
    {"audit", "report", "",
     "every certificate that was ever made, one row each, for who must account for them",
     "  --format csv|json      (csv)\n" SELECT_HELP,
     "chancery audit report --since 2026-01-01T00:00:00Z > report.csv", audit_report},
    {"ledger", "stat", "", "how far it has come, and what its parts take on disk", NULL,
     "chancery ledger stat", ledger_stat_run},
    {"ledger", "backup", "DIR", "what has come since the last backup into DIR, and the seal roll as it is",
     "  --ledger DIR           a ledger elsewhere\n"
     "  --no-roll              without the seal roll\n",
     "chancery ledger backup /mnt/backup/chancery", ledger_backup_run},
    {"ledger", "check-backup", "DIR", "whether every entry of a backup is whole; names the first that is not",
     NULL, "chancery ledger check-backup /mnt/backup/chancery", ledger_check_backup},
    {"ledger", "restore", "DIR",
     "a ledger from a backup, with what the seal roll and published lists know beyond it",
     "  --until TIME           nothing that was written after it, RFC 3339\n"
     "  --entry N              nothing after this entry\n"
     "  --crl FILE             the newest list of an issuer, PEM or DER; may be repeated\n"
     "  --no-lists             where an issuer's lists are lost\n"
     "  --roll FILE            a seal roll elsewhere; may be repeated\n  --no-roll              where it is "
     "lost\n"
     "  --ledger DIR           put it elsewhere than the configuration says\n",
     "chancery ledger restore /mnt/backup/chancery --crl issuing.crl --crl root.crl", ledger_restore_run},
    {"ledger", "accept-loss", "", "go on with a restored ledger: issue again, answer `good` again",
     "  --reason TEXT          for those who approve and for the books\n"
     "  --request ID           carry out what was asked for before\n" KEY_HELP,
     "chancery ledger accept-loss --reason 'disk of ca1 lost, backup of 03:00' --key maria.key",
     ledger_accept_loss},
    {"shelf", "send", "", "what the responders serve, as a stream of records to stdout",
     "  --follow               go on: what changes is sent within a tenth of a second\n"
     "  --from POSITION        only what has changed since (`shelf position` at the other end)\n"
     "  --shelf DIR            a shelf elsewhere\n",
     "chancery shelf send --follow | ssh edge chancery shelf receive", shelf_send},
    {"shelf", "receive", "", "put such a stream on this host's shelf, for its responders",
     "  --shelf DIR            a shelf elsewhere\n",
     "chancery shelf receive < <(ssh ca chancery shelf send --follow --from \"$(chancery shelf position)\")",
     shelf_receive},
    {"shelf", "position", "", "how far this host's shelf has received another's",
     "  --shelf DIR            a shelf elsewhere\n", "chancery shelf position", shelf_position},
    {"config", "check", "[FILE]", "check a configuration, its templates and its roster, without a daemon",
     NULL, "chancery config check /etc/chancery/chancery.yaml", config_check},
    {"clock", "confirm", "", "the clock is right: issue again", NULL, "chancery clock confirm",
     clock_confirm_run},
    {"doctor", NULL, "", "what is unsafe or about to lapse here, in plain words", NULL, "chancery doctor",
     doctor_run},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_command(FILE *to, const struct cli_command *k)
{
    fprintf(to, "usage: chancery [-c FILE] [--json] %s%s%s%s%s\n\n%s\n", k->noun, k->verb ? " " : "",
            k->verb ? k->verb : "", k->args[0] ? " " : "", k->args, k->summary);
    if (k->options)
        fprintf(to, "\n%s", k->options);
    fprintf(to, "\nexample:\n  %s\n", k->example);
}

static void print_usage(FILE *to)
{
    fprintf(to, "usage: chancery [-c FILE] [--json] COMMAND [...]\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s %s", commands[i].noun, commands[i].verb ? commands[i].verb : "");
        fprintf(to, "  %-20s %s\n", name, commands[i].summary);
    }
    fprintf(to, "\n  -c FILE   the configuration; else $CHANCERY_CONFIG, else " DEFAULT_CONFIG "\n"
                "  --json    output for programs\n  --help    after a command: its options and an example\n"
                "\nexample:\n  chancery -c chancery-demo/chancery.yaml cert list --status valid\n");
}

static const struct cli_command *find(int argc, char **argv, int *ret_taken)
{
    for (size_t i = 0; argc && i < COMMANDS; i++) {
        const struct cli_command *k = &commands[i];
        if (strcmp(k->noun, argv[0]) != 0)
            continue;
        *ret_taken = k->verb ? 2 : 1;
        if (!k->verb || (argc > 1 && strcmp(k->verb, argv[1]) == 0))
            return k;
    }
    return NULL;
}

/* Takes -c, --json and --help out of argv, wherever they stand. *ret_help: it was there. */
static struct err *take_globals(struct cli *c, int *argc, char **argv, bool *ret_help)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            c->json = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *ret_help = true;
        } else if (strcmp(argv[i], "-c") == 0) {
            if (++i == *argc)
                return cli_usage("-c takes a file");
            c->config_path = argv[i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return NULL;
}

static int run(struct cli *c, int argc, char **argv)
{
    struct err *e = c->command->run(c, argc, argv);
    if (!e)
        return 0;
    int code = cli_is_usage(e) ? 2 : 1;
    cli_print_problem(c, e);
    if (code == 2 && !c->json)
        print_command(stderr, c->command);
    err_free(e);
    return code;
}

int main(int argc, char **argv)
{
    const char *env = getenv("CHANCERY_CONFIG");
    struct cli c = {.config_path = env && env[0] ? env : DEFAULT_CONFIG, .arena = arena_new((size_t)4 << 30)};
    bool help = false;
    int code = 2, taken = 0;

    log_setup("chancery", false, LOG_WARN);
    argc--;
    argv++;
    struct err *e = take_globals(&c, &argc, argv, &help);
    c.command = e ? NULL : find(argc, argv, &taken);
    if (e) {
        cli_print_problem(&c, e);
    } else if (help || argc == 0) {
        if (c.command)
            print_command(stdout, c.command);
        else
            print_usage(help ? stdout : stderr);
        code = help ? 0 : 2;
    } else if (!c.command) {
        fprintf(stderr, "chancery: no command '%s%s%s'; see chancery --help\n", argv[0], argc > 1 ? " " : "",
                argc > 1 ? argv[1] : "");
    } else {
        code = run(&c, argc - taken, argv + taken);
    }
    err_free(e);
    arena_free(c.arena);
    return code;
}
