/*
 * POST, GET /v1/freezes: nothing more is issued for an issuer, a template, an asker, or at all. The end of a
 * freeze is an act (/v1/requests, kind thaw).
 */
#include <stddef.h>

#include "../house.h"
#include "base/conf.h"
#include "ca_act.h"
#include "hsm_house.h"
#include "rest.h"

struct body {
    int what;
    const char *name, *reason;
};
static const char *const whats[] = {"all", "issuer", "template", "asker", NULL};
static const struct conf_row rows[] = {
    {"what", CONF_CHOICE, offsetof(struct body, what), true, 0, 0, NULL, whats, "of what"},
    {"name", CONF_TEXT, offsetof(struct body, name), false, 0, HSM_FREEZE_NAME_MAX, "", NULL,
     "of the issuer or template, the asker's id"},
    {"reason", CONF_TEXT, offsetof(struct body, reason), true, 1, 500, NULL, NULL, "why"},
};

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    const char *what, *name, *reason;
};

static void frozen(void *arg, struct err *e, uint64_t seq)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (!r)
        err_free(e);
    else if (e)
        asker_problem(r, e);
    else
        answer_json(r, 201,
                    json_pack("{s:s, s:s, s:s, s:I}", "what", job->what, "name", job->name, "reason",
                              job->reason, "entry", (json_int_t)seq));
}

/* A name that is none of ours would freeze nothing: said at once. */
static struct err *check(const struct enroll *en, const struct body *b, enum hsm_freeze_what what)
{
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    if ((what == HSM_FREEZE_ALL) != (b->name[0] == '\0'))
        return err_at(err_new(ERR_BAD_FIELD, "all has no name; an issuer, a template, an asker has one"),
                      "/name");
    if (what == HSM_FREEZE_ISSUER && !ca_issuer_find(setup, b->name))
        return err_at(err_new(ERR_ISSUER_UNKNOWN, "no issuer '%.64s'", b->name), "/name");
    if (what == HSM_FREEZE_TEMPLATE && !templates_find(setup->templates, view_str(b->name)))
        return err_at(err_new(ERR_TEMPLATE_UNKNOWN, "no template '%.64s'", b->name), "/name");
    return NULL;
}

static struct err *decode(struct http_request *r, struct body *ret)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    *ret = (struct body){.name = ""};
    if (!http_is_type(r, "application/json"))
        return err_new(
            ERR_BAD_MEDIA_TYPE,
            "send application/json: {\"what\": \"issuer\", \"name\": \"issuing\", \"reason\": \"...\"}");
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), rows, sizeof rows / sizeof *rows, r->arena, ret));
out:
    conf_free(c);
    return e;
}

void freezes_post(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct body body;
    struct job *job = ARENA_NEW(r->arena, struct job);
    TRY(asker_admit(r, &asker));
    TRY(decode(r, &body));
    const struct hsm_freeze what = {.what = (enum hsm_freeze_what)(body.what + HSM_FREEZE_ALL),
                                    .name = body.name};
    TRY(check(en, &body, what.what));
    *job = (struct job){.enroll = en, .what = whats[body.what], .name = body.name, .reason = body.reason};
    job->ticket = http_park(r);
    e = ca_freeze(en->setup.ca, asker, &what, body.reason, frozen, job);
    if (e)
        r = http_resume(en->http, job->ticket);
out:
    if (e)
        asker_refuse(r, asker, e);
}

static void list_add(json_t *list, struct hsm *vault)
{
    const struct hsm_status *s = hsm_status(vault);
    for (size_t i = 0; i < s->n_freezes; i++) {
        const struct hsm_freeze *f = &s->freezes[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o, s:s, s:s}", "what", hsm_freeze_what_text(f->what),
                                        "name", f->name, "since", answer_time(f->since), "why", f->why,
                                        "vault", hsm_name(vault)));
    }
}

void freezes_list(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    TRY(asker_admit(r, &asker));
    json_t *list = json_array();
    for (struct hsm *v = en->setup.hsm; v; v = hsm_next(v))
        list_add(list, v);
    answer_json(r, 200, json_pack("{s:o}", "freezes", list));
out:
    if (e)
        asker_refuse(r, asker, e);
}
