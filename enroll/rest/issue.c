/*
 * POST /v1/certificates: JSON, or the CSR itself as application/pkcs10 with ?template=. Decodes, asks the
 * engine, answers.
 */
#include <stddef.h>

#include "../house.h"
#include "base/conf.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/when.h"
#include "proven.h"
#include "rest.h"
#include "tags.h"
#include "waiting.h"

enum { SUBJECT_PARTS_MAX = LIMIT_RDNS, KEY_BYTES_MAX = 255, SANS_MAX = 1000 };

struct body {
    const char *template, *csr, *issuer, *not_after, *replaces, *asker;
    int64_t validity_s;
    const json_t *subject, *sans, *extensions, *tags;
};

static const struct conf_row rows[] = {
    {"template", CONF_TEXT, offsetof(struct body, template), true, 1, 100, NULL, NULL, "which template"},
    {"csr", CONF_TEXT, offsetof(struct body, csr), true, 1, LIMIT_CSR_BYTES, NULL, NULL, "PKCS#10, PEM"},
    {"issuer", CONF_TEXT, offsetof(struct body, issuer), false, 1, 63, NULL, NULL, "which issuer"},
    {"not_after", CONF_TEXT, offsetof(struct body, not_after), false, 1, 40, NULL, NULL, "RFC 3339, UTC, Z"},
    {"validity", CONF_DURATION, offsetof(struct body, validity_s), false, 0, 0, NULL, NULL, "\"90d\""},
    {"subject", CONF_TREE, offsetof(struct body, subject), false, 0, 0, NULL, NULL,
     "{\"CN\": \"...\"}, in place of the CSR's"},
    {"sans", CONF_TREE, offsetof(struct body, sans), false, 0, 0, NULL, NULL,
     "[\"dns:a.example\"], in place of the CSR's"},
    {"extensions", CONF_TREE, offsetof(struct body, extensions), false, 0, 0, NULL, NULL,
     "[{\"oid\": \"keyUsage\", \"value\": [\"digitalSignature\"]}], before the CSR's"},
    {"tags", CONF_TREE, offsetof(struct body, tags), false, 0, 0, NULL, NULL, "{\"team\": \"pay\"}"},
    {"replaces", CONF_TEXT, offsetof(struct body, replaces), false, 1, 2 * SERIAL_BYTES, NULL, NULL,
     "serial of the certificate that it takes the place of"},
    {"asker", CONF_TEXT, offsetof(struct body, asker), false, 1, 200, NULL, NULL, "whom it is explained for"},
};
/* Without `asker` a request; without `template`, which the path names, what is to be explained. */
enum { ROWS_REQUEST = sizeof rows / sizeof rows[0] - 1 };

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    struct arena *arena; /* of the request */
    bool proof;
};

/* The request stays parked until a head covers the record. */
static bool prove(struct job *job, const struct ca_certificate *cert)
{
    struct proven_cert what = {.issuer = cert->issuer, .status = cert->replayed ? 200 : 201};
    struct err *e = hex_parse(job->arena, view_str(cert->serial), &what.serial);
    if (!e)
        proven_answer(job->enroll, job->ticket, job->arena, &what);
    err_free(e);
    return !e;
}

static void issued(void *arg, struct err *e, const struct ca_certificate *cert)
{
    struct job *job = arg;
    if (!e && job->proof && prove(job, cert))
        return;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (r && e && cert)
        waiting_reply(r, cert->pending, e);
    else if (r && e)
        asker_problem(r, e);
    else if (r)
        answer_certificate(r, cert->replayed ? 200 : 201, cert, NULL);
    else
        err_free(e);
}

/* --- the two forms of the body --- */

static struct err *texts_of(const struct conf *c, const json_t *list, struct arena *arena,
                            struct ca_request *to)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list))
        return conf_error(c, list, "sans is a list of texts");
    if (n > SANS_MAX)
        return err_at(err_new(ERR_TOO_MANY, "%zu names; no certificate carries more than %d", n, LIMIT_SANS),
                      "/sans");
    const char **sans = arena_array(arena, n, sizeof *sans);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text)
            return err_at(err_new(ERR_BAD_FIELD, "a name is a text, such as \"dns:a.example\""), "/sans/%zu",
                          i);
        sans[i] = arena_str(arena, view_str(text));
    }
    to->has_sans = true;
    to->sans = sans;
    to->sans_n = n;
    return NULL;
}

