/* POST /v1/certificates/{serial}/revoke, /release and /revoke-by-key, POST /v1/nonces. Revoking what is
 * revoked is no error: it says what stands. */
#include "revoke.h"

#include <stddef.h>

#include "base/conf.h"
#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "cert/tbs.h"
#include "rest.h"

enum { SIBLINGS = 100 };

struct body {
    const char *reason, *invalidity_date;
    const char *issuer, *nonce, *signature, *alg; /* by key */
};
struct release_body {
    const char *why;
};

static const struct conf_row rows[] = {
    {"reason", CONF_TEXT, offsetof(struct body, reason), false, 1, 64, "unspecified", NULL, "RFC 5280 5.3.1"},
    {"invalidity_date", CONF_TEXT, offsetof(struct body, invalidity_date), false, 1, 32, NULL, NULL,
     "since when it is not to be trusted"},
};
static const struct conf_row key_rows[] = {
    {"reason", CONF_TEXT, offsetof(struct body, reason), true, 1, 64, NULL, NULL, "RFC 5280 5.3.1"},
    {"issuer", CONF_TEXT, offsetof(struct body, issuer), true, 1, 63, NULL, NULL, "its name here"},
    {"nonce", CONF_TEXT, offsetof(struct body, nonce), true, 1, 64, NULL, NULL, "of POST /v1/nonces"},
    {"signature", CONF_TEXT, offsetof(struct body, signature), true, 1, 1400, NULL, NULL, "base64"},
    {"alg", CONF_TEXT, offsetof(struct body, alg), false, 1, 32, NULL, NULL, "ecdsa-sha256, ..."},
};
static const struct conf_row release_rows[] = {
    {"why", CONF_TEXT, offsetof(struct release_body, why), false, 0, 1000, "", NULL, "in words"},
};

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    const char *serial, *issuer;
    struct view spki_sha256;
    uint64_t intent;
    bool release;
    struct view nonce; /* by key: used up by success */
};

/* Other certificates for a key that was given up: they are to go as well, which is for people to decide. */
static json_t *siblings_of(struct job *job, struct arena *arena)
{
    json_t *list = json_array();
    struct ledger_page page;
    const struct ledger_query q = {
        .spki_sha256 = job->spki_sha256, .status = LEDGER_VALID, .now = world_now_s(), .limit = SIBLINGS};
    struct err *e = ledger_search(job->enroll->setup.ledger, &q, arena, &page);
    for (size_t i = 0; !e && i < page.n; i++)
        if (page.certs[i].intent != job->intent)
            json_array_append_new(list, json_string(hex_of(arena, page.certs[i].serial)));
    err_free(e);
    return list;
}

static void done(void *arg, struct err *e, int64_t at, enum cert_reason reason, bool already)
{
    struct job *job = arg;
    struct enroll *en = job->enroll;
    struct http_request *r = http_resume(en->http, job->ticket);
    if (!e && job->nonce.n)
        nonce_use(&en->nonces, job->nonce);
    if (!r) {
        err_free(e);
        return;
    }
    if (e) {
        asker_problem(r, e);
        return;
    }
    json_t *tree = json_pack("{s:s, s:s, s:s, s:b}", "serial", job->serial, "issuer", job->issuer, "status",
                             job->release ? "valid" : "revoked", "already", already);
    if (!job->release) {
        json_object_set_new(tree, "revoked_at", answer_time(at));
        json_object_set_new(tree, "reason", json_string(cert_crl_reason_name(reason)));
    }
    if (!job->release && reason == CERT_REASON_KEY_COMPROMISE)
        json_object_set_new(tree, "siblings", siblings_of(job, r->arena));
    answer_json(r, 200, tree);
}

static struct err *fill(struct http_request *r, const struct conf_row *of, size_t n, void *to)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    const char *example = "send application/json: {\"reason\": \"superseded\"}";
    if (r->body.n && !http_is_type(r, "application/json"))
        return err_new(ERR_BAD_MEDIA_TYPE, "%s", example);
    TRY(conf_parse_json(r->body.n ? r->body : view_str("{}"), &c));
    TRY(conf_fill(c, conf_root(c), of, n, r->arena, to));
out:
    conf_free(c);
    return e;
}

struct err *revoke_what(const char *reason, const char *invalidity_date, struct ca_revocation *ret)
{
    struct err *e = NULL;
    struct ca_revocation what = {.invalidity = 0};
    TRY(err_at(ca_reason_parse(reason, &what.reason), "/reason"));
    if (invalidity_date)
        TRY(err_at(when_parse(view_str(invalidity_date), &what.invalidity), "/invalidity_date"));
    TRY(ca_revocation_check(&what));
    *ret = what;
out:
    return e;
}

