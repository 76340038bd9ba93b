/*
 * chancery ca create, csr, sign, cross, renew, disable, enable, delete, restore: acts that the roster must
 * approve, written here, signed with the administrator's own key, carried out as soon as enough have
 * approved.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/when.h"
#include "base/world.h"
#include "ca_config.h"
#include "cert/csr.h"
#include "cert/name.h"
#include "cert/pem.h"
#include "hsm_state.h"
#include "hsm_wish.h"
#include "request.h"

struct asked {
    const char *issuer, *template, *subject, *key_type, *csr, *certificate, *out, *request, *restorable;
    bool reuse, no_issue;
    struct request_what what;
};

/* --- asking, and carrying out --- */

static struct err *options_of(struct asked *o, int *argc, char **argv, int positional)
{
    const struct cli_option options[] = {
        {"--issuer", &o->issuer, NULL, NULL},
        {"--template", &o->template, NULL, NULL},
        {"--subject", &o->subject, NULL, NULL},
        {"--key-type", &o->key_type, NULL, NULL},
        {"--csr", &o->csr, NULL, NULL},
        {"--certificate", &o->certificate, NULL, NULL},
        {"--out", &o->out, NULL, NULL},
        {"--request", &o->request, NULL, NULL},
        {"--for", &o->restorable, NULL, NULL},
        {"--reuse", NULL, &o->reuse, NULL},
        {"--no-issue", NULL, &o->no_issue, NULL},
        {"--vault", &o->what.token, NULL, NULL},
        {"--reason", &o->what.reason, NULL, NULL},
        {"--expires", &o->what.expires, NULL, NULL},
        KEY_OPTIONS(o->what.key),
    };
    struct err *e =
        cli_options(options, sizeof options / sizeof *options, argc, argv, positional, positional);
    if (!e && !o->request && !o->what.reason)
        e = cli_usage("--reason says why, for those who approve and for the books");
    return e;
}

/* *ret_made NULL: it waits for others. */
static struct err *carry_out(struct cli *c, struct asked *o, json_t **ret_made)
{
    return request_carry_out(c, &o->what, o->request, ret_made);
}

/* What was made, PEM, into a file that is not there yet; out NULL: to stdout. */
static struct err *write_out(const json_t *made, const char *member, const char *out)
{
    const char *pem = json_string_value(json_object_get(made, member));
    if (!pem)
        return err_new(ERR_IO, "the daemon's answer holds no %s", member);
    if (!out) {
        fputs(pem, stdout);
        return NULL;
    }
    if (access(out, F_OK) == 0)
        return err_new(ERR_WRONG_STATE, "%s is there already; nothing is written over it", out);
    return file_write(out, view_str(pem), 0644);
}

static struct err *wish_payload(struct cli *c, struct asked *o, struct hsm_wish *w)
{
    struct err *e = NULL;
    if (o->subject)
        TRY(err_wrap(cert_name_of_text(o->subject, c->arena, &w->subject), "--subject"));
    TRY(hsm_wish_write(w, c->arena, &o->what.payload));
out:
    return e;
}

static const char *key_of(const struct asked *o)
{
    return o->reuse ? "" : o->key_type ? o->key_type : "ec-p256";
}

/* --- the verbs --- */

struct err *ca_create(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct asked o = {.what = {.kind = HSM_ACT_CA_CREATE, .expires = "7d"}};
    json_t *made = NULL;
    const char *path;
    TRY(options_of(&o, &argc, argv, 1));
    o.what.object = argv[0];
    if (!o.request && (!o.issuer || !o.subject))
        TRY(cli_usage("name who signs (--issuer; for a root its own name) and its --subject"));
    bool root = o.issuer && strcmp(o.issuer, argv[0]) == 0;
    o.what.issuer = o.issuer;
    struct hsm_wish w = {.name = argv[0],
                         .key = key_of(&o),
                         .issuer = o.issuer ? o.issuer : "",
                         .template = o.template ? o.template
                                     : root     ? "root"
                                                : "sub-ca"};
    TRY(wish_payload(c, &o, &w));
    TRY(ca_config_path(c, argv[0], &path));
    TRY(carry_out(c, &o, &made));
    if (made)
        TRY(write_out(made, "certificate", path));
    if (made)
        TRY(ca_config_add(c, &(struct ca_config_row){argv[0], path, !root && !o.no_issue}));
out:
    json_decref(made);
    return e;
}

