/*
 * POST /v1/tokens/batch: up to a thousand bearer tokens in one call, each as POST /v1/tokens makes them. All
 * are durable before any text is handed out; where one cannot be made, none is.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/conf.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/world.h"
#include "rest.h"
#include "tokens.h"

enum { BATCH_MAX = 1000 };

struct one {
    struct tokens_body body;
    char text[ENROLL_TOKEN_TEXT_BYTES];
    uint8_t id[32];
    int64_t expires;
};

/* Not of the request's arena: the texts are wiped, whatever the client does. */
struct job {
    struct enroll *enroll;
    ticket_id ticket;
    struct err *e; /* the first that there was */
    size_t n, left;
    struct one all[];
};

static void job_free(struct job *job)
{
    if (!job)
        return;
    err_free(job->e);
    for (size_t i = 0; i < job->n; i++)
        secret_wipe(job->all[i].text, sizeof job->all[i].text);
    free(job);
}

static void answer(struct http_request *r, const struct job *job)
{
    json_t *list = json_array();
    for (size_t i = 0; i < job->n; i++) {
        const struct one *one = &job->all[i];
        json_array_append_new(list, tokens_made(one->text, one->id, one->expires, r->arena));
    }
    http_add(r, "Cache-Control", "no-store");
    answer_json(r, 201, json_pack("{s:o}", "tokens", list));
}

static void created(void *arg, struct err *e, const struct ledger_result *result)
{
    struct job *job = arg;
    (void)result;
    if (job->e)
        err_free(e);
    else
        job->e = e;
    if (--job->left > 0)
        return;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (r && job->e) {
        asker_problem(r, job->e);
        job->e = NULL;
    } else if (r) {
        answer(r, job);
    }
    job_free(job);
}

/* --- the body --- */

struct batch {
    const json_t *tokens;
};
static const struct conf_row batch_rows[] = {{"tokens", CONF_TREE, offsetof(struct batch, tokens), true, 0, 0,
                                              NULL, NULL, "a list of bodies as for POST /v1/tokens"}};

static struct err *read_all(struct http_request *r, const struct conf *c, const json_t *list, struct job *job)
{
    struct err *e = NULL;
    for (size_t i = 0; i < job->n; i++) {
        struct one *one = &job->all[i];
        TRY(err_at(tokens_read(r, c, json_array_get(list, i), &one->body), "/tokens/%zu", i));
        one->expires = world_now_s() + one->body.ttl_s;
        TRY(err_at(tokens_make(&one->body, r->arena, one->text, one->id), "/tokens/%zu", i));
    }
out:
    return e;
}

static struct err *decode(struct http_request *r, struct job **ret)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct batch batch;
    struct job *job = NULL;
    if (!http_is_type(r, "application/json"))
        TRY(err_new(ERR_BAD_MEDIA_TYPE, "send application/json"));
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), batch_rows, 1, r->arena, &batch));
    size_t n = json_array_size(batch.tokens);
    if (!json_is_array(batch.tokens) || n == 0 || n > BATCH_MAX)
        TRY(conf_error(c, batch.tokens, "tokens is a list of 1 to %d", BATCH_MAX));
    job = calloc(1, sizeof *job + n * sizeof job->all[0]);
    CHECK(job);
    job->enroll = r->app;
    job->n = n;
    TRY(read_all(r, c, batch.tokens, job));
    *ret = job;
    job = NULL;
out:
    job_free(job);
    conf_free(c);
    return e;
}

/* Those written before one fails have a text that nobody is told. */
static struct err *append_all(struct job *job, const struct ca_asker *asker)
{
    for (size_t i = 0; i < job->n; i++) {
        const struct one *one = &job->all[i];
        const struct ledger_entry entry = tokens_entry(asker, &one->body, one->id, one->expires);
        struct err *e = ledger_append(job->enroll->setup.ledger, &entry, created, job, NULL);
        if (e && job->left == 0)
            return e;
        if (e) {
            job->e = e;
            return NULL;
        }
        job->left++;
    }
    return NULL;
}

void token_batch_post(struct http_request *r)
{
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    struct job *job = NULL;

    TRY(asker_admit(r, &asker));
    TRY(decode(r, &job));
    TRY(append_all(job, asker));
    job->ticket = http_park(r);
    job = NULL;
out:
    job_free(job);
    if (e)
        asker_refuse(r, asker, e);
}
