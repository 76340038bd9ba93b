/*
 * tls-alpn-01 (RFC 8737): a TLS handshake with the one protocol "acme-tls/1", to the very address that was
 * judged, and a look at the certificate. Nothing is sent after it. The loop's thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alpn_cert.h"
#include "attempt.h"
#include "base/check.h"
#include "reach.h"

enum { SNI_MAX = 80 };

/* The attempt's `state`. */
struct hello {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
    struct loop_watch *watch;
    bool connected;
    const char *shown; /* "a.example, port 443" */
    const struct in6_addr *addresses;
    size_t n, at;
};

static void hang_up(struct hello *h)
{
    SSL_free(h->ssl);
    h->ssl = NULL;
    loop_unwatch(h->watch);
    h->watch = NULL;
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
    h->connected = false;
}

/* --- what it answered --- */

static bool alpn_agreed(const SSL *ssl)
{
    static const char wanted[] = "acme-tls/1";
    const uint8_t *got = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(ssl, &got, &n);
    return view_eq(view_of(got, n), view_str(wanted));
}

static void judge(struct attempt *a)
{
    const struct hello *h = a->state;
    X509 *cert = SSL_get1_peer_certificate(h->ssl);
    const char *fault = cert ? alpn_cert_fault(cert, a->check) : "is missing";
    if (!alpn_agreed(h->ssl))
        attempt_invalid(a, COURIER_TLS, "%s did not agree to the protocol acme-tls/1 (RFC 8737 3)", h->shown);
    else if (fault)
        attempt_invalid(a, COURIER_UNAUTHORIZED, "%s: its certificate %s", h->shown, fault);
    else
        attempt_valid(a);
    X509_free(cert);
}

static void refused(struct attempt *a)
{
    const struct hello *h = a->state;
    unsigned long code = ERR_peek_error();
    bool no_protocol = ERR_GET_REASON(code) == SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL;
    ERR_clear_error();
    if (no_protocol)
        attempt_invalid(a, COURIER_TLS, "%s does not know the protocol acme-tls/1 (RFC 8737 3)", h->shown);
    else
        attempt_invalid(a, COURIER_TLS, "%s: the TLS handshake failed (TLS 1.2 at least is needed)",
                        h->shown);
}

/* --- the way there --- */

static void next_address(struct attempt *a, int errno_value);

static void shake(struct attempt *a)
{
    struct hello *h = a->state;
    ERR_clear_error();
    int got = SSL_connect(h->ssl);
    if (got == 1) {
        judge(a);
        hang_up(h);
        return;
    }
    int want = SSL_get_error(h->ssl, got);
    if (want == SSL_ERROR_WANT_READ)
        loop_watch_set(h->watch, LOOP_READ);
    else if (want == SSL_ERROR_WANT_WRITE)
        loop_watch_set(h->watch, LOOP_WRITE);
    else {
        refused(a);
        hang_up(h);
    }
}

static void on_ready(void *arg, int ready)
{
    struct attempt *a = arg;
    struct hello *h = a->state;
    int failure = 0;
    socklen_t n = sizeof failure;
    (void)ready;
    if (!h->connected) {
        if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &failure, &n) != 0 || failure) {
            hang_up(h);
            next_address(a, failure);
            return;
        }
        h->connected = true;
        attempt_doing(a, COURIER_TLS, "waiting for the TLS handshake with %s", h->shown);
    }
    shake(a);
}

static socklen_t sockaddr_of(const struct in6_addr *address, uint16_t port, struct sockaddr_storage *ret)
{
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&to.sin_addr, address->s6_addr + 12, 4);
        memcpy(ret, &to, sizeof to);
        return sizeof to;
    }
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *address};
    memcpy(ret, &to, sizeof to);
    return sizeof to;
}

/* RFC 8738 6: of an address, the name of its reverse look-up. */
static const char *sni_of(const struct courier_check *c, char to[SNI_MAX])
{
    struct in6_addr address;
    size_t n = 0;
    if (!c->ip)
        return c->identifier;
    CHECK(net_address(c->identifier, &address));
    const uint8_t *o = address.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        snprintf(to, SNI_MAX, "%u.%u.%u.%u.in-addr.arpa", o[15], o[14], o[13], o[12]);
        return to;
    }
    for (size_t i = 16; i-- > 0;)
        n += (size_t)snprintf(to + n, SNI_MAX - n, "%x.%x.", o[i] & 15, o[i] >> 4);
    snprintf(to + n, SNI_MAX - n, "ip6.arpa");
    return to;
}

static struct err *set_up(struct attempt *a, struct hello *h)
{
    static const uint8_t alpn[] = "\x0a"
                                  "acme-tls/1";
    char sni[SNI_MAX];
    h->ssl = SSL_new(h->ctx);
    if (!h->ssl || SSL_set_fd(h->ssl, h->fd) != 1 ||
        SSL_set_alpn_protos(h->ssl, alpn, sizeof alpn - 1) != 0 ||
        SSL_set_tlsext_host_name(h->ssl, sni_of(a->check, sni)) != 1) {
        ERR_clear_error();
        return err_new(ERR_IO, "TLS cannot be set up");
    }
    h->watch = loop_watch(a->loop, h->fd, LOOP_WRITE, on_ready, a);
    return NULL;
}

static void next_address(struct attempt *a, int errno_value)
{
    struct hello *h = a->state;
    struct sockaddr_storage to;
    while (h->at < h->n) {
        const struct in6_addr *address = &h->addresses[h->at++];
        if (!reach_allowed(*a->how, address)) /* the configuration may have changed since */
            continue;
        socklen_t n = sockaddr_of(address, (*a->how)->tls_port, &to);
        h->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (h->fd >= 0 && (connect(h->fd, (struct sockaddr *)&to, n) == 0 || errno == EINPROGRESS)) {
            struct err *e = set_up(a, h);
            if (e)
                attempt_untried(a, e);
            return;
        }
        errno_value = errno;
        hang_up(h);
    }
    attempt_invalid(a, COURIER_CONNECTION, "%s: no connection: %s", h->shown, strerror(errno_value));
}

static void on_addresses(struct attempt *a, const struct in6_addr *addresses, size_t n)
{
    struct hello *h = a->state;
    h->addresses = addresses;
    h->n = n;
    attempt_doing(a, COURIER_CONNECTION, "connecting to %s", h->shown);
    next_address(a, 0);
}

static void begin(struct attempt *a)
{
    struct hello *h = ARENA_NEW(a->arena, struct hello);
    h->fd = -1;
    h->shown = arena_printf(a->arena, "%s, port %u", a->check->identifier, (*a->how)->tls_port);
    a->state = h;
    h->ctx = SSL_CTX_new(TLS_client_method());
    if (!h->ctx || SSL_CTX_set_min_proto_version(h->ctx, TLS1_2_VERSION) != 1) {
        ERR_clear_error();
        attempt_untried(a, err_new(ERR_IO, "TLS cannot be set up"));
        return;
    }
    SSL_CTX_set_verify(h->ctx, SSL_VERIFY_NONE, NULL); /* what it shows is judged in alpn_cert.c */
    attempt_resolve(a, a->check->identifier, on_addresses);
}

static void cut(struct attempt *a)
{
    struct hello *h = a->state;
    if (!h)
        return;
    hang_up(h);
    SSL_CTX_free(h->ctx);
}

const struct attempt_kind attempt_alpn01 = {.begin = begin, .cut = cut};
