/* /v1/acme/eab: keys that accounts are bound to; made, listed, ended. The key's text is told once, when it is
 * made, and can be made again by nobody but the front itself. */
#include <stddef.h>
#include <stdlib.h>

#include "acme.h"
#include "base/check.h"
#include "base/secret.h"
#include "base/world.h"
#include "staff.h"

enum { PAGE = 100 };

struct body {
    const char *label;
    struct conf_texts templates, names;
    int64_t accounts, ttl_s;
    bool preapproved;
};
static const struct conf_row rows[] = {
    {"label", CONF_TEXT, offsetof(struct body, label), false, 0, 200, "", NULL, "for people"},
    {"templates", CONF_TEXTS, offsetof(struct body, templates), true, 1, 64, NULL, NULL, "whose directories"},
    {"names", CONF_TEXTS, offsetof(struct body, names), true, 1, 64, NULL, NULL, "for which names: patterns"},
    {"accounts", CONF_INT, offsetof(struct body, accounts), false, 0, 1000000, "1", NULL,
     "how many accounts; 0: without bound"},
    {"ttl", CONF_DURATION, offsetof(struct body, ttl_s), false, 0, 0, "30d", NULL, "how long"},
    {"preapproved", CONF_BOOL, offsetof(struct body, preapproved), false, 0, 0, "false", NULL,
     "no challenge for these names"},
};

/* Not of the request's arena: the key is wiped, whatever the client does. */
struct job {
    struct enroll *en;
    ticket_id ticket;
    struct arena *arena;
    struct ledger_entry entry;
};

static struct err *switched_on(const struct enroll *en)
{
    return en->acme && en->config.acme ? NULL : err_new(ERR_NOT_FOUND, "ACME is not switched on here");
}

static void by(const struct ca_asker *asker, struct ledger_entry *to)
{
    to->actor = asker->id;
    to->door = asker->door;
    to->peer = asker->peer;
    to->request = asker->request_id;
}

/* --- making --- */

static bool is_offered(const struct enroll *en, const char *template)
{
    const struct ledger_texts *all = &en->config.acme->templates;
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->items[i], template) == 0)
            return true;
    return false;
}

static struct err *check(const struct enroll *en, const struct body *b)
{
    struct err *e = NULL;
    for (size_t i = 0; i < b->templates.n; i++)
        if (!is_offered(en, b->templates.items[i]))
            TRY(err_at(err_new(ERR_BAD_FIELD, "no template '%.100s' is offered by ACME (acme.templates)",
                               b->templates.items[i]),
                       "/templates/%zu", i));
    for (size_t i = 0; i < b->names.n; i++)
        TRY(err_at(templates_pattern_check(b->names.items[i]), "/names/%zu", i));
out:
    return e;
}

static void answer_made(struct http_request *r, const struct job *job)
{
    uint8_t secret[SHA256_BYTES];
    const struct ledger_acme_eab *eab = &job->entry.body.acme_eab;
    eab_secret(job->en->acme, eab->object.id, secret);
    char *text = base64url_of(job->arena, view_of(secret, sizeof secret));
    http_add(r, "Cache-Control", "no-store");
    answer_json(r, 201,
                json_pack("{s:s, s:s, s:o}", "kid", hex_of(r->arena, eab->object.id), "hmac_key", text,
                          "expires", answer_time(eab->expires)));
    secret_wipe(text, strlen(text));
    secret_wipe(secret, sizeof secret);
}

static void made(void *arg, struct err *e, const struct ledger_result *result)
{
    struct job *job = arg;
    struct arena *arena = job->arena;
    struct http_request *r = http_resume(job->en->http, job->ticket);
    (void)result;
    if (r && e)
        asker_problem(r, e);
    else if (r)
        answer_made(r, job);
    else
        err_free(e);
    arena_free(arena);
}

static struct err *decode(struct http_request *r, struct body *to)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    if (!http_is_type(r, "application/json"))
        TRY(err_new(ERR_BAD_MEDIA_TYPE, "send application/json"));
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), rows, sizeof rows / sizeof rows[0], r->arena, to));
out:
    conf_free(c);
    return e;
}

