/*
 * chancery request new, list, show, approve, deny, execute: what the roster must approve. What is signed is
 * read from its own bytes here, never from what the daemon says of it. Signs with a person's key, which stays
 * with the person.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "request.h"
#include "request_wanted.h"

enum { PAYLOAD_MAX = 64 * 1024 };

/* --- printing --- */

static const struct cli_column request_columns[] = {
    {"id", "id"},
    {"kind", "kind"},
    {"object", "object"},
    {"state", "state"},
    {"asker", "asker"},
    {"reason", "reason"},
    {"expires", "expires"},
    {"needed", "needed"},
    {"have", "have"},
    {"sha256", "object_sha256"},
    {"template", "template_sha256"},
};
enum { REQUEST_COLUMNS = sizeof request_columns / sizeof *request_columns };

static void print_steps(const json_t *request)
{
    size_t i;
    json_t *s;
    json_array_foreach(json_object_get(request, "steps"), i, s)
    {
        printf("%-12s %s by %s (entry %lld)\n", json_string_value(json_object_get(s, "what")),
               json_string_value(json_object_get(s, "time")), json_string_value(json_object_get(s, "who")),
               (long long)json_integer_value(json_object_get(s, "entry")));
    }
}

static void print_request(struct cli *c, const json_t *request)
{
    cli_print_object(c, request, request_columns, REQUEST_COLUMNS);
    if (!c->json)
        print_steps(request);
}

static json_t *signature_json(struct cli *c, const struct hsm_act_signature *s)
{
    return json_pack("{s:s, s:s, s:s}", "alg", cert_alg_name(s->alg), "spki", base64_of(c->arena, s->spki),
                     "signature", base64_of(c->arena, s->signature));
}

/* --- new --- */

struct asked {
    const char *reason, *expires, *payload, *sha256, *template_sha256;
    const char *token, *issuer; /* as in struct request_what */
    struct key_options key;
};

static struct err *hash_of_hex(struct cli *c, const char *text, const char *option, struct view *ret)
{
    struct err *e = text ? hex_parse(c->arena, view_str(text), ret) : NULL;
    if (!e && text && ret->n != SHA256_BYTES)
        e = err_new(ERR_BAD_FIELD, "not 64 digits");
    if (!e)
        return NULL;
    err_free(e);
    return cli_usage("%s takes a SHA-256 in hexadecimal", option);
}

static struct err *read_payload(struct cli *c, const struct asked *o, struct hsm_act *act, struct view *ret)
{
    struct err *e = NULL;
    *ret = view_of("", 0);
    TRY(hash_of_hex(c, o->sha256, "--sha256", &act->object_sha256));
    TRY(hash_of_hex(c, o->template_sha256, "--template-sha256", &act->template_sha256));
    if (!o->payload)
        return NULL;
    if (o->sha256)
        return cli_usage("--payload and --sha256 say the same: give one of them");
    TRY(file_read(o->payload, PAYLOAD_MAX, c->arena, ret));
    uint8_t *hash = arena_alloc(c->arena, SHA256_BYTES);
    digest_sha256(*ret, hash);
    act->object_sha256 = view_of(hash, SHA256_BYTES);
out:
    return e;
}

static bool is_named(const json_t *vault, const char *token)
{
    const char *name = json_string_value(json_object_get(vault, "name"));
    return token && name && strcmp(name, token) == 0;
}

static bool has_issuer(const json_t *vault, const char *issuer)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(vault, "issuers"), i, one)
    {
        if (issuer && strcmp(json_string_value(one), issuer) == 0)
            return true;
    }
    return false;
}

static const json_t *pick_vault(const json_t *vaults, const struct asked *o)
{
    size_t i;
    json_t *one;
    const json_t *found = o->token ? NULL : json_array_get(vaults, 0);
    json_array_foreach(vaults, i, one)
    {
        if (o->token ? is_named(one, o->token) : has_issuer(one, o->issuer))
            found = one;
    }
    return found;
}

/* The id of the vault that is to take it, from the daemon. */
static struct err *ask_vault(struct cli *c, const struct asked *o, struct view *ret)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_call(c, "GET", "/v1/requests?limit=1", NULL, &answer));
    const json_t *vault = pick_vault(json_object_get(answer, "vaults"), o);
    if (!vault)
        TRY(err_new(ERR_NOT_FOUND, "no vault is called '%s': see chancery hsm info", o->token));
    const char *id = json_string_value(json_object_get(vault, "id"));
    if (!id)
        TRY(err_new(ERR_TOKEN_AWAY, "the vault is not there; try again shortly"));
    TRY(hex_parse(c->arena, view_str(id), ret));
out:
    json_decref(answer);
    return e;
}

