/*
 * ?proof=1: a certificate with the proof that its record is in the log, under a signed head. What was issued
 * is given out all the same where no head can be signed now: `proof` is null then, and `proof_missing` says
 * why.
 */
#include "proven.h"

#include "../house.h"
#include "rest.h"
#include "tlog.h"

struct proving {
    struct enroll *enroll;
    ticket_id ticket;
    struct arena *arena; /* the parked request's */
    const char *issuer;
    struct view serial;
    int status;
    json_t *extra;
    uint64_t record;
};

struct err *proven_wanted(struct http_request *r, bool *ret)
{
    const char *text;
    struct err *e = answer_query(r, "proof", &text);
    *ret = !e && text && strcmp(text, "1") == 0;
    if (!e && text && !*ret)
        e = err_at(err_new(ERR_BAD_FIELD, "proof=1, or nothing"), "/proof");
    return e;
}

static struct err *find(const struct proving *p, struct ledger_cert *ret)
{
    return ledger_find(p->enroll->setup.ledger, p->issuer, p->serial, p->arena, ret);
}

static void add_proof(struct proving *p, struct err *e, const struct tlog_head *head)
{
    json_t *proof = NULL;
    const char *text;
    if (!e)
        e = heads_proof_json(p->enroll, p->arena, p->record, head, &proof, &text);
    json_object_set_new(p->extra, "proof", proof ? proof : json_null());
    if (e)
        json_object_set_new(p->extra, "proof_missing", json_string(err_detail(e)));
    err_free(e);
}

static void on_head(void *arg, struct err *why, const struct tlog_head *head)
{
    struct proving *p = arg;
    struct err *e = NULL;
    struct ledger_cert record;
    struct ca_certificate cert;
    json_t *extra = p->extra;
    struct http_request *r = http_resume(p->enroll->http, p->ticket);
    if (!r) { /* the client has left, and p with it */
        json_decref(extra);
        err_free(why);
        return;
    }
    add_proof(p, why, head);
    TRY(find(p, &record));
    TRY(ca_certificate_of(&record, r->arena, &cert));
    answer_certificate(r, p->status, &cert, p->extra);
    return;
out:
    json_decref(p->extra);
    asker_problem(r, e);
}

void proven_answer(struct enroll *en, ticket_id ticket, struct arena *arena, const struct proven_cert *cert)
{
    struct ledger_cert record;
    struct proving *p = ARENA_NEW(arena, struct proving);
    *p = (struct proving){.enroll = en,
                          .ticket = ticket,
                          .arena = arena,
                          .issuer = arena_str(arena, view_str(cert->issuer)),
                          .serial = arena_dup(arena, cert->serial),
                          .status = cert->status,
                          .extra = cert->extra ? cert->extra : json_object()};
    struct err *e = find(p, &record);
    if (!e && !en->setup.tlog)
        e = err_new(ERR_STARTING, "no heads are signed here");
    if (e) {
        on_head(p, e, NULL);
        return;
    }
    p->record = record.record;
    tlog_ask(en->setup.tlog, record.record, on_head, p);
}
