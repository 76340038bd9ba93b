/* GET /v1/hsm: what the token and its keys say of themselves, as the vault hears it; and whether it is there.
 */
#include "../house.h"
#include "rest.h"

struct looking {
    struct enroll *enroll;
    ticket_id ticket;
};

static json_t *field_json(const struct hsm_info_field *f)
{
    switch (f->type) {
    case HSM_INFO_NUMBER:
        return json_integer((json_int_t)f->number);
    case HSM_INFO_FLAG:
        return json_boolean(f->flag);
    default:
        return json_string(f->text);
    }
}

static struct err *group_json(struct view fields, struct arena *arena, json_t *to)
{
    struct err *e = NULL;
    struct hsm_info_field f;
    while (fields.n) {
        TRY(hsm_info_field(&fields, arena, &f));
        json_object_set_new(to, f.name, field_json(&f));
    }
out:
    return e;
}

/* Groups that come once are members, the others lists. */
static struct err *groups_json(struct view groups, struct arena *arena, json_t *tree)
{
    static const char *const lists[][2] = {{"mechanism", "mechanisms"}, {"key", "keys"}, {"lane", "lanes"}};
    struct err *e = NULL;
    const char *name;
    struct view fields;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        json_object_set_new(tree, lists[i][1], json_array());
    while (groups.n) {
        json_t *one = json_object(), *list = NULL;
        e = hsm_info_group(&groups, arena, &name, &fields);
        if (!e)
            e = group_json(fields, arena, one);
        for (size_t i = 0; !e && i < sizeof lists / sizeof *lists; i++)
            if (strcmp(name, lists[i][0]) == 0)
                list = json_object_get(tree, lists[i][1]);
        if (list)
            json_array_append_new(list, one);
        else if (!e)
            json_object_set_new(tree, name, one);
        else
            json_decref(one);
        TRY(e);
    }
out:
    return e;
}

static json_t *state_json(const struct hsm_status *s)
{
    return json_pack("{s:s, s:s}", "state", s->attached ? s->token : "away", "detail",
                     s->detail ? s->detail : "");
}

static void looked(void *arg, struct err *e, struct view groups)
{
    struct looking *l = arg;
    struct http_request *r = http_resume(l->enroll->http, l->ticket);
    if (!r) {
        err_free(e);
        return;
    }
    json_t *tree = state_json(hsm_status(l->enroll->setup.hsm));
    if (!e)
        e = groups_json(groups, r->arena, tree);
    if (!e) {
        answer_json(r, 200, tree);
        return;
    }
    json_decref(tree);
    asker_problem(r, e);
}

static const char *const no_query[] = {NULL};

/* Where the token is not there its state is the answer all the same. */
void keys_look(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct looking *l = ARENA_NEW(r->arena, struct looking);

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, no_query));
    const struct hsm_status *s = hsm_status(en->setup.hsm);
    if (!s->attached || strcmp(s->token, "ready") != 0) {
        answer_json(r, 200, state_json(s));
        goto out;
    }
    l->enroll = en;
    TRY(hsm_info(en->setup.hsm, looked, l, NULL));
    l->ticket = http_park(r);
out:
    if (e)
        asker_refuse(r, asker, e);
}