static struct err *make_act(struct cli *c, const struct asked *o, struct key *key, struct hsm_act *act,
                            struct view *ret)
{
    struct err *e = NULL;
    int64_t life;
    uint8_t *id = arena_alloc(c->arena, HSM_ACT_ID_BYTES), *asker = arena_alloc(c->arena, SHA256_BYTES);
    TRY(err_wrap(when_duration_parse(view_str(o->expires), &life), "--expires"));
    world_random(id, HSM_ACT_ID_BYTES);
    digest_sha256(key_spki(key), asker);
    act->id = view_of(id, HSM_ACT_ID_BYTES);
    act->asker = view_of(asker, SHA256_BYTES);
    act->made = world_now_s();
    act->expires = act->made + life;
    act->reason = o->reason;
    TRY(ask_vault(c, o, &act->vault));
    TRY(hsm_act_write(act, c->arena, ret));
out:
    return e;
}

/* The act is filled in; what becomes of it. */
static struct err *send_act(struct cli *c, const struct asked *o, struct hsm_act *act, struct view payload,
                            json_t **ret)
{
    struct err *e = NULL;
    struct hsm_act_signature signature;
    struct view der;
    struct key *key = NULL;
    TRY(key_open(c, &o->key, &key));
    TRY(make_act(c, o, key, act, &der));
    TRY(key_sign(c, key, hsm_act_statement(HSM_ACT_REQUEST, der, c->arena), &signature));
    json_t *body = signature_json(c, &signature);
    json_object_set_new(body, "act", json_string(base64_of(c->arena, der)));
    json_object_set_new(body, "payload", json_string(base64_of(c->arena, payload)));
    TRY(cli_call(c, "POST", "/v1/requests", body, ret));
out:
    key_close(key);
    return e;
}

struct err *request_ask(struct cli *c, const struct request_what *what, json_t **ret)
{
    uint8_t *hash = arena_alloc(c->arena, SHA256_BYTES);
    const struct asked o = {.reason = what->reason,
                            .expires = what->expires,
                            .token = what->token,
                            .issuer = what->issuer,
                            .key = what->key};
    struct hsm_act act = {.kind = what->kind, .object = what->object};
    digest_sha256(what->payload, hash);
    if (what->payload.n)
        act.object_sha256 = view_of(hash, SHA256_BYTES);
    return send_act(c, &o, &act, what->payload, ret);
}

static const char *path_of(struct cli *c, const char *id, const char *verb)
{
    return arena_printf(c->arena, "/v1/requests/%s%s%s", cli_escape(c, id), verb ? "/" : "",
                        verb ? verb : "");
}

static void say_waiting(const json_t *request)
{
    printf("request %s: %lld of %lld have approved; with enough: the same command with --request %s\n",
           json_string_value(json_object_get(request, "id")),
           (long long)json_integer_value(json_object_get(request, "have")),
           (long long)json_integer_value(json_object_get(request, "needed")),
           json_string_value(json_object_get(request, "id")));
}

struct err *request_carry_out(struct cli *c, const struct request_what *what, const char *id,
                              json_t **ret_made)
{
    struct err *e = NULL;
    json_t *request = NULL;
    *ret_made = NULL;
    if (!id) {
        TRY(request_ask(c, what, &request));
        id = json_string_value(json_object_get(request, "id"));
        const char *state = json_string_value(json_object_get(request, "state"));
        if (strcmp(state ? state : "", "approved") != 0) {
            say_waiting(request);
            goto out;
        }
    }
    TRY(cli_call(c, "POST", path_of(c, id, "execute"), NULL, ret_made));
out:
    json_decref(request);
    return e;
}

struct err *request_new(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct asked o = {.expires = "7d"};
    const struct cli_option options[] = {
        {"--reason", &o.reason, NULL, NULL},
        {"--expires", &o.expires, NULL, NULL},
        {"--payload", &o.payload, NULL, NULL},
        {"--sha256", &o.sha256, NULL, NULL},
        {"--template-sha256", &o.template_sha256, NULL, NULL},
        {"--vault", &o.token, NULL, NULL},
        KEY_OPTIONS(o.key),
    };
    struct hsm_act act = {.kind = HSM_ACT_NONE};
    struct view payload;
    json_t *answer = NULL;

    TRY(cli_options(options, sizeof options / sizeof *options, &argc, argv, 2, 2));
    if (!o.reason)
        TRY(cli_usage("--reason says why, for those who approve and for the books"));
    TRY(hsm_act_kind_parse(view_str(argv[0]), &act.kind));
    act.object = argv[1];
    o.issuer = strncmp(argv[1], "issuer:", 7) == 0 ? argv[1] + 7 : argv[1]; /* where it is one */
    TRY(read_payload(c, &o, &act, &payload));
    TRY(send_act(c, &o, &act, payload, &answer));
    print_request(c, answer);
out:
    json_decref(answer);
    return e;
}

/* --- looking --- */

