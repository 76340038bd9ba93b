/*
 * http-01 (RFC 8555 8.3): one GET, redirects followed a bounded number of times, to http and https on their
 * own ports alone. Each host is resolved here, each address judged before it is connected to, and the
 * connection goes to that very address. The loop's thread.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "attempt.h"
#include "reach.h"
#include "transfer.h"

enum { BODY_MAX_BYTES = 1024, URL_MAX_BYTES = 2048, CONNECT_SHARE = 3 };

/* The attempt's `state`. */
struct fetch {
    const char *url;
    const char *shown; /* the question's own URL, for findings */
    const struct in6_addr *addresses;
    size_t n, at;
    size_t redirects;
    struct transfer *transfer; /* NULL: none under way */
};

static void visit(struct attempt *a);

static bool redirects(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where we are: the asker's own URL, or how often it led elsewhere. */
static const char *where(const struct attempt *a)
{
    const struct fetch *f = a->state;
    if (f->redirects == 0)
        return f->shown;
    return arena_printf(a->arena, "%s, after %zu redirect%s,", f->shown, f->redirects,
                        f->redirects == 1 ? "" : "s");
}

/* RFC 8555 8.3: white space at the end does not count. */
static bool body_is(struct view body, const char *wanted)
{
    while (body.n > 0 && isspace(body.p[body.n - 1]))
        body.n--;
    return view_eq_str(body, wanted);
}

static bool port_ok(const struct courier_checking *how, uint16_t port)
{
    return port == 80 || port == 443 || port == how->http_port || port == how->tls_port;
}

static bool host_ok(const char *host)
{
    struct in6_addr address;
    return net_address(host, &address) ||
           (host[0] && host[0] != '.' &&
            strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(host));
}

static void redirected(struct attempt *a, const struct transfer_got *got)
{
    struct fetch *f = a->state;
    struct transfer_url to;
    f->redirects++;
    if (f->redirects > (*a->how)->redirects)
        attempt_invalid(a, COURIER_CONNECTION, "%s leads on: more than %zu redirects are not followed",
                        f->shown, (*a->how)->redirects);
    else if (!got->location || strlen(got->location) > URL_MAX_BYTES ||
             !transfer_url_read(got->location, a->arena, &to) || !host_ok(to.host))
        attempt_invalid(a, COURIER_CONNECTION, "%s leads to what is no http or https URL", where(a));
    else if (!port_ok(*a->how, to.port))
        attempt_invalid(a, COURIER_CONNECTION, "%s leads to a port other than 80 and 443", where(a));
    else {
        f->url = arena_str(a->arena, view_str(got->location));
        visit(a);
    }
}

static void answered(struct attempt *a, const struct transfer_got *got)
{
    if (redirects(got->status))
        redirected(a, got);
    else if (got->status != 200)
        attempt_invalid(a, COURIER_INCORRECT_RESPONSE, "%s answered with status %d", where(a), got->status);
    else if (body_is(got->body, a->check->key_authorization))
        attempt_valid(a);
    else
        attempt_invalid(a, COURIER_UNAUTHORIZED,
                        "what %s answered is not the key authorization of this account (RFC 8555 8.3)",
                        where(a));
}

static void failed(struct attempt *a, const struct transfer_got *got)
{
    switch (got->end) {
    case TRANSFER_NO_CONNECTION:
        attempt_invalid(a, COURIER_CONNECTION, "%s: no connection: %s", where(a),
                        got->errno_value ? strerror(got->errno_value) : "not reachable");
        break;
    case TRANSFER_TIMED_OUT:
        attempt_invalid(a, COURIER_CONNECTION, "%s: no answer in time", where(a));
        break;
    case TRANSFER_TOO_LARGE:
        attempt_invalid(a, COURIER_INCORRECT_RESPONSE, "%s answered with more than %d octets", where(a),
                        BODY_MAX_BYTES);
        break;
    case TRANSFER_TLS:
        attempt_invalid(a, COURIER_TLS, "%s: the TLS handshake failed", where(a));
        break;
    case TRANSFER_NOT_ALLOWED:
        attempt_invalid(a, COURIER_REJECTED, "%s: an address that this CA does not connect to", where(a));
        break;
    case TRANSFER_NO_HTTP:
    case TRANSFER_ANSWERED:
        attempt_invalid(a, COURIER_INCORRECT_RESPONSE, "%s: not an HTTP answer", where(a));
        break;
    }
}

static void connect_to(struct attempt *a);

static void got_it(void *arg, const struct transfer_got *got)
{
    struct attempt *a = arg;
    struct fetch *f = a->state;
    f->transfer = NULL;
    if (got->end == TRANSFER_ANSWERED)
        answered(a, got);
    else if (got->end == TRANSFER_NO_CONNECTION && f->at < f->n)
        connect_to(a);
    else
        failed(a, got);
}

static bool may_connect(void *arg, const struct in6_addr *address)
{
    const struct attempt *a = arg;
    return reach_allowed(*a->how, address);
}

static void connect_to(struct attempt *a)
{
    struct fetch *f = a->state;
    int64_t whole_ms = (*a->how)->deadline_s * 1000;
    struct transfer_get get = {.url = f->url,
                               .address = &f->addresses[f->at++],
                               .max_bytes = BODY_MAX_BYTES,
                               .connect_ms = whole_ms / CONNECT_SHARE,
                               .whole_ms = whole_ms,
                               .may_connect = may_connect};
    attempt_doing(a, COURIER_CONNECTION, "waiting for %s", where(a));
    struct err *e = transfers_get(a->transfers, &get, got_it, a, &f->transfer);
    if (e)
        attempt_untried(a, e);
}

static void on_addresses(struct attempt *a, const struct in6_addr *addresses, size_t n)
{
    struct fetch *f = a->state;
    f->addresses = addresses;
    f->n = n;
    f->at = 0;
    connect_to(a);
}

static void visit(struct attempt *a)
{
    const struct fetch *f = a->state;
    struct transfer_url to;
    if (transfer_url_read(f->url, a->arena, &to))
        attempt_resolve(a, to.host, on_addresses);
    else
        attempt_invalid(a, COURIER_CONNECTION, "%s is no URL", f->shown);
}

static const char *url_of(const struct attempt *a)
{
    const struct courier_check *c = a->check;
    uint16_t port = (*a->how)->http_port;
    bool v6 = strchr(c->identifier, ':');
    const char *host = v6 ? arena_printf(a->arena, "[%s]", c->identifier) : c->identifier;
    const char *tail = port == 80 ? "" : arena_printf(a->arena, ":%u", port);
    return arena_printf(a->arena, "http://%s%s/.well-known/acme-challenge/%s", host, tail, c->token);
}

static void begin(struct attempt *a)
{
    struct fetch *f = ARENA_NEW(a->arena, struct fetch);
    f->url = f->shown = url_of(a);
    a->state = f;
    visit(a);
}

static void cut(struct attempt *a)
{
    const struct fetch *f = a->state;
    if (f && f->transfer)
        transfers_cut(f->transfer);
}

const struct attempt_kind attempt_http01 = {.begin = begin, .cut = cut};
