/*
 * POST simpleenroll and simplereenroll (RFC 7030 4.2): a CSR in, the certificate alone in a certs-only
 * message out; the chain is what cacerts gives. On the front's loop.
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
    if (!r) {
        err_free(e);
        return;
    }
    if (e) {
        est_problem(r, e);
        return;
    }
    answer_renew_after(r, cert);
    est_reply_certs(r, &cert->der, 1);
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

/* The label may be left out, but not be another's. */
static struct err *check_label(struct http_request *r, const struct ca_request *request)
{
    const char *label = est_label(r);
    if (!label || strcmp(label, request->template) == 0)
        return NULL;
    return err_new(ERR_FORBIDDEN, "this certificate is of the template '%s', and stays so",
                   request->template);
}

void enrol_again_post(struct http_request *r)
{
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    struct ca_request request = {.template = NULL};

    TRY(renew_request(r, &asker, &request));
    asker->door = EST_DOOR;
    TRY(check_label(r, &request));
    TRY(est_body(r, &request.csr));
    ask(r, &request);
out:
    if (e)
        est_refuse(r, asker, e);
}
