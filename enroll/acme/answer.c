/* Answers of the ACME door: a nonce on every one, errors too; problems by the names of RFC 8555 6.7. */
#include "acme.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

enum { URL_BYTES = 1024 };

const char *acme_status_text(uint64_t status)
{
    static const char *const texts[] = {"",        "pending",     "ready",   "processing", "valid",
                                        "invalid", "deactivated", "expired", "revoked"};
    return status < sizeof texts / sizeof *texts ? texts[status] : "invalid";
}

/* --- URLs --- */

const char *acme_url(const struct acme_ask *ask, const char *fmt, ...)
{
    char text[URL_BYTES];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    CHECK(n >= 0 && (size_t)n < sizeof text);
    return arena_printf(ask->r->arena, "%s%s", ask->config->url, text);
}

const char *acme_object_url(const struct acme_ask *ask, const char *kind, struct view id)
{
    return arena_printf(ask->r->arena, "%s/acme/%s/%s", ask->config->url, kind, hex_of(ask->r->arena, id));
}

json_t *acme_identifier_json(const char *name, bool wildcard)
{
    const char *value = strchr(name, ':') + 1;
    return json_pack("{s:s, s:s}", "type", strncmp(name, "ip:", 3) == 0 ? "ip" : "dns", "value",
                     wildcard && strncmp(value, "*.", 2) == 0 ? value + 2 : value);
}

/* --- answers --- */

void acme_headers(struct http_request *r, const char *template)
{
    const struct enroll *en = r->app;
    const struct enroll_acme *config = en->config.acme;
    char nonce[ACME_NONCE_TEXT_BYTES];
    struct err *e = acme_nonce_make(en->acme->nonces, nonce);
    if (!e)
        http_add_text(r, "Replay-Nonce", nonce);
    err_free(e);
    http_add(r, "Cache-Control", "no-store");
    if (strcmp(template, config->template) == 0)
        http_add(r, "Link", "<%s/acme/directory>;rel=\"index\"", config->url);
    else
        http_add(r, "Link", "<%s/acme/%s/directory>;rel=\"index\"", config->url, template);
}

static void reply(struct acme_ask *ask, int status, const char *type, json_t *tree)
{
    char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
    acme_headers(ask->r, ask->template);
    http_reply(ask->r, status, tree ? type : NULL, view_str(text));
    free(text);
    json_decref(tree);
}

void acme_answer(struct acme_ask *ask, int status, json_t *tree)
{
    reply(ask, status, "application/json", tree);
}

/* --- problems --- */

static const struct {
    enum err_code code;
    const char *type;
    int status; /* 0: of err.def */
} problems[] = {
    {ERR_BAD_NONCE, "badNonce", 400},
    {ERR_BAD_ALG, "badSignatureAlgorithm", 400},
    {ERR_BAD_KEY, "badPublicKey", 400},
    {ERR_ACCOUNT_UNKNOWN, "accountDoesNotExist", 400},
    {ERR_EAB_REQUIRED, "externalAccountRequired", 403},
    {ERR_FORBIDDEN, "unauthorized", 403},
    {ERR_UNAUTHENTICATED, "unauthorized", 401},
    {ERR_NAME_FORBIDDEN, "rejectedIdentifier", 403},
    {ERR_BAD_NAME, "rejectedIdentifier", 400},
    {ERR_UNSUPPORTED_NAME, "unsupportedIdentifier", 400},
    {ERR_UNSUPPORTED_CONTACT, "unsupportedContact", 400},
    {ERR_BAD_CONTACT, "invalidContact", 400},
    {ERR_TERMS, "userActionRequired", 403},
    {ERR_ORDER_NOT_READY, "orderNotReady", 403},
    {ERR_BAD_CSR, "badCSR", 400},
    {ERR_CAA, "caa", 403},
    {ERR_ALREADY_REVOKED, "alreadyRevoked", 400},
    {ERR_BAD_REASON, "badRevocationReason", 400},
    {ERR_BAD_PROFILE, "invalidProfile", 400},
    {ERR_ALREADY_REPLACED, "alreadyReplaced", 409},
    {ERR_RATE, "rateLimited", 429},
    {ERR_CEILING, "rateLimited", 429},
    {ERR_BAD_FIELD, "malformed", 400},
    {ERR_TOO_MANY, "malformed", 400},
};
enum { PROBLEMS = sizeof problems / sizeof *problems };

const char *acme_problem_type(enum err_code code)
{
    for (size_t i = 0; i < PROBLEMS; i++)
        if (problems[i].code == code)
            return problems[i].type;
    return err_row(code)->http_status >= 500 ? "serverInternal" : "malformed";
}

static int status_of(enum err_code code)
{
    for (size_t i = 0; i < PROBLEMS; i++)
        if (problems[i].code == code)
            return problems[i].status;
    return err_row(code)->http_status;
}

json_t *acme_error_json(const char *type, const char *detail)
{
    return json_pack("{s:o, s:s}", "type", json_sprintf("urn:ietf:params:acme:error:%s", type), "detail",
                     detail);
}

void acme_subproblem(struct acme_ask *ask, const char *name, struct err *e)
{
    json_t *problem = acme_error_json(acme_problem_type(err_code(e)), err_detail(e));
    if (!ask->subproblems)
        ask->subproblems = json_array();
    json_object_set_new(problem, "identifier", acme_identifier_json(name, false));
    json_array_append_new(ask->subproblems, problem);
    err_free(e);
}

struct err *acme_as(struct err *e, enum err_code code)
{
    struct err *same = e ? err_new(code, "%s", err_detail(e)) : NULL;
    err_free(e);
    return same;
}

/* RFC 8555 6.2: what would have been taken. */
static json_t *algorithms(void)
{
    json_t *list = json_array();
    for (int i = 0; i < CERT_JWS_HS256; i++)
        json_array_append_new(list, json_string(cert_jws_alg_text((enum cert_jws_alg)i)));
    return list;
}

void acme_problem(struct acme_ask *ask, struct err *e)
{
    enum err_code code = err_code(e);
    int status = status_of(code);
    json_t *tree = acme_error_json(acme_problem_type(code), err_detail(e));
    json_object_set_new(tree, "status", json_integer(status));
    json_object_set_new(tree, "instance", json_string(ask->r->id));
    if (code == ERR_BAD_ALG)
        json_object_set_new(tree, "algorithms", algorithms());
    if (ask->subproblems)
        json_object_set_new(tree, "subproblems", ask->subproblems);
    ask->subproblems = NULL;
    if (err_retry_s(e) > 0)
        http_add(ask->r, "Retry-After", "%d", err_retry_s(e));
    err_free(e);
    reply(ask, status, "application/problem+json", tree);
}
