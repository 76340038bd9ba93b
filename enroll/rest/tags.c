/* PUT /v1/certificates/{serial}/tags: all the tags it shall have. */
#include "ca_tags.h"

#include <stddef.h>

#include "../house.h"
#include "base/conf.h"
#include "base/hex.h"
#include "rest.h"
#include "tags.h"

struct body {
    const json_t *tags;
};
static const struct conf_row rows[] = {
    {"tags", CONF_TREE, offsetof(struct body, tags), true, 0, 0, NULL, NULL, "{\"team\": \"pay\"}"},
};

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    const char *serial;
    struct ledger_texts tags;
};

struct err *tags_of(const struct conf *c, const json_t *tree, struct arena *arena, struct ledger_texts *ret)
{
    size_t n = json_object_size(tree), i = 0;
    const char *key;
    json_t *value;
    if (!json_is_object(tree) || n > CA_TAGS_MAX)
        return conf_error(c, tree, "tags is an object of at most %d texts", CA_TAGS_MAX);
    struct ca_tag *tags = arena_array(arena, n + 1, sizeof *tags);
    json_object_foreach((json_t *)(uintptr_t)tree, key, value)
    {
        if (!json_is_string(value))
            return conf_error(c, value, "a tag's value is a text");
        tags[i++] = (struct ca_tag){key, json_string_value(value)};
    }
    return ca_tags_make(tags, n, arena, ret);
}

json_t *tags_json(const struct ledger_texts *tags)
{
    json_t *tree = json_object();
    for (size_t i = 0; i < tags->n; i++) {
        const char *text = tags->items[i], *value = strchr(text, '=');
        if (value)
            json_object_setn_new(tree, text, (size_t)(value - text), json_string(value + 1));
    }
    return tree;
}

static void tagged(void *arg, struct err *e, uint64_t entry)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (r && e)
        asker_problem(r, e);
    else if (r)
        answer_json(r, 200,
                    json_pack("{s:s, s:o, s:I}", "serial", job->serial, "tags", tags_json(&job->tags),
                              "entry", (json_int_t)entry));
    else
        err_free(e);
}

void tags_put(struct http_request *r)
{
    static const char *const known[] = {"issuer", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct conf *c = NULL;
    struct body body = {.tags = NULL};
    struct job *job = ARENA_NEW(r->arena, struct job);
    struct view serial;
    const char *issuer;
    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(answer_query(r, "issuer", &issuer));
    TRY(answer_serial(r, &serial));
    if (!http_is_type(r, "application/json"))
        TRY(err_new(ERR_BAD_MEDIA_TYPE, "send application/json"));
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), rows, 1, r->arena, &body));
    *job = (struct job){.enroll = en, .serial = hex_of(r->arena, serial)};
    TRY(tags_of(c, body.tags, r->arena, &job->tags));
    job->ticket = http_park(r);
    e = ca_tag(en->setup.ca, asker, issuer, serial, &job->tags, tagged, job);
    if (e)
        r = http_resume(en->http, job->ticket);
out:
    conf_free(c);
    if (e)
        asker_refuse(r, asker, e);
}
