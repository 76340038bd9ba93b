/* GET /v1/hsm: what the token and its keys say of themselves, as the vault hears it; and whether it is there.
 */
#include "../house.h"
#include "hsm_house.h"
#include "hsm_info.h"
#include "rest.h"

struct looking {
    struct enroll *enroll;
    struct hsm *vault;
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
    static const char *const lists[][2] = {{"mechanism", "mechanisms"},
                                           {"key", "keys"},
                                           {"lane", "lanes"},
                                           {"token", "tokens"},
                                           {"pin", "pins"}};
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
        if (list && strcmp(name, "token") == 0 && json_array_size(list) == 0)
            json_object_set(tree, name, one); /* the first */
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

/* A vault and its tokens. */
static json_t *state_json(struct hsm *vault)
{
    const struct hsm_status *s = hsm_status(vault);
    json_t *states = json_array();
    for (size_t i = 0; i < s->n_tokens; i++) {
        const struct hsm_token_status *t = &s->tokens[i];
        json_t *one = json_pack("{s:s, s:s, s:s}", "token", t->name, "state", t->state, "detail", t->detail);
        json_array_append_new(states, one);
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "vault", hsm_name(vault), "state",
                     s->attached ? s->token : "away", "detail", s->detail ? s->detail : "", "states", states);
}

/* Of one vault; and how each of the house stands. */
static json_t *house_json(const struct enroll *en, struct hsm *vault)
{
    json_t *tree = state_json(vault), *list = json_array();
    for (struct hsm *v = en->setup.hsm; v; v = hsm_next(v))
        json_array_append_new(list, state_json(v));
    json_object_set_new(tree, "vaults", list);
    return tree;
}

static void looked(void *arg, struct err *e, struct view groups)
{
    struct looking *l = arg;
    struct http_request *r = http_resume(l->enroll->http, l->ticket);
    if (!r) {
        err_free(e);
        return;
    }
    json_t *tree = house_json(l->enroll, l->vault);
    if (!e)
        e = groups_json(groups, r->arena, tree);
    if (!e) {
        answer_json(r, 200, tree);
        return;
    }
    json_decref(tree);
    asker_problem(r, e);
}

static struct err *find_vault(struct http_request *r, struct hsm **ret)
{
    struct err *e = NULL;
    const struct enroll *en = r->app;
    const char *name = NULL;
    struct hsm *v = en->setup.hsm;
    TRY(answer_query(r, "vault", &name));
    while (v && name && strcmp(hsm_name(v), name) != 0)
        v = hsm_next(v);
    if (!v)
        e = err_new(ERR_NOT_FOUND, "no vault is called '%.64s'", name);
    *ret = v;
out:
    return e;
}

static const char *const known[] = {"vault", NULL};

/* Where the token is not there its state is the answer all the same. */
void keys_look(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct looking *l = ARENA_NEW(r->arena, struct looking);

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    l->enroll = en;
    TRY(find_vault(r, &l->vault));
    const struct hsm_status *s = hsm_status(l->vault);
    if (!s->attached || strcmp(s->token, "ready") != 0) {
        answer_json(r, 200, house_json(en, l->vault));
        goto out;
    }
    TRY(hsm_info(l->vault, looked, l, NULL));
    l->ticket = http_park(r);
out:
    if (e)
        asker_refuse(r, asker, e);
}