static struct err *take(struct http_request *r, struct view *ret_serial, struct ledger_cert *ret,
                        struct job **ret_job)
{
    static const char *const known[] = {"issuer", NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    const char *issuer;
    TRY(http_query_only(r, known));
    TRY(answer_serial(r, ret_serial));
    TRY(answer_query(r, "issuer", &issuer));
    TRY(ledger_find(en->setup.ledger, issuer, *ret_serial, r->arena, ret));
    *ret_job = ARENA_NEW(r->arena, struct job);
    **ret_job = (struct job){.enroll = en,
                             .serial = hex_of(r->arena, *ret_serial),
                             .issuer = ret->issuer,
                             .spki_sha256 = ret->decision.spki_sha256,
                             .intent = ret->intent};
out:
    return e;
}

void revoke_post(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct body body = {.reason = NULL};
    struct ca_revocation what;
    struct ledger_cert record;
    struct view serial;
    struct job *job;

    TRY(asker_admit(r, &asker));
    TRY(fill(r, rows, sizeof rows / sizeof rows[0], &body));
    TRY(revoke_what(body.reason, body.invalidity_date, &what));
    TRY(take(r, &serial, &record, &job));
    job->ticket = http_park(r);
    e = ca_revoke(en->setup.ca, asker, record.issuer, serial, &what, done, job);
    if (e)
        r = http_resume(en->http, job->ticket);
out:
    if (e)
        asker_refuse(r, asker, e);
}

void release_post(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct release_body body = {.why = ""};
    struct ledger_cert record;
    struct view serial;
    struct job *job;

    TRY(asker_admit(r, &asker));
    TRY(fill(r, release_rows, 1, &body));
    TRY(take(r, &serial, &record, &job));
    job->release = true;
    job->ticket = http_park(r);
    e = ca_release(en->setup.ca, asker, record.issuer, serial, body.why, done, job);
    if (e)
        r = http_resume(en->http, job->ticket);
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* --- by who holds the key --- */

void nonces_post(struct http_request *r)
{
    struct enroll *en = r->app;
    uint8_t nonce[NONCE_BYTES];
    nonce_make(&en->nonces, nonce);
    http_add(r, "Cache-Control", "no-store");
    answer_json(r, 201,
                json_pack("{s:s, s:o}", "nonce", hex_of(r->arena, view_of(nonce, sizeof nonce)), "expires",
                          answer_time(world_now_s() + NONCE_LIFE_S)));
}

/* A label first, so that no signature made for anything else passes for this one. */
static const char *text_to_sign(struct http_request *r, const struct body *body, const char *serial)
{
    return arena_printf(r->arena, "chancery revoke by key\nissuer %s\nserial %s\nreason %s\nnonce %s\n",
                        body->issuer, serial, body->reason, body->nonce);
}

static struct err *check_signature(struct http_request *r, const struct body *body, const struct job *job,
                                   const struct ledger_cert *record)
{
    struct err *e = NULL;
    struct cert_tbs tbs;
    struct cert_key key;
    struct view signature;
    enum cert_alg alg;
    TRY(cert_tbs_read(record->decision.tbs, r->arena, &tbs));
    TRY(cert_key_parse(tbs.spki, &key));
    alg = cert_alg_default(key.kind);
    if (body->alg)
        TRY(err_at(cert_alg_parse(view_str(body->alg), &alg), "/alg"));
    TRY(err_at(base64_parse(r->arena, view_str(body->signature), &signature), "/signature"));
    e = cert_alg_fits(alg, key.kind)
            ? cert_key_verify(&key, alg, view_str(text_to_sign(r, body, job->serial)), signature)
            : err_new(ERR_BAD_SIGNATURE, "%s does not fit the certificate's key", cert_alg_name(alg));
    if (e) {
        err_free(e);
        e = err_at(err_new(ERR_BAD_SIGNATURE,
                           "not a %s signature of this certificate's key over the text of doc/REST.md",
                           cert_alg_name(alg)),
                   "/signature");
    }
out:
    return e;
}

static struct ca_asker holder_of(struct http_request *r, const struct ledger_cert *record, const char *serial)
{
    return (struct ca_asker){.role = CA_ROLE_REQUESTER,
                             .id = arena_printf(r->arena, "key:%s/%s", record->issuer, serial),
                             .door = "rest",
                             .peer = r->peer->address,
                             .request_id = r->id,
                             .shown = record->intent};
}

void revoke_by_key_post(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct body body = {.reason = NULL};
    struct ca_revocation what;
    struct ledger_cert record;
    struct view serial, nonce;
    struct job *job;

    TRY(fill(r, key_rows, sizeof key_rows / sizeof key_rows[0], &body));
    TRY(revoke_what(body.reason, NULL, &what));
    TRY(err_at(hex_parse(r->arena, view_str(body.nonce), &nonce), "/nonce"));
    TRY(nonce_check(&en->nonces, nonce));
    TRY(take(r, &serial, &record, &job));
    if (strcmp(record.issuer, body.issuer) != 0)
        TRY(err_new(ERR_NOT_FOUND, "no certificate of this serial is on record"));
    TRY(check_signature(r, &body, job, &record));
    const struct ca_asker holder = holder_of(r, &record, job->serial);
    job->nonce = nonce;
    job->ticket = http_park(r);
    e = ca_revoke(en->setup.ca, &holder, record.issuer, serial, &what, done, job);
    if (e)
        r = http_resume(en->http, job->ticket);
out:
    if (e)
        asker_refuse(r, NULL, e);
}
