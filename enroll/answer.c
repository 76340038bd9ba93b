/* Answers of the JSON doors, and the small things of a request's path and query they share. */
#include "base/check.h"
#include "base/hex.h"
#include "base/when.h"
#include "cert/pem.h"
#include "house.h"

#include <stdlib.h>

enum { CHAIN_MAX = 8 };

void answer_json(struct http_request *r, int status, json_t *tree)
{
    char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
    json_decref(tree);
    if (!text) {
        http_problem(r, err_new(ERR_NOMEM, "no memory for the answer"));
        return;
    }
    http_reply(r, status, "application/json", view_str(text));
    free(text);
}

json_t *answer_time(int64_t s)
{
    char text[WHEN_TEXT_MAX];
    when_put(text, s);
    return json_string(text);
}

json_t *answer_texts(const struct ledger_texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->n; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}

static size_t chain_of(struct http_request *r, const struct ca_certificate *cert,
                       struct view chain[CHAIN_MAX])
{
    const struct enroll *en = r->app;
    return ca_chain(ca_setup_get(en->setup.ca), cert->issuer, chain, CHAIN_MAX);
}

static void reply_pem(struct http_request *r, int status, const struct ca_certificate *cert)
{
    struct view chain[CHAIN_MAX];
    size_t n = chain_of(r, cert, chain);
    const char *text = cert_pem_write("CERTIFICATE", cert->der, r->arena);
    for (size_t i = 0; i < n; i++)
        text = arena_printf(r->arena, "%s%s", text, cert_pem_write("CERTIFICATE", chain[i], r->arena));
    http_reply(r, status, "application/pem-certificate-chain", view_str(text));
}

/* Text as a JSON string (RFC 8259 7), at most twice as long and two. What comes here are PEM, names, numbers
 * and times of our own making: no controls but line ends. */
static char *put_quoted(char *to, const char *text)
{
    *to++ = '"';
    for (const char *p = text; *p; p++) {
        bool end = *p == '\n';
        CHECK(end || (unsigned char)*p >= ' ');
        if (end || *p == '"' || *p == '\\')
            *to++ = '\\';
        *to++ = end ? 'n' : *p;
    }
    *to++ = '"';
    return to;
}

static size_t quoted_most(const char *text)
{
    return 2 * strlen(text) + 2;
}

static int64_t renew_after_of(struct http_request *r, const struct ca_certificate *cert)
{
    const struct enroll *en = r->app;
    return ca_renew_after(ca_setup_get(en->setup.ca), cert);
}

void answer_renew_after(struct http_request *r, const struct ca_certificate *cert)
{
    http_add_text(r, "Renew-After", http_date(r->arena, renew_after_of(r, cert)));
}

struct member {
    const char *name, *text;
};

/* The usual answer, by hand: it is the one every issuance ends in. */
static const char *certificate_text(struct http_request *r, const struct ca_certificate *cert)
{
    struct view chain[CHAIN_MAX];
    const char *links[CHAIN_MAX];
    char not_before[WHEN_TEXT_MAX], not_after[WHEN_TEXT_MAX], renew_after[WHEN_TEXT_MAX];
    when_put(not_before, cert->not_before);
    when_put(not_after, cert->not_after);
    when_put(renew_after, renew_after_of(r, cert));
    const struct member members[] = {
        {"{\"serial\":", cert->serial},
        {",\"certificate\":", cert_pem_write("CERTIFICATE", cert->der, r->arena)},
        {",\"not_before\":", not_before},
        {",\"not_after\":", not_after},
        {",\"renew_after\":", renew_after},
        {",\"template\":", cert->template},
        {",\"issuer\":", cert->issuer},
    };
    enum { N = sizeof(members) / sizeof(members[0]) };
    size_t need = 64, n = chain_of(r, cert, chain);
    for (size_t i = 0; i < N; i++)
        need += strlen(members[i].name) + quoted_most(members[i].text);
    for (size_t i = 0; i < n; i++) {
        links[i] = cert_pem_write("CERTIFICATE", chain[i], r->arena);
        need += 1 + quoted_most(links[i]);
    }
    char *text = arena_bytes(r->arena, need), *at = text;
    for (size_t i = 0; i < N; i++)
        at = put_quoted(stpcpy(at, members[i].name), members[i].text);
    at = stpcpy(at, ",\"chain\":[");
    for (size_t i = 0; i < n; i++)
        at = put_quoted(stpcpy(at, i > 0 ? "," : ""), links[i]);
    stpcpy(at, "]}");
    return text;
}

static const char *const types[] = {"application/json", "application/pem-certificate-chain"};

struct err *answer_acceptable(struct http_request *r)
{
    if (http_prefer(r, types, 2) >= 0)
        return NULL;
    return err_new(ERR_NOT_ACCEPTABLE, "there is %s and %s", types[0], types[1]);
}

void answer_certificate(struct http_request *r, int status, const struct ca_certificate *cert, json_t *extra)
{
    http_add(r, "Cache-Control", "no-store");
    answer_renew_after(r, cert);
    if (http_prefer(r, types, 2) == 1) {
        reply_pem(r, status, cert);
    } else if (!extra) {
        http_reply(r, status, "application/json", view_str(certificate_text(r, cert)));
    } else {
        json_t *tree = json_loads(certificate_text(r, cert), 0, NULL);
        json_object_update(tree, extra);
        answer_json(r, status, tree);
    }
    json_decref(extra);
}

struct err *answer_query(struct http_request *r, const char *name, const char **ret)
{
    struct view value;
    struct err *e = http_query(r, name, &value);
    if (!e)
        *ret = value.p ? arena_str(r->arena, value) : NULL;
    return e;
}

struct err *answer_limit(struct http_request *r, size_t fallback, size_t max, size_t *ret)
{
    const char *text;
    struct err *e = answer_query(r, "limit", &text);
    if (e || !text) {
        *ret = fallback;
        return e;
    }
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || text[0] < '0' || text[0] > '9' || n < 1 || n > max)
        return err_at(err_new(ERR_BAD_FIELD, "limit is 1 to %zu, not '%.20s'", max, text), "/limit");
    *ret = n;
    return NULL;
}

struct err *answer_serial(struct http_request *r, struct view *ret)
{
    struct err *e = hex_parse(r->arena, http_segment(r, "serial"), ret);
    if (!e && ret->n == SERIAL_BYTES)
        return NULL;
    err_free(e);
    return err_new(ERR_NOT_FOUND, "a serial is %d hex digits, lower case, without colons", 2 * SERIAL_BYTES);
}
