/*
 * POST /v1/transcripts: {"text": ...}: the transcript of a ceremony that was held elsewhere comes into this
 * house's ledger, whole, once its lines are seen to follow each other. What it says is not judged here: it
 * was for the participants to see.
 */
#include <stddef.h>

#include "../house.h"
#include "base/conf.h"
#include "base/hex.h"
#include "ca_hierarchy.h"
#include "rest.h"

struct body {
    const char *text;
};

static const struct conf_row rows[] = {
    {"text", CONF_TEXT, offsetof(struct body, text), true, 1, CA_TRANSCRIPT_BYTES, NULL, NULL,
     "the transcript, as `chancery ceremony` wrote it"},
};

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    struct ca_transcript transcript;
};

static void recorded(void *arg, struct err *e, const struct ledger_result *result)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (!r) {
        err_free(e);
        return;
    }
    if (e) {
        asker_problem(r, e);
        return;
    }
    const struct ca_transcript *t = &job->transcript;
    answer_json(r, 201,
                json_pack("{s:I, s:s, s:I, s:b, s:b, s:s}", "entry", (json_int_t)result->seq, "ceremony",
                          t->title, "steps", (json_int_t)t->steps, "rehearsal", t->rehearsal, "complete",
                          t->complete, "sha256", hex_of(r->arena, view_of(t->sha256, SHA256_BYTES))));
}

static struct err *decode(struct http_request *r, struct ca_transcript *ret, struct view *ret_text)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct body body = {.text = NULL};

    if (!http_is_type(r, "application/json"))
        TRY(err_new(ERR_BAD_MEDIA_TYPE, "send application/json: {\"text\": \"...\"}"));
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), rows, 1, r->arena, &body));
    *ret_text = view_str(body.text);
    e = ca_transcript_read(*ret_text, r->arena, ret);
    if (e) { /* what came from outside is the asker's fault, not our books' */
        struct err *why = e;
        e = err_at(err_new(ERR_BAD_FIELD, "%s", err_detail(why)), "/text");
        err_free(why);
    }
out:
    conf_free(c);
    return e;
}

void transcripts_post(struct http_request *r)
{
    static const char *const none[] = {NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct job *job = ARENA_NEW(r->arena, struct job);
    struct view text;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, none));
    TRY(decode(r, &job->transcript, &text));
    const struct ca_transcript *t = &job->transcript;
    const struct ledger_entry entry = {
        .kind = LEDGER_TRANSCRIPT,
        .actor = asker->id,
        .door = asker->door,
        .peer = asker->peer,
        .request = asker->request_id,
        .body.transcript = {.title = t->title,
                            .rehearsal = t->rehearsal,
                            .complete = t->complete,
                            .sha256 = view_of(t->sha256, SHA256_BYTES),
                            .text = text},
    };
    job->enroll = en;
    TRY(ledger_append(en->setup.ledger, &entry, recorded, job, NULL));
    job->ticket = http_park(r);
out:
    if (e)
        asker_refuse(r, asker, e);
}
