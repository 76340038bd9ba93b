/*
 * Certificates that people approve first: 202 while they are waited for, and GET
 * /v1/requests/{id}/certificate, by which whoever asked looks after it. On the front's loop.
 */
#include "waiting.h"

#include "../house.h"
#include "base/hex.h"
#include "rest.h"

struct job {
    struct enroll *enroll;
    ticket_id ticket;
};

static const char *path_of(struct http_request *r, const struct ca_pending *p)
{
    return arena_printf(r->arena, "/v1/requests/%s/certificate", p->id);
}

void waiting_reply(struct http_request *r, const struct ca_pending *p, struct err *e)
{
    http_add(r, "Location", "%s", path_of(r, p));
    http_add(r, "Retry-After", "%d", err_retry_s(e));
    http_add(r, "Cache-Control", "no-store");
    answer_json(r, 202,
                json_pack("{s:s, s:s, s:i, s:i, s:o, s:s, s:s}", "request", p->id, "state", "pending",
                          "needed", (int)p->needed, "have", (int)p->have, "expires", answer_time(p->expires),
                          "certificate", path_of(r, p), "detail", err_detail(e)));
    err_free(e);
}

static void issued(void *arg, struct err *e, const struct ca_certificate *cert)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (!r)
        err_free(e);
    else if (e && cert)
        waiting_reply(r, cert->pending, e);
    else if (e)
        asker_problem(r, e);
    else
        answer_certificate(r, 200, cert, NULL);
}

static struct err *id_of(struct http_request *r, struct view *ret)
{
    enum { ID_BYTES = 16 };
    struct err *e = hex_parse(r->arena, http_segment(r, "id"), ret);
    if (!e && ret->n == ID_BYTES)
        return NULL;
    err_free(e);
    return err_new(ERR_NOT_FOUND, "a request's id is %d hex digits", 2 * ID_BYTES);
}

void waiting_get(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct ca_request request;
    struct view id;
    struct job *job = ARENA_NEW(r->arena, struct job);

    TRY(asker_admit(r, &asker));
    TRY(answer_acceptable(r));
    TRY(id_of(r, &id));
    TRY(ca_pending_request(en->setup.ca, asker, id, r->arena, &request));
    *job = (struct job){.enroll = en, .ticket = http_park(r)};
    ca_issue(en->setup.ca, &request, issued, job);
out:
    if (e)
        asker_refuse(r, asker, e);
}