struct err *request_list(struct cli *c, int argc, char **argv)
{
    static const struct cli_column columns[] = {
        {"ID", "id"},           {"STATE", "state"}, {"KIND", "kind"},
        {"OBJECT", "object"},   {"HAVE", "have"},   {"NEEDED", "needed"},
        {"EXPIRES", "expires"}, {"ASKER", "asker"}, {"REASON", "reason"},
    };
    struct err *e = NULL;
    const char *cursor = NULL, *limit = "50";
    const struct cli_option options[] = {{"--cursor", &cursor, NULL, NULL}, {"--limit", &limit, NULL, NULL}};
    json_t *answer = NULL;
    TRY(cli_options(options, 2, &argc, argv, 0, 0));
    const char *path = arena_printf(c->arena, "/v1/requests?limit=%s%s%s", cli_escape(c, limit),
                                    cursor ? "&cursor=" : "", cursor ? cli_escape(c, cursor) : "");
    TRY(cli_call(c, "GET", path, NULL, &answer));
    cli_print_list(c, answer, "requests", columns, sizeof columns / sizeof *columns);
out:
    json_decref(answer);
    return e;
}

static struct err *payload_of(struct cli *c, const json_t *request, struct view *ret)
{
    const char *text = json_string_value(json_object_get(request, "payload"));
    return base64_parse(c->arena, view_str(text ? text : ""), ret);
}

static struct err *act_of(struct cli *c, const json_t *request, struct view *ret_der, struct hsm_act *ret)
{
    struct err *e = NULL;
    const char *text = json_string_value(json_object_get(request, "act"));
    TRY(base64_parse(c->arena, view_str(text ? text : ""), ret_der));
    TRY(hsm_act_read(*ret_der, c->arena, ret));
out:
    return e;
}

static struct err *say_wanted(struct cli *c, const json_t *request, struct view payload)
{
    struct hsm_act act;
    struct view der;
    struct err *e = act_of(c, request, &der, &act);
    return e ? e : request_wanted_say(c, &act, payload, stdout);
}

struct err *request_show(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *out = NULL;
    const struct cli_option options[] = {{"--payload-out", &out, NULL, NULL}};
    json_t *answer = NULL;
    struct view payload;
    TRY(cli_options(options, 1, &argc, argv, 1, 1));
    TRY(cli_call(c, "GET", path_of(c, argv[0], NULL), NULL, &answer));
    print_request(c, answer);
    TRY(payload_of(c, answer, &payload));
    if (!c->json)
        TRY(say_wanted(c, answer, payload));
    if (out)
        TRY(file_write(out, payload, 0600));
out:
    json_decref(answer);
    return e;
}

/* --- approving, denying --- */

/* What the bytes say: this is what the signature is for. */
static struct err *read_act(struct cli *c, const char *id, struct view *ret_der, struct hsm_act *ret,
                            struct view *ret_payload)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_call(c, "GET", path_of(c, id, NULL), NULL, &answer));
    TRY(act_of(c, answer, ret_der, ret));
    TRY(payload_of(c, answer, ret_payload));
    if (strncmp(hex_of(c->arena, ret->id), id, strlen(id)) != 0)
        TRY(err_new(ERR_CORRUPT, "the daemon gave another request than %s: nothing was signed", id));
out:
    json_decref(answer);
    return e;
}

static void say(struct cli *c, enum hsm_act_verb verb, const struct hsm_act *act)
{
    fprintf(stderr, "%s: %s of %s, until %s\n  reason: %s\n  sha256: %s\n", hsm_act_verb_text(verb),
            hsm_act_row(act->kind)->text, act->object, when_text(c->arena, act->expires), act->reason,
            act->object_sha256.n ? hex_of(c->arena, act->object_sha256) : "-");
}

static struct err *answer_request(struct cli *c, int argc, char **argv, enum hsm_act_verb verb)
{
    struct err *e = NULL;
    struct key_options key_options = {.key = NULL};
    const struct cli_option options[] = {KEY_OPTIONS(key_options)};
    struct hsm_act act;
    struct hsm_act_signature signature;
    struct view der, payload;
    struct key *key = NULL;
    json_t *answer = NULL;
    TRY(cli_options(options, sizeof options / sizeof *options, &argc, argv, 1, 1));
    TRY(read_act(c, argv[0], &der, &act, &payload));
    say(c, verb, &act);
    TRY(request_wanted_say(c, &act, payload, stderr));
    TRY(key_open(c, &key_options, &key));
    TRY(key_sign(c, key, hsm_act_statement(verb, der, c->arena), &signature));
    TRY(cli_call(c, "POST", path_of(c, hex_of(c->arena, act.id), hsm_act_verb_text(verb)),
                 signature_json(c, &signature), &answer));
    print_request(c, answer);
out:
    key_close(key);
    json_decref(answer);
    return e;
}

struct err *request_approve(struct cli *c, int argc, char **argv)
{
    return answer_request(c, argc, argv, HSM_ACT_APPROVE);
}

struct err *request_deny(struct cli *c, int argc, char **argv)
{
    return answer_request(c, argc, argv, HSM_ACT_DENY);
}

struct err *request_execute(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    TRY(cli_options(NULL, 0, &argc, argv, 1, 1));
    TRY(cli_call(c, "POST", path_of(c, argv[0], "execute"), NULL, &answer));
    print_request(c, answer);
out:
    json_decref(answer);
    return e;
}
