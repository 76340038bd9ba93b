/*
 * /v1/requests: acts that the roster must approve - asked for, shown, approved, denied, executed - and
 * /v1/freezes. Signatures come with the body and are made where the key is; what they are worth is judged
 * against the roster here, and by the vault again.
 */
#include <stddef.h>
#include <stdlib.h>

#include "../house.h"
#include "base/conf.h"
#include "base/hex.h"
#include "ca_act.h"
#include "hsm_house.h"
#include "rest.h"
#include "wishes.h"

enum { PAGE = 50, PAGE_MAX = 100 };

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    struct view id;
    int status;
};

static const struct hsm_roster *roster_of(const struct http_request *r)
{
    return ((const struct enroll *)r->app)->config.roster;
}

/* --- as JSON --- */

static json_t *hex_or_null(struct view octets, struct arena *arena)
{
    return octets.n ? json_string(hex_of(arena, octets)) : json_null();
}

static json_t *step_json(const struct ledger_act_step *s, struct arena *arena)
{
    json_t *tree =
        json_pack("{s:I, s:s, s:o, s:s}", "entry", (json_int_t)s->seq, "what", ledger_kind_text(s->kind),
                  "time", answer_time(s->time_ms / 1000), "who", s->actor);
    if (s->kind == LEDGER_ACT_DONE)
        json_object_set_new(tree, "seal", json_integer((json_int_t)s->note.number));
    else
        json_object_set_new(tree, "signature", json_string(base64_of(arena, s->signature)));
    return tree;
}

static json_t *steps_json(const struct ledger_act_state *book, struct arena *arena)
{
    json_t *list = json_array();
    for (size_t i = 0; i < book->steps_n; i++)
        json_array_append_new(list, step_json(&book->steps[i], arena));
    return list;
}

static json_t *request_json(const struct ca_act *a, bool whole, struct arena *arena)
{
    const struct ledger_act *said = &a->book.request;
    json_t *tree =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:i, s:I}", "id", hex_of(arena, a->act.id),
                  "kind", hsm_act_row(a->act.kind)->text, "object", a->act.object, "state",
                  ca_act_state_text(a->state), "asker", a->book.actor, "reason", a->act.reason, "made",
                  answer_time(a->act.made), "expires", answer_time(a->act.expires), "needed", (int)a->needed,
                  "have", (int)a->have, "entry", (json_int_t)a->book.seq);
    if (!whole)
        return tree;
    json_object_set_new(tree, "object_sha256", hex_or_null(a->act.object_sha256, arena));
    json_object_set_new(tree, "template_sha256", hex_or_null(a->act.template_sha256, arena));
    json_object_set_new(tree, "act", json_string(base64_of(arena, said->act)));
    json_object_set_new(tree, "signature", json_string(base64_of(arena, said->signature)));
    json_object_set_new(tree, "payload", json_string(base64_of(arena, said->payload)));
    json_object_set_new(tree, "steps", steps_json(&a->book, arena));
    return tree;
}

static struct err *id_of(struct http_request *r, struct view *ret)
{
    struct err *e = hex_parse(r->arena, http_segment(r, "id"), ret);
    if (!e)
        return NULL;
    err_free(e);
    return err_new(ERR_NOT_FOUND, "a request's id is hexadecimal, at least 8 digits of it");
}

/* --- looking --- */

/* For whom an act can be made, and whose keys each holds. */
static json_t *vaults_json(const struct enroll *en, struct arena *arena)
{
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    json_t *list = json_array();
    for (struct hsm *v = en->setup.hsm; v; v = hsm_next(v)) {
        json_t *issuers = json_array();
        for (size_t i = 0; i < setup->issuers_n; i++)
            if (!setup->issuers[i].offline && hsm_for(v, setup->issuers[i].name) == v)
                json_array_append_new(issuers, json_string(setup->issuers[i].name));
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o}", "name", hsm_name(v), "id",
                                        hex_or_null(hsm_status(v)->roll_id, arena), "issuers", issuers));
    }
    return list;
}

