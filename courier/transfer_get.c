/*
 * Questions to hosts that nobody here trusts: one request, to one address, bounded in octets and in time.
 * The loop's thread.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/net.h"
#include "transfer_kind.h"

enum { HEADERS_MAX_BYTES = 16384, CONNECT_TO_MAX = 80 };

struct get {
    struct transfer transfer; /* first */
    struct transfer_get what;
    struct curl_slist *connect_to;
    uint8_t *body;
    size_t body_n, headers_n;
    bool too_large, not_allowed;
    transfer_got_it *done;
    void *arg;
};

static void release(struct transfer *x)
{
    struct get *g = (struct get *)x;
    curl_slist_free_all(g->connect_to);
    free(g->body);
    free(g);
}

static size_t keep(char *from, size_t size, size_t n, void *arg)
{
    struct get *g = arg;
    n *= size;
    g->too_large = n > g->what.max_bytes - g->body_n;
    if (g->too_large)
        return 0;
    memcpy(g->body + g->body_n, from, n);
    g->body_n += n;
    return n;
}

static size_t count(char *from, size_t size, size_t n, void *arg)
{
    struct get *g = arg;
    (void)from;
    g->headers_n += size * n;
    g->too_large = g->headers_n > HEADERS_MAX_BYTES;
    return g->too_large ? 0 : size * n;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct get *g = arg;
    struct in6_addr address;
    (void)purpose;
    g->not_allowed = !net_of_sockaddr(&to->addr, &address) || !g->what.may_connect(g->arg, &address);
    if (g->not_allowed)
        return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
}

static enum transfer_end end_of(const struct get *g, CURLcode code)
{
    if (code == CURLE_OK)
        return TRANSFER_ANSWERED;
    if (g->not_allowed)
        return TRANSFER_NOT_ALLOWED;
    if (g->too_large)
        return TRANSFER_TOO_LARGE;
    switch ((int)code) {
    case CURLE_COULDNT_CONNECT:
        return TRANSFER_NO_CONNECTION;
    case CURLE_OPERATION_TIMEDOUT:
        return TRANSFER_TIMED_OUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
        return TRANSFER_TLS;
    }
    return TRANSFER_NO_HTTP;
}

/* Cut before it is told: who is told may begin another, or end everything. */
static void end(struct transfer *x, CURLcode code)
{
    struct get *g = (struct get *)x;
    transfer_got_it *done = g->done;
    void *arg = g->arg;
    uint8_t *body = g->body;
    char *location = NULL;
    long status = 0, os = 0;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &os);
    curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &location);
    location = location ? strdup(location) : NULL;
    struct transfer_got got = {end_of(g, code), (int)os, (int)status, view_of(body, g->body_n), location};
    g->body = NULL;
    transfers_cut(x);
    done(arg, &got);
    free(body);
    free(location);
}

/* Wherever the URL points, the connection goes to this address; the port stays the URL's. */
static void pin(struct get *g)
{
    const struct in6_addr *a = g->what.address;
    char text[INET6_ADDRSTRLEN], line[CONNECT_TO_MAX];
    bool v4 = IN6_IS_ADDR_V4MAPPED(a);
    CHECK(inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->s6_addr + 12 : a->s6_addr, text, sizeof text));
    snprintf(line, sizeof line, v4 ? "::%s:" : "::[%s]:", text);
    g->connect_to = curl_slist_append(NULL, line);
    CHECK(g->connect_to);
    curl_easy_setopt(g->transfer.easy, CURLOPT_CONNECT_TO, g->connect_to);
}

static struct err *set_up(struct get *g)
{
    CURL *c = g->transfer.easy;
    pin(g);
    curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)g->what.connect_ms);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)g->what.whole_ms);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, g);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, count);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, g);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, g);
    if (curl_easy_setopt(c, CURLOPT_URL, g->what.url) != CURLE_OK)
        return err_new(ERR_IO, "not an address that can be reached");
    g->what.url = NULL; /* libcurl has its own copy */
    g->what.address = NULL;
    return NULL;
}

struct err *transfers_get(struct transfers *t, const struct transfer_get *get, transfer_got_it *done,
                          void *arg, struct transfer **ret)
{
    struct err *e = NULL;
    struct get *g = calloc(1, sizeof *g);
    CHECK(g);
    *g = (struct get){.transfer = {.end = end, .release = release}, .what = *get, .done = done, .arg = arg};
    g->body = malloc(get->max_bytes);
    CHECK(g->body);
    transfer_init(&g->transfer, t);
    TRY(set_up(g));
    TRY(transfer_start(&g->transfer));
    *ret = &g->transfer;
    return NULL;
out:
    transfers_cut(&g->transfer);
    return e;
}

/* --- URLs --- */

static const char *part(CURLU *u, CURLUPart what, unsigned flags, struct arena *arena)
{
    char *text = NULL;
    if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = arena_str(arena, view_str(text));
    curl_free(text);
    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static bool parts_read(CURLU *u, struct arena *arena, struct transfer_url *ret)
{
    const char *scheme = part(u, CURLUPART_SCHEME, 0, arena), *host = part(u, CURLUPART_HOST, 0, arena);
    const char *port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, arena);
    if (!scheme || !host || !port || part(u, CURLUPART_USER, 0, arena))
        return false;
    ret->https = strcmp(scheme, "https") == 0;
    if (!ret->https && strcmp(scheme, "http") != 0)
        return false;
    ret->port = (uint16_t)strtoul(port, NULL, 10);
    ret->host = host[0] == '[' ? arena_str(arena, view_of(host + 1, strcspn(host, "]") - 1)) : host;
    return true;
}

bool transfer_url_read(const char *url, struct arena *arena, struct transfer_url *ret)
{
    CURLU *u = curl_url();
    CHECK(u);
    bool well = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && parts_read(u, arena, ret);
    curl_url_cleanup(u);
    return well;
}
