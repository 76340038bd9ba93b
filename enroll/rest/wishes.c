/*
 * Executing requests whose outcome is a CA certificate or a request for one: the engine carries the approved
 * wish out, the act is noted as done, and what was made is the answer.
 */
#include "wishes.h"
#include "../house.h"
#include "ca_act.h"
#include "ca_wish.h"
#include "cert/pem.h"

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    const struct ca_asker *asker;
    struct ca_act act;
    json_t *made;
};

bool wishes_kind(enum hsm_act_kind kind)
{
    return kind == HSM_ACT_CA_CREATE || kind == HSM_ACT_CA_SIGN_SUB || kind == HSM_ACT_CROSS_SIGN ||
           kind == HSM_ACT_CA_RENEW;
}

static void finish(struct job *job, struct err *e)
{
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (r && e)
        asker_problem(r, e);
    else if (r)
        answer_json(r, 201, json_incref(job->made));
    else
        err_free(e);
    json_decref(job->made);
}

static void noted(void *arg, struct err *e, uint64_t seq)
{
    struct job *job = arg;
    if (!e)
        json_object_set_new(job->made, "entry", json_integer((json_int_t)seq));
    finish(job, e);
}

static json_t *made_json(const struct ca_wished *w)
{
    struct arena *arena = arena_new(1 << 20);
    json_t *tree = json_pack("{s:s, s:s}", "name", w->name, "issuer", w->issuer);
    if (w->certificate.n)
        json_object_set_new(tree, "certificate",
                            json_string(cert_pem_write("CERTIFICATE", w->certificate, arena)));
    if (w->csr.n)
        json_object_set_new(tree, "csr", json_string(cert_pem_write("CERTIFICATE REQUEST", w->csr, arena)));
    arena_free(arena);
    return tree;
}

static void wished(void *arg, struct err *e, const struct ca_wished *w)
{
    struct job *job = arg;
    if (!e) {
        job->made = made_json(w);
        e = ca_act_note_done(job->enroll->setup.ca, job->asker, &job->act, w->n,
                             w->csr.n ? "a request was made" : "a certificate was made", noted, job);
    }
    if (e)
        finish(job, e);
}

struct err *wishes_execute(struct http_request *r, const struct ca_asker *asker,
                           const struct hsm_roster *roster, struct view id)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct job *job = ARENA_NEW(r->arena, struct job);
    struct view approved;
    *job = (struct job){.enroll = en, .asker = asker};
    TRY(ca_act_approved(en->setup.ca, roster, id, HSM_ACT_NONE, r->arena, &job->act, &approved));
    job->ticket = http_park(r);
    e = ca_wish_do(en->setup.ca, asker, job->act.act.kind, job->act.act.vault, approved,
                   job->act.book.request.payload, wished, job);
    if (e)
        (void)http_resume(en->http, job->ticket);
out:
    return e;
}