static struct err *subject_of(const struct conf *c, const json_t *tree, struct arena *arena,
                              struct ca_request *to)
{
    size_t n = json_object_size(tree), i = 0;
    const char *key;
    json_t *value;
    if (!json_is_object(tree) || n > SUBJECT_PARTS_MAX)
        return conf_error(c, tree, "subject is an object of at most %d attributes", SUBJECT_PARTS_MAX);
    struct templates_rdn *parts = arena_array(arena, n, sizeof *parts);
    json_object_foreach((json_t *)tree, key, value)
    {
        if (!json_is_string(value))
            return conf_error(c, value, "an attribute of the subject is a text");
        parts[i++] = (struct templates_rdn){.attribute = arena_str(arena, view_str(key)),
                                            .value = arena_str(arena, view_str(json_string_value(value)))};
    }
    to->has_subject = true;
    to->subject = parts;
    to->subject_n = n;
    return NULL;
}

/* When it shall end: by one of the two at most. */
static struct err *end_of(const char *not_after, struct ca_request *to)
{
    struct err *e = NULL;
    if (!not_after)
        return NULL;
    if (to->validity_s)
        TRY(err_at(err_new(ERR_BAD_FIELD, "not_after and validity exclude each other"), "/validity"));
    TRY(err_at(when_parse(view_str(not_after), &to->not_after), "/not_after"));
    if (to->not_after <= 0) /* 0 would read as "not asked for" */
        TRY(err_at(err_new(ERR_BAD_FIELD, "%s is over since long", not_after), "/not_after"));
out:
    return e;
}

static struct err *replaced(struct http_request *r, const char *serial, struct ca_request *to)
{
    return serial ? err_at(hex_parse(r->arena, view_str(serial), &to->replaces), "/replaces") : NULL;
}

static struct err *decode_rows(struct http_request *r, const struct conf_row *taken, struct ca_request *to,
                               const char **ret_asker)
{
    static const char *const no_query[] = {"proof", NULL};
    struct err *e = NULL;
    struct conf *c = NULL;
    struct body body = {.template = to->template};

    TRY(http_query_only(r, no_query));
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), taken, ROWS_REQUEST, r->arena, &body));
    *ret_asker = body.asker;
    to->template = body.template;
    to->issuer = body.issuer;
    to->csr = view_str(body.csr);
    to->validity_s = body.validity_s;
    TRY(end_of(body.not_after, to));
    TRY(replaced(r, body.replaces, to));
    if (body.tags)
        TRY(tags_of(c, body.tags, r->arena, &to->tags));
    if (body.sans)
        TRY(texts_of(c, body.sans, r->arena, to));
    if (body.subject)
        TRY(subject_of(c, body.subject, r->arena, to));
    if (body.extensions)
        TRY(templates_asked_read(c, body.extensions, r->arena, &to->exts, &to->exts_n));
out:
    conf_free(c);
    return e;
}

static struct err *decode_json(struct http_request *r, struct ca_request *to)
{
    const char *none;
    return decode_rows(r, rows, to, &none);
}

struct err *issue_decode_explain(struct http_request *r, struct ca_request *to, const char **ret_asker)
{
    if (!http_is_type(r, "application/json"))
        return err_new(ERR_BAD_MEDIA_TYPE, "send application/json");
    return decode_rows(r, rows + 1, to, ret_asker);
}

static struct err *decode_pkcs10(struct http_request *r, struct ca_request *to)
{
    static const char *const known[] = {"template", "issuer", "validity", "not_after",
                                        "replaces", "proof",  NULL};
    struct err *e = NULL;
    const char *validity, *not_after, *serial;

