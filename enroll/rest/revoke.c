/* POST /v1/certificates/{serial}/revoke: {"reason": "superseded"}. Revoking what is revoked is no error: it
 * says what stands. */
#include <stddef.h>

#include "../house.h"
#include "base/conf.h"
#include "base/hex.h"
#include "rest.h"

struct body {
    const char *reason;
};

static const struct conf_row rows[] = {
    {"reason", CONF_TEXT, offsetof(struct body, reason), false, 1, 64, "unspecified", NULL, "RFC 5280 5.3.1"},
};

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    const char *serial, *issuer;
};

static void revoked(void *arg, struct err *e, int64_t at, enum cert_reason reason, bool already)
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
    answer_json(r, 200,
                json_pack("{s:s, s:s, s:s, s:o, s:s, s:b}", "serial", job->serial, "issuer", job->issuer,
                          "status", "revoked", "revoked_at", answer_time(at), "reason",
                          cert_crl_reason_name(reason), "already", already));
}

static struct err *decode(struct http_request *r, enum cert_reason *ret)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct body body = {.reason = "unspecified"};

    if (r->body.n) {
        if (!http_is_type(r, "application/json"))
            TRY(err_new(ERR_BAD_MEDIA_TYPE, "send application/json: {\"reason\": \"superseded\"}"));
        TRY(conf_parse_json(r->body, &c));
        TRY(conf_fill(c, conf_root(c), rows, 1, r->arena, &body));
    }
    TRY(err_at(ca_reason_parse(body.reason, ret), "/reason"));
out:
    conf_free(c);
    return e;
}

void revoke_post(struct http_request *r)
{
    static const char *const known[] = {"issuer", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct view serial;
    enum cert_reason reason;
    struct job *job = ARENA_NEW(r->arena, struct job);
    struct ledger_cert record;
    const char *issuer;

    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(answer_serial(r, &serial));
    TRY(answer_query(r, "issuer", &issuer));
    TRY(decode(r, &reason));
    TRY(ledger_find(en->setup.ledger, issuer, serial, r->arena, &record));
    *job = (struct job){.enroll = en, .serial = hex_of(r->arena, serial), .issuer = record.issuer};
    job->ticket = http_park(r);
    e = ca_revoke(en->setup.ca, asker, record.issuer, serial, reason, revoked, job);
    if (e) {
        asker_refuse(http_resume(en->http, job->ticket), asker, e);
        return;
    }
out:
    if (e)
        asker_refuse(r, asker, e);
}
