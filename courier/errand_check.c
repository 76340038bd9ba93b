/* Checks as octets, and the form of each of their texts. */
#include "errand_check.h"

#include <ctype.h>
#include <string.h>

#include "base/der.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

enum { NAME_MAX_BYTES = 253, LABEL_MAX_BYTES = 63 };

static void put_text(struct der_out *out, const char *text)
{
    der_put_text(out, text ? text : "");
}

struct err *errand_check_write(const struct courier_check *check, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, ERRAND_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, check->kind);
    put_text(&out, check->identifier);
    der_put_bool(&out, check->ip);
    der_put_bool(&out, check->wildcard);
    put_text(&out, check->token);
    put_text(&out, check->key_authorization);
    put_text(&out, check->account);
    put_text(&out, check->method);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

static bool label_ok(const char *label, size_t n)
{
    return n >= 1 && n <= LABEL_MAX_BYTES && label[0] != '-' && label[n - 1] != '-' &&
           strspn(label, "abcdefghijklmnopqrstuvwxyz" DIGITS "-_") >= n;
}

static bool name_ok(const char *name)
{
    struct in6_addr address;
    if (strlen(name) > NAME_MAX_BYTES || net_address(name, &address))
        return false;
    for (;;) {
        const char *dot = strchrnul(name, '.');
        if (!label_ok(name, (size_t)(dot - name)))
            return false;
        if (*dot == 0)
            return true;
        name = dot + 1;
    }
}

static bool identifier_ok(const struct courier_check *c)
{
    struct in6_addr address;
    if (c->ip)
        return !c->wildcard && net_address(c->identifier, &address);
    return name_ok(c->identifier);
}

static bool only(const char *text, const char *of)
{
    return text[0] && text[strspn(text, of)] == 0;
}

/* Printable, and nothing that ends a parameter of a record. */
static bool uri_ok(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isgraph((unsigned char)*c) || *c == ';' || *c == '"')
            return false;
    return text[0] != 0;
}

/* What the kind is about is there, and of its form. */
static bool kind_ok(const struct courier_check *c)
{
    switch (c->kind) {
    case COURIER_HTTP_01:
        return only(c->token, LETTERS DIGITS "-_") && only(c->key_authorization, LETTERS DIGITS "-_.") &&
               !c->wildcard;
    case COURIER_TLS_ALPN_01:
        return only(c->key_authorization, LETTERS DIGITS "-_.") && !c->wildcard;
    case COURIER_DNS_01:
        return only(c->key_authorization, LETTERS DIGITS "-_.") && !c->ip;
    case COURIER_DNS_PERSIST:
        return uri_ok(c->account) && !c->ip;
    case COURIER_CAA:
        return uri_ok(c->account) && only(c->method, LETTERS DIGITS "-");
    case COURIER_CHECK_KINDS:
        break;
    }
    return false;
}

struct err *errand_check_read(struct view body, struct arena *arena, struct courier_check *ret)
{
    struct err *e = NULL;
    struct view in;
    struct courier_check c = {0};
    uint64_t kind = 0;
    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    TRY(der_read_enum(&in, COURIER_CHECK_KINDS - 1, &kind));
    c.kind = (enum courier_check_kind)kind;
    TRY(der_read_text(&in, arena, ERRAND_TEXT_MAX, &c.identifier));
    TRY(der_read_bool(&in, &c.ip));
    TRY(der_read_bool(&in, &c.wildcard));
    TRY(der_read_text(&in, arena, ERRAND_TEXT_MAX, &c.token));
    TRY(der_read_text(&in, arena, ERRAND_TEXT_MAX, &c.key_authorization));
    TRY(der_read_text(&in, arena, ERRAND_URI_MAX, &c.account));
    TRY(der_read_text(&in, arena, ERRAND_TEXT_MAX, &c.method));
    TRY(der_end(in));
    if (!identifier_ok(&c) || !kind_ok(&c))
        return err_new(ERR_PROTOCOL, "a check without what its kind needs");
    *ret = c;
out:
    return e;
}

struct err *errand_found_write(const struct courier_finding *f, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, ERRAND_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, f->verdict);
    der_put_enum(&out, f->problem);
    der_put_text(&out, f->detail);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *errand_found_read(struct view body, struct arena *arena, struct courier_finding *ret)
{
    struct err *e = NULL;
    struct view in;
    struct courier_finding f;
    uint64_t verdict = 0, problem = 0;
    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    TRY(der_read_enum(&in, COURIER_UNTRIED, &verdict));
    TRY(der_read_enum(&in, COURIER_PROBLEMS - 1, &problem));
    TRY(der_read_text(&in, arena, ERRAND_DETAIL_MAX, &f.detail));
    TRY(der_end(in));
    f.verdict = (enum courier_verdict)verdict;
    f.problem = (enum courier_problem)problem;
    if ((f.verdict == COURIER_INVALID) != (f.problem != COURIER_NO_PROBLEM))
        return err_new(ERR_PROTOCOL, "a finding that does not say what is wrong");
    *ret = f;
out:
    return e;
}
