/*
 * POST, GET /v1/tokens and DELETE /v1/tokens/{id}: bearer tokens. The text of a token is in one answer, once,
 * and nowhere else; everything after speaks of its id.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/world.h"
#include "rest.h"
#include "tokens.h"

enum { LIST_MAX = 1000, ID_HEX_MIN = 8 };

static const struct conf_row rows[] = {
    {"label", CONF_TEXT, offsetof(struct tokens_body, label), false, 0, 200, "", NULL, "for people"},
    {"templates", CONF_TEXTS, offsetof(struct tokens_body, templates), true, 1, 64, NULL, NULL,
     "what may be asked for"},
    {"names", CONF_TEXTS, offsetof(struct tokens_body, names), true, 1, 64, NULL, NULL,
     "for which names: patterns"},
    {"uses", CONF_INT, offsetof(struct tokens_body, uses), false, 0, 1000000000, "0", NULL,
     "how often; 0: without bound"},
    {"spki_sha256", CONF_TEXT, offsetof(struct tokens_body, spki_sha256), false, 64, 64, NULL, NULL,
     "in place of a secret text: the key that is shown in TLS"},
    {"ttl", CONF_DURATION, offsetof(struct tokens_body, ttl_s), false, 0, 0, "30d", NULL, "how long"},
};

/* Not of the request's arena: the text is wiped, whatever the client does. */
struct job {
    struct enroll *enroll;
    ticket_id ticket;
    char text[ENROLL_TOKEN_TEXT_BYTES];
    uint8_t id[32];
    int64_t expires;
};

static struct job *job_new(struct enroll *en)
{
    struct job *job = calloc(1, sizeof *job);
    CHECK(job);
    job->enroll = en;
    return job;
}

static void job_free(struct job *job)
{
    if (!job)
        return;
    secret_wipe(job->text, sizeof job->text);
    free(job);
}

static struct ledger_entry entry_of(const struct ca_asker *asker, unsigned kind)
{
    return (struct ledger_entry){.kind = kind,
                                 .actor = asker->id,
                                 .door = asker->door,
                                 .peer = asker->peer,
                                 .request = asker->request_id};
}

/* --- create --- */

json_t *tokens_made(const char *text, const uint8_t id[32], int64_t expires, struct arena *arena)
{
    return json_pack("{s:s*, s:s, s:o}", "token", text[0] ? text : NULL, "id", hex_of(arena, view_of(id, 32)),
                     "expires", answer_time(expires));
}

static void answer_created(struct http_request *r, const struct job *job)
{
    http_add(r, "Cache-Control", "no-store");
    answer_json(r, 201, tokens_made(job->text, job->id, job->expires, r->arena));
}

static void created(void *arg, struct err *e, const struct ledger_result *result)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    (void)result;
    if (r && e)
        asker_problem(r, e);
    else if (r)
        answer_created(r, job);
    else
        err_free(e);
    job_free(job);
}

static struct err *check(const struct enroll *en, const struct tokens_body *b)
{
    struct err *e = NULL;
    const struct templates *set = ca_setup_get(en->setup.ca)->templates;
    for (size_t i = 0; i < b->templates.n; i++) {
        const struct template *t = templates_find(set, view_str(b->templates.items[i]));
        if (!t || templates_internal(t))
            TRY(err_at(
                err_new(ERR_BAD_FIELD, "no template '%.100s' that may be granted", b->templates.items[i]),
                "/templates/%zu", i));
        TRY(err_at(templates_may_ask(t, TEMPLATES_BY_TOKEN), "/templates/%zu", i));
    }
    for (size_t i = 0; i < b->names.n; i++)
        TRY(err_at(templates_pattern_check(b->names.items[i]), "/names/%zu", i));
out:
    return e;
}

struct ledger_entry tokens_entry(const struct ca_asker *asker, const struct tokens_body *body,
                                 const uint8_t id[32], int64_t expires)
{
    struct ledger_entry entry = entry_of(asker, LEDGER_TOKEN_CREATE);
    entry.body.token = (struct ledger_token){
        .id = view_of(id, 32),
        .label = body->label,
        .templates = {body->templates.n, body->templates.items},
        .names = {body->names.n, body->names.items},
        .uses = (uint64_t)body->uses,
        .expires = expires,
    };
    return entry;
}

struct err *tokens_make(const struct tokens_body *body, struct arena *arena,
                        char text[ENROLL_TOKEN_TEXT_BYTES], uint8_t ret_id[32])
{
    struct err *e = NULL;
    struct view id;
    if (!body->spki_sha256) {
        enroll_token_make(text, ret_id);
        return NULL;
    }
    TRY(err_at(hex_parse(arena, view_str(body->spki_sha256), &id), "/spki_sha256"));
    memcpy(ret_id, id.p, 32);
    text[0] = '\0';
out:
    return e;
}