void requests_list(struct http_request *r)
{
    static const char *const known[] = {"limit", "cursor", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    const struct ledger_act_state *books;
    const char *cursor;
    size_t limit, n;
    json_t *list = json_array();

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(answer_limit(r, PAGE, PAGE_MAX, &limit));
    TRY(answer_query(r, "cursor", &cursor));
    uint64_t before = cursor ? strtoull(cursor, NULL, 10) : 0;
    TRY(ledger_act_list(en->setup.ledger, before, limit, r->arena, &books, &n));
    for (size_t i = 0; i < n; i++) {
        struct ca_act a;
        TRY(ca_act_read(en->setup.ca, roster_of(r), &books[i], r->arena, &a));
        json_array_append_new(list, request_json(&a, false, r->arena));
    }
    json_t *next = n == limit && n ? json_sprintf("%llu", (unsigned long long)books[n - 1].seq) : json_null();
    answer_json(r, 200,
                json_pack("{s:o, s:o, s:o, s:o}", "requests", list, "next", next, "vault",
                          hex_or_null(hsm_status(en->setup.hsm)->roll_id, r->arena), "vaults",
                          vaults_json(en, r->arena)));
    return;
out:
    json_decref(list);
    asker_refuse(r, asker, e);
}

void requests_show(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct view id;
    struct ca_act a;
    TRY(asker_admit(r, &asker));
    TRY(id_of(r, &id));
    TRY(ca_act_find(en->setup.ca, roster_of(r), id, r->arena, &a));
    answer_json(r, 200, request_json(&a, true, r->arena));
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* --- asking, approving, denying, executing --- */

struct body {
    const char *act, *payload, *alg, *spki, *signature;
};
static const struct conf_row rows[] = {
    {"alg", CONF_TEXT, offsetof(struct body, alg), true, 1, 64, NULL, NULL, "as ecdsa-sha256"},
    {"spki", CONF_TEXT, offsetof(struct body, spki), true, 1, 4096, NULL, NULL, "the key, base64"},
    {"signature", CONF_TEXT, offsetof(struct body, signature), true, 1, 4096, NULL, NULL, "base64"},
    {"act", CONF_TEXT, offsetof(struct body, act), true, 1, 8192, NULL, NULL, "DER, base64"},
    {"payload", CONF_TEXT, offsetof(struct body, payload), false, 0, 96 * 1024, "", NULL, "base64"},
};
enum { SIGNATURE_ROWS = 3 };

static struct err *octets(struct arena *arena, const char *text, const char *pointer, struct view *ret)
{
    return err_at(base64_parse(arena, view_str(text), ret), "/%s", pointer);
}

static struct err *read_body(struct http_request *r, size_t rows_n, struct body *ret,
                             struct hsm_act_signature *ret_signature)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    *ret = (struct body){.payload = ""};
    if (!http_is_type(r, "application/json"))
        return err_new(ERR_BAD_MEDIA_TYPE, "send application/json");
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), rows, rows_n, r->arena, ret));
    TRY(err_at(cert_alg_parse(view_str(ret->alg), &ret_signature->alg), "/alg"));
    TRY(octets(r->arena, ret->spki, "spki", &ret_signature->spki));
    TRY(octets(r->arena, ret->signature, "signature", &ret_signature->signature));
out:
    conf_free(c);
    return e;
}

static struct job *park(struct http_request *r, struct view id, int status)
{
    struct job *job = ARENA_NEW(r->arena, struct job);
    *job = (struct job){.enroll = r->app, .id = id, .status = status};
    job->ticket = http_park(r);
    return job;
}

/* The request as it stands now. */
static void written(void *arg, struct err *e, uint64_t seq)
{
    struct job *job = arg;
    struct enroll *en = job->enroll;
    struct ca_act a;
    struct http_request *r = http_resume(en->http, job->ticket);
    (void)seq;
    if (!r) {
        err_free(e);
        return;
    }
    if (!e)
        e = ca_act_find(en->setup.ca, en->config.roster, job->id, r->arena, &a);
    if (e)
        asker_problem(r, e);
    else
        answer_json(r, job->status, request_json(&a, true, r->arena));
}

void requests_create(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct body body;
    struct hsm_act_signature signature;
    struct hsm_act act;
    struct view der, payload;
    TRY(asker_admit(r, &asker));
    TRY(read_body(r, sizeof rows / sizeof *rows, &body, &signature));
    TRY(octets(r->arena, body.act, "act", &der));
    TRY(octets(r->arena, body.payload, "payload", &payload));
    TRY(err_at(hsm_act_read(der, r->arena, &act), "/act"));
    struct job *job = park(r, act.id, 201);
    e = ca_act_request(en->setup.ca, asker, roster_of(r), der, &signature, payload, written, job);
    if (e)
        r = http_resume(en->http, job->ticket);
out:
    if (e)
        asker_refuse(r, asker, e);
}

static void sign(struct http_request *r, enum hsm_act_verb verb)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct body body;
    struct hsm_act_signature signature;
    struct view id;
    TRY(asker_admit(r, &asker));
    TRY(id_of(r, &id));
    TRY(read_body(r, SIGNATURE_ROWS, &body, &signature));
    struct job *job = park(r, id, 200);
    e = ca_act_sign(en->setup.ca, asker, roster_of(r), id, verb, &signature, written, job);
    if (e)
        r = http_resume(en->http, job->ticket);
out:
    if (e)
        asker_refuse(r, asker, e);
}

void requests_approve(struct http_request *r)
{
    sign(r, HSM_ACT_APPROVE);
}

void requests_deny(struct http_request *r)
{
    sign(r, HSM_ACT_DENY);
}

void requests_execute(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct view id;
    struct ca_act a;
    TRY(asker_admit(r, &asker));
    TRY(id_of(r, &id));
    TRY(ca_act_find(en->setup.ca, roster_of(r), id, r->arena, &a));
    if (a.act.kind == HSM_ACT_CERTIFICATE)
        TRY(err_new(ERR_WRONG_STATE, "whoever asked for it fetches it: GET /v1/requests/%s/certificate",
                    hex_of(r->arena, a.act.id)));
    if (wishes_kind(a.act.kind)) {
        TRY(wishes_execute(r, asker, roster_of(r), id));
        return;
    }
    struct job *job = park(r, id, 200);
    e = ca_act_execute(en->setup.ca, asker, roster_of(r), id, written, job);
    if (e)
        r = http_resume(en->http, job->ticket);
out:
    if (e)
        asker_refuse(r, asker, e);
}