    TRY(http_query_only(r, known));
    TRY(answer_query(r, "template", &to->template));
    TRY(answer_query(r, "issuer", &to->issuer));
    TRY(answer_query(r, "validity", &validity));
    TRY(answer_query(r, "not_after", &not_after));
    TRY(answer_query(r, "replaces", &serial));
    if (!to->template)
        TRY(err_new(ERR_BAD_REQUEST, "name the template: POST /v1/certificates?template=server"));
    if (validity)
        TRY(err_at(when_duration_parse(view_str(validity), &to->validity_s), "/validity"));
    TRY(end_of(not_after, to));
    TRY(replaced(r, serial, to));
    to->csr = r->body;
out:
    return e;
}

static struct err *decode(struct http_request *r, struct ca_request *to)
{
    if (http_is_type(r, "application/json"))
        return decode_json(r, to);
    if (http_is_type(r, "application/pkcs10"))
        return decode_pkcs10(r, to);
    return err_new(ERR_BAD_MEDIA_TYPE, "send application/json, or a CSR as application/pkcs10");
}

/* --- Idempotency-Key --- */

static struct err *idempotency(struct http_request *r, struct ca_request *to)
{
    struct view key = http_header(r, "Idempotency-Key");
    if (!key.p)
        return NULL;
    if (key.n == 0 || key.n > KEY_BYTES_MAX)
        return err_new(ERR_BAD_REQUEST, "an Idempotency-Key has 1 to %d octets", KEY_BYTES_MAX);
    const struct view parts[] = {r->query, view_of("", 1), r->body};
    digest_sha256_parts(parts, 3, to->body_hash);
    to->idempotency_key = arena_str(r->arena, key);
    return NULL;
}

static void ask(struct http_request *r, const struct ca_request *request, bool proof)
{
    struct enroll *en = r->app;
    struct job *job = ARENA_NEW(r->arena, struct job);
    *job = (struct job){.enroll = en, .ticket = http_park(r), .arena = r->arena, .proof = proof};
    ca_issue(en->setup.ca, request, issued, job);
}

void issue_post(struct http_request *r)
{
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    struct ca_request request = {.template = NULL};
    bool proof;

    TRY(asker_admit(r, &asker));
    TRY(answer_acceptable(r));
    request.asker = asker;
    TRY(decode(r, &request));
    TRY(idempotency(r, &request));
    TRY(proven_wanted(r, &proof));
    ask(r, &request, proof);
out:
    if (e)
        asker_refuse(r, asker, e);
}

/* --- renewal --- */

static const struct conf_row renew_rows[] = {
    {"csr", CONF_TEXT, offsetof(struct body, csr), true, 1, LIMIT_CSR_BYTES, NULL, NULL, "PKCS#10, PEM"},
    {"not_after", CONF_TEXT, offsetof(struct body, not_after), false, 1, 40, NULL, NULL, "RFC 3339, UTC, Z"},
    {"validity", CONF_DURATION, offsetof(struct body, validity_s), false, 0, 0, NULL, NULL, "\"90d\""},
};

static struct err *decode_renewal(struct http_request *r, struct ca_request *to)
{
    static const char *const no_query[] = {NULL};
    struct err *e = NULL;
    struct conf *c = NULL;
    struct body body = {.csr = NULL};

    TRY(http_query_only(r, no_query));
    if (http_is_type(r, "application/pkcs10")) {
        to->csr = r->body;
        goto out;
    }
    if (!http_is_type(r, "application/json"))
        TRY(err_new(ERR_BAD_MEDIA_TYPE, "send application/json, or a CSR as application/pkcs10"));
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), renew_rows, sizeof renew_rows / sizeof renew_rows[0], r->arena, &body));
    to->csr = view_str(body.csr);
    to->validity_s = body.validity_s;
    TRY(end_of(body.not_after, to));
out:
    conf_free(c);
    return e;
}

/* The path names it, the TLS connection shows it: they must agree. */
void issue_renew_post(struct http_request *r)
{
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    struct ca_request request = {.template = NULL};
    struct view serial;

    TRY(renew_request(r, &asker, &request));
    TRY(answer_acceptable(r));
    TRY(answer_serial(r, &serial));
    if (!view_eq(serial, request.replaces))
        TRY(err_new(ERR_FORBIDDEN, "a certificate is renewed by who shows it, and no other"));
    TRY(decode_renewal(r, &request));
    TRY(idempotency(r, &request));
    ask(r, &request, false);
out:
    if (e)
        asker_refuse(r, asker, e);
}