struct err *tokens_read(struct http_request *r, const struct conf *c, const json_t *node,
                        struct tokens_body *to)
{
    *to = (struct tokens_body){.label = ""};
    struct err *e = conf_fill(c, node, rows, sizeof rows / sizeof rows[0], r->arena, to);
    return e ? e : check(r->app, to);
}

static struct err *decode(struct http_request *r, struct tokens_body *to)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    if (!http_is_type(r, "application/json"))
        TRY(err_new(ERR_BAD_MEDIA_TYPE, "send application/json"));
    TRY(conf_parse_json(r->body, &c));
    TRY(tokens_read(r, c, conf_root(c), to));
out:
    conf_free(c);
    return e;
}

void tokens_create(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct tokens_body body;
    struct job *job = NULL;

    TRY(asker_admit(r, &asker));
    TRY(decode(r, &body));
    job = job_new(en);
    job->expires = world_now_s() + body.ttl_s;
    TRY(tokens_make(&body, r->arena, job->text, job->id));
    const struct ledger_entry entry = tokens_entry(asker, &body, job->id, job->expires);
    TRY(ledger_append(en->setup.ledger, &entry, created, job, NULL));
    job->ticket = http_park(r);
    job = NULL;
out:
    job_free(job);
    if (e)
        asker_refuse(r, asker, e);
}

/* --- list --- */

static json_t *token_json(const struct ledger_token_state *t, struct arena *arena)
{
    const char *status = t->revoked_at                                           ? "revoked"
                         : t->token.expires && t->token.expires <= world_now_s() ? "expired"
                         : t->token.uses && t->used >= t->token.uses             ? "used-up"
                                                                                 : "valid";
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:o, s:o}", "id", hex_of(arena, t->token.id),
                     "label", t->token.label, "status", status, "made_by", t->actor, "templates",
                     answer_texts(&t->token.templates), "names", answer_texts(&t->token.names), "uses",
                     (json_int_t)t->token.uses, "used", (json_int_t)t->used, "created",
                     answer_time(t->created_ms / 1000), "expires",
                     t->token.expires ? answer_time(t->token.expires) : json_null());
}

/* A page is bounded in octets too: whether there is more, only the next one tells. */
static struct err *has_more(const struct enroll *en, struct view last, struct arena *arena, bool *ret)
{
    const struct ledger_token_state *tokens;
    size_t n;
    struct err *e = ledger_token_list(en->setup.ledger, last, 1, arena, &tokens, &n);
    *ret = !e && n > 0;
    return e;
}

void tokens_list(struct http_request *r)
{
    static const char *const known[] = {"limit", "after", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    const struct ledger_token_state *tokens;
    size_t n, limit;
    const char *after;
    bool more = false;
    struct view last = {NULL, 0};

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(answer_limit(r, LIST_MAX, LIST_MAX, &limit));
    TRY(answer_query(r, "after", &after));
    if (after)
        TRY(err_at(hex_parse(r->arena, view_str(after), &last), "/after"));
    TRY(ledger_token_list(en->setup.ledger, last, limit, r->arena, &tokens, &n));
    if (n)
        TRY(has_more(en, tokens[n - 1].token.id, r->arena, &more));
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, token_json(&tokens[i], r->arena));
    json_t *tree = json_pack("{s:o}", "tokens", list);
    json_object_set_new(tree, "next",
                        more ? json_string(hex_of(r->arena, tokens[n - 1].token.id)) : json_null());
    answer_json(r, 200, tree);
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* --- revoke --- */

static void token_revoked(void *arg, struct err *e, const struct ledger_result *result)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (r && e)
        asker_problem(r, e);
    else if (r)
        answer_json(r, 200,
                    json_pack("{s:s, s:s, s:b}", "id", hex_of(r->arena, view_of(job->id, 32)), "status",
                              "revoked", "already", result->outcome == LEDGER_ALREADY));
    else
        err_free(e);
    job_free(job);
}

void tokens_revoke(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct view id = http_segment(r, "id");
    struct ledger_token_state t;
    struct job *job = NULL;

    TRY(asker_admit(r, &asker));
    if (id.n < ID_HEX_MIN)
        TRY(err_new(ERR_NOT_FOUND, "name a token by at least %d hex digits of its id", ID_HEX_MIN));
    TRY(hex_parse(r->arena, id, &id));
    TRY(ledger_token_find(en->setup.ledger, id, r->arena, &t));
    job = job_new(en);
    memcpy(job->id, t.token.id.p, sizeof job->id);
    struct ledger_entry entry = entry_of(asker, LEDGER_TOKEN_REVOKE);
    entry.body.token_revoke.id = t.token.id;
    TRY(ledger_append(en->setup.ledger, &entry, token_revoked, job, NULL));
    job->ticket = http_park(r);
    job = NULL;
out:
    job_free(job);
    if (e)
        asker_refuse(r, asker, e);
}
