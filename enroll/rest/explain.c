/*
 * POST /v1/templates/{name}/explain: what a request would come to and why, rule by rule. Nothing is signed or
 * recorded. Staff may have it explained for somebody else; a requester asks for itself alone.
 */
#include "../house.h"
#include "ca_explain.h"
#include "rest.h"

struct job {
    struct enroll *enroll;
    ticket_id ticket;
};

static json_t *field_json(const struct templates_shown *f)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "field", f->field, "value", f->value, "origin", f->source,
                     "note", f->note);
}

static json_t *rule_json(const struct templates_ruled *r)
{
    json_t *tree =
        json_pack("{s:s, s:s, s:s, s:s}", "rule", r->rule, "verdict", templates_verdict_name(r->verdict),
                  "judge", templates_judge_name(r->judge), "says", r->doc);
    if (r->detail[0])
        json_object_set_new(tree, "detail", json_string(r->detail));
    if (r->pointer[0])
        json_object_set_new(tree, "pointer", json_string(r->pointer));
    if (r->code != ERR__COUNT)
        json_object_set_new(tree, "type", json_sprintf("urn:chancery:error:%s", err_row(r->code)->type));
    return tree;
}

static void explained(void *arg, const struct ca_explained *x)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (!r)
        return;
    json_t *fields = json_array(), *rules = json_array();
    for (size_t i = 0; i < x->fields_n; i++)
        json_array_append_new(fields, field_json(&x->fields[i]));
    for (size_t i = 0; i < x->rules_n; i++)
        json_array_append_new(rules, rule_json(&x->rules[i]));
    http_add(r, "Cache-Control", "no-store");
    answer_json(r, 200,
                json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "template", x->template, "issuer", x->issuer,
                          "asker", x->asker, "issued", x->issued, "fields", fields, "rules", rules));
}

/* For whom: the one who asks, or for staff another. */
static struct err *asked_for(struct http_request *r, const char *id, struct ca_asker **asker)
{
    struct err *e = NULL;
    if (!id || strcmp(id, (*asker)->id) == 0)
        return NULL;
    if ((*asker)->role == CA_ROLE_REQUESTER || (*asker)->role == CA_ROLE_ENROLL_AGENT)
        return err_at(err_new(ERR_FORBIDDEN, "a requester may ask for itself alone"), "/asker");
    TRY(asker_named(r, id, asker));
out:
    return e;
}

void explain_post(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL, *whom;
    struct ca_request request = {.template = NULL};
    const char *id = NULL;
    struct job *job = ARENA_NEW(r->arena, struct job);

    TRY(asker_admit(r, &asker));
    TRY(about_template_named(r, asker, &request.template));
    TRY(issue_decode_explain(r, &request, &id));
    whom = asker;
    TRY(asked_for(r, id, &whom));
    request.asker = whom;
    *job = (struct job){.enroll = en, .ticket = http_park(r)};
    ca_explain(en->setup.ca, &request, explained, job);
out:
    if (e)
        asker_refuse(r, asker, e);
}