static struct job *job_new(struct enroll *en, const struct body *b)
{
    struct arena *arena = arena_new(1 << 20);
    struct job *job = ARENA_NEW(arena, struct job);
    uint8_t *id = arena_alloc(arena, ACME_ID_BYTES);
    world_random(id, ACME_ID_BYTES);
    *job = (struct job){.en = en, .arena = arena};
    job->entry = (struct ledger_entry){
        .kind = LEDGER_ACME_EAB,
        .body.acme_eab = {.object = {.id = view_of(id, ACME_ID_BYTES), .created = world_now_s()},
                          .label = b->label,
                          .templates = {b->templates.n, b->templates.items},
                          .names = {b->names.n, b->names.items},
                          .accounts = (uint64_t)b->accounts,
                          .preapproved = b->preapproved,
                          .expires = world_now_s() + b->ttl_s},
    };
    return job;
}

void staff_eab_create(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct body body = {.label = ""};
    struct job *job = NULL;
    TRY(asker_admit(r, &asker));
    TRY(switched_on(en));
    TRY(decode(r, &body));
    TRY(check(en, &body));
    job = job_new(en, &body);
    by(asker, &job->entry);
    TRY(ledger_append(en->setup.ledger, &job->entry, made, job, NULL));
    job->ticket = http_park(r);
    job = NULL;
out:
    if (job)
        arena_free(job->arena);
    if (e)
        asker_refuse(r, asker, e);
}

/* --- looking --- */

static const char *state_of(const struct ledger_acme_eab *eab)
{
    if (eab->revoked_at)
        return "revoked";
    if (eab->expires <= world_now_s())
        return "expired";
    return eab->accounts && eab->used >= eab->accounts ? "used-up" : "valid";
}

static json_t *eab_json(const struct ledger_entry *entry, struct arena *arena)
{
    const struct ledger_acme_eab *eab = &entry->body.acme_eab;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:b, s:o, s:o}", "kid",
                     hex_of(arena, eab->object.id), "label", eab->label, "status", state_of(eab), "templates",
                     answer_texts(&eab->templates), "names", answer_texts(&eab->names), "accounts",
                     (json_int_t)eab->accounts, "used", (json_int_t)eab->used, "preapproved",
                     (int)eab->preapproved, "created", answer_time(eab->object.created), "expires",
                     answer_time(eab->expires));
}

void staff_eab_list(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    const struct ledger_entry *list;
    const char *cursor;
    size_t n;
    uint64_t next;
    TRY(asker_admit(r, &asker));
    TRY(answer_query(r, "cursor", &cursor));
    TRY(ledger_object_list(en->setup.ledger, LEDGER_ACME_EAB, view_of("", 0),
                           cursor ? strtoull(cursor, NULL, 10) : 0, PAGE, r->arena, &list, &n, &next));
    json_t *keys = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(keys, eab_json(&list[i], r->arena));
    answer_json(r, 200,
                json_pack("{s:o, s:o}", "keys", keys, "next",
                          next ? json_sprintf("%llu", (unsigned long long)next) : json_null()));
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* --- ending --- */

struct ending {
    struct enroll *en;
    ticket_id ticket;
    const char *kid;
};

static void ended(void *arg, struct err *e, const struct ledger_result *result)
{
    struct ending *job = arg;
    struct http_request *r = http_resume(job->en->http, job->ticket);
    (void)result;
    if (r && e)
        asker_problem(r, e);
    else if (r)
        answer_json(r, 200, json_pack("{s:s, s:s}", "kid", job->kid, "status", "revoked"));
    else
        err_free(e);
}

void staff_eab_revoke(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct view id;
    struct ledger_entry entry;
    struct ending *job = ARENA_NEW(r->arena, struct ending);
    TRY(asker_admit(r, &asker));
    TRY(err_at(hex_parse(r->arena, http_segment(r, "id"), &id), "/id"));
    TRY(ledger_object_find(en->setup.ledger, LEDGER_ACME_EAB, id, r->arena, &entry));
    struct ledger_entry next = acme_next(&entry);
    if (!next.body.acme_eab.revoked_at)
        next.body.acme_eab.revoked_at = world_now_s();
    by(asker, &next);
    *job = (struct ending){.en = en, .kid = hex_of(r->arena, id)};
    TRY(ledger_append(en->setup.ledger, &next, ended, job, NULL));
    job->ticket = http_park(r);
out:
    if (e)
        asker_refuse(r, asker, e);
}
