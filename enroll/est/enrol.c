/*
 * POST simpleenroll (RFC 7030 4.2.1): a CSR in, the certificate alone in a certs-only message out; the chain
 * is what cacerts gives. On the front's loop.
 */
#include "est.h"

struct job {
    struct enroll *enroll;
    ticket_id ticket;
};

static void issued(void *arg, struct err *e, const struct ca_certificate *cert)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (r && e)
        est_problem(r, e);
    else if (r)
        est_reply_certs(r, &cert->der, 1);
    else
        err_free(e);
}

static void ask(struct http_request *r, const struct ca_request *request)
{
    struct enroll *en = r->app;
    struct job *job = ARENA_NEW(r->arena, struct job);
    *job = (struct job){.enroll = en, .ticket = http_park(r)};
    ca_issue(en->setup.ca, request, issued, job);
}

void enrol_post(struct http_request *r)
{
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    struct ca_request request = {.template = NULL};

    TRY(est_admit(r, &asker));
    TRY(est_body(r, &request.csr));
    request.asker = asker;
    request.template = est_template(r, asker);
    ask(r, &request);
out:
    if (e)
        est_refuse(r, asker, e);
}