struct err *ca_csr(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct asked o = {.what = {.kind = HSM_ACT_CA_CREATE, .expires = "7d"}};
    json_t *made = NULL;
    TRY(options_of(&o, &argc, argv, 1));
    o.what.object = argv[0];
    if (!o.request && !o.subject)
        TRY(cli_usage("name its --subject"));
    struct hsm_wish w = {.name = argv[0], .key = key_of(&o), .issuer = "", .template = ""};
    TRY(wish_payload(c, &o, &w));
    TRY(carry_out(c, &o, &made));
    if (made)
        TRY(write_out(made, "csr", o.out));
out:
    json_decref(made);
    return e;
}

static struct err *certify_other(struct cli *c, int argc, char **argv, bool cross)
{
    struct err *e = NULL;
    struct asked o = {.what = {.kind = cross ? HSM_ACT_CROSS_SIGN : HSM_ACT_CA_SIGN_SUB, .expires = "7d"}};
    json_t *made = NULL;
    TRY(options_of(&o, &argc, argv, 0));
    const char *file = cross ? o.certificate : o.csr;
    if (!o.request && (!o.issuer || !file))
        TRY(cli_usage("name who signs (--issuer) and what (%s)", cross ? "--certificate" : "--csr"));
    o.what.object = o.what.issuer = o.issuer ? o.issuer : "";
    struct hsm_wish w = {.name = "",
                         .key = "",
                         .issuer = o.what.object,
                         .template = o.template ? o.template
                                     : cross    ? "cross-ca"
                                                : "sub-ca"};
    if (file)
        TRY(cli_pem(c, file, cross ? "CERTIFICATE" : "CERTIFICATE REQUEST", &w.proof));
    TRY(wish_payload(c, &o, &w));
    TRY(carry_out(c, &o, &made));
    if (made)
        TRY(write_out(made, "certificate", o.out));
out:
    json_decref(made);
    return e;
}

struct err *ca_sign(struct cli *c, int argc, char **argv)
{
    return certify_other(c, argc, argv, false);
}

struct err *ca_cross(struct cli *c, int argc, char **argv)
{
    return certify_other(c, argc, argv, true);
}

struct err *ca_renew(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct asked o = {.what = {.kind = HSM_ACT_CA_RENEW, .expires = "7d"}};
    json_t *made = NULL;
    TRY(options_of(&o, &argc, argv, 1));
    o.what.object = argv[0];
    if (!o.request && !o.issuer)
        TRY(cli_usage("name who signs (--issuer; for a root its own name)"));
    bool root = o.issuer && strcmp(o.issuer, argv[0]) == 0;
    o.what.issuer = o.issuer;
    struct hsm_wish w = {.name = argv[0],
                         .key = "",
                         .issuer = o.issuer ? o.issuer : "",
                         .template = o.template ? o.template
                                     : root     ? "root"
                                                : "sub-ca"};
    TRY(wish_payload(c, &o, &w));
    TRY(carry_out(c, &o, &made));
    if (made)
        TRY(write_out(made, "certificate", o.out));
out:
    json_decref(made);
    return e;
}

static struct err *set_state(struct cli *c, int argc, char **argv, enum hsm_act_kind kind, const char *state)
{
    struct err *e = NULL;
    struct asked o = {.restorable = "30d", .what = {.kind = kind, .expires = "7d"}};
    json_t *made = NULL;
    int64_t until = 0, life;
    TRY(options_of(&o, &argc, argv, 1));
    o.what.object = o.what.issuer = argv[0];
    TRY(err_wrap(when_duration_parse(view_str(o.restorable), &life), "--for"));
    if (strcmp(state, "deleted") == 0)
        until = world_now_s() + life;
    TRY(hsm_wish_state_write(state, until, c->arena, &o.what.payload));
    TRY(carry_out(c, &o, &made));
    if (made && !c->json)
        printf("%s is %s%s%s\n", argv[0], state, until ? "; it can be restored until " : "",
               until ? when_text(c->arena, until) : "");
    if (made && c->json)
        cli_print_json(made);
out:
    json_decref(made);
    return e;
}

struct err *ca_disable(struct cli *c, int argc, char **argv)
{
    return set_state(c, argc, argv, HSM_ACT_CA_STATE, "disabled");
}

struct err *ca_enable(struct cli *c, int argc, char **argv)
{
    return set_state(c, argc, argv, HSM_ACT_CA_STATE, "active");
}

struct err *ca_delete(struct cli *c, int argc, char **argv)
{
    return set_state(c, argc, argv, HSM_ACT_CA_DELETE, "deleted");
}

struct err *ca_restore(struct cli *c, int argc, char **argv)
{
    return set_state(c, argc, argv, HSM_ACT_CA_DELETE, "disabled");
}
