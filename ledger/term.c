/*
 * Terms of certificates. A name is found by itself and by each domain above it, an address by itself and by
 * networks of a few lengths, notAfter by periods of three sizes: so every question becomes a few exact
 * look-ups. Pure; any thread.
 */
#include "term.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/der.h"
#include "be.h"

enum { DAY_S = 86400, DAY_LAST = 65535, LABELS_MAX = 16, PERIODS = 3, PERIOD_BITS = 5 };

/* FNV-1a, and the finish of MurmurHash3 so that all bits are of use. */
uint64_t term_of(enum term_kind kind, struct view bytes)
{
    uint64_t h = (0xcbf29ce484222325u ^ (uint64_t)kind) * 0x100000001b3u;
    for (size_t i = 0; i < bytes.n; i++)
        h = (h ^ bytes.p[i]) * 0x100000001b3u;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdu;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53u;
    h ^= h >> 33;
    return h ? h : 1;
}

/* --- names --- */

static size_t kind_length(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? (size_t)(colon - name) + 1 : 0;
}

static uint64_t under_term(const char *name, size_t kind, const char *domain)
{
    uint8_t text[LEDGER_TEXT_BYTES];
    size_t n = strnlen(domain, sizeof(text) - kind);
    memcpy(text, name, kind);
    memcpy(text + kind, domain, n);
    return term_of(TERM_UNDER, view_of(text, kind + n));
}

/* Where the last so many labels of the domain begin; NULL: it has fewer. */
static const char *last_labels(const char *domain, size_t labels)
{
    const char *at = domain + strlen(domain);
    while (at > domain) {
        if (at[-1] == '.' && --labels == 0)
            return at;
        at--;
    }
    return labels == 1 ? domain : NULL;
}

/* Of "email:a@b.c" the domain is "b.c". */
static const char *domain_of(const char *name, size_t kind)
{
    const char *at = strrchr(name + kind, '@');
    return at ? at + 1 : name + kind;
}

static bool has_domain(const char *name)
{
    return strncmp(name, "dns:", 4) == 0 || strncmp(name, "email:", 6) == 0 || strncmp(name, "upn:", 4) == 0;
}

static void each_domain(const char *name, size_t kind, void (*emit)(void *arg, uint64_t term), void *arg)
{
    const char *domain = domain_of(name, kind), *at;
    for (size_t labels = 1; labels <= LABELS_MAX; labels++) {
        at = last_labels(domain, labels);
        if (!at)
            break;
        emit(arg, under_term(name, kind, at));
    }
}

uint64_t term_under(const char *name)
{
    size_t kind = kind_length(name);
    const char *domain = has_domain(name) ? domain_of(name, kind) : name + kind;
    const char *few = has_domain(name) ? last_labels(domain, LABELS_MAX) : NULL;
    return under_term(name, kind, few ? few : domain);
}

bool term_lies_under(const char *name, const char *under)
{
    size_t at = kind_length(under), n = strlen(name), tail = strlen(under + at);
    if (strncmp(name, under, at) != 0 || n < at + tail || memcmp(name + n - tail, under + at, tail) != 0)
        return false;
    return tail == 0 || n == at + tail || name[n - tail - 1] == '.' || name[n - tail - 1] == '@';
}

/* --- addresses --- */

static void cut(struct term_net *net)
{
    for (unsigned bit = net->bits; bit < 8 * net->bytes; bit++)
        net->address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

bool term_net_parse(const char *text, struct term_net *ret)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    struct term_net net = {.bytes = memchr(text, ':', n) ? 16 : 4};
    if (n >= sizeof(address))
        return false;
    memcpy(address, text, n);
    address[n] = 0;
    net.bits = 8 * net.bytes;
    if (slash) {
        char *end;
        unsigned long bits = strtoul(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end || bits > net.bits)
            return false;
        net.bits = (unsigned)bits;
    }
    if (inet_pton(net.bytes == 4 ? AF_INET : AF_INET6, address, net.address) != 1)
        return false;
    cut(&net);
    *ret = net;
    return true;
}

static const unsigned lengths4[] = {32, 24, 16, 8}, lengths6[] = {128, 64, 48, 32, 16};

static const unsigned *lengths(const struct term_net *net, size_t *ret_n)
{
    *ret_n =
        net->bytes == 4 ? sizeof(lengths4) / sizeof(lengths4[0]) : sizeof(lengths6) / sizeof(lengths6[0]);
    return net->bytes == 4 ? lengths4 : lengths6;
}

static uint64_t net_term(struct term_net net, unsigned bits)
{
    uint8_t b[18];
    net.bits = bits;
    cut(&net);
    b[0] = (uint8_t)net.bytes;
    b[1] = (uint8_t)bits;
    memcpy(b + 2, net.address, 16);
    return term_of(TERM_NET, view_of(b, 2 + net.bytes));
}

/* The nearest network around it that addresses are found by; all addresses, where there is none. */
uint64_t term_of_net(const struct term_net *net)
{
    size_t n;
    const unsigned *all = lengths(net, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i] <= net->bits)
            return net_term(*net, all[i]);
    return term_under("ip:");
}

bool term_net_has(const struct term_net *net, const char *name)
{
    struct term_net own;
    if (strncmp(name, "ip:", 3) != 0 || !term_net_parse(name + 3, &own) || own.bytes != net->bytes)
        return false;
    own.bits = net->bits;
    cut(&own);
    return memcmp(own.address, net->address, sizeof(own.address)) == 0;
}

static void each_net(const char *name, void (*emit)(void *arg, uint64_t term), void *arg)
{
    struct term_net net;
    size_t n;
    if (!term_net_parse(name + 3, &net))
        return;
    const unsigned *all = lengths(&net, &n);
    for (size_t i = 0; i < n; i++)
        emit(arg, net_term(net, all[i]));
}

/* --- days --- */

static uint64_t day_of(int64_t s)
{
    int64_t day = s / DAY_S;
    return day < 0 ? 0 : day > DAY_LAST ? DAY_LAST : (uint64_t)day;
}

/* The periodth size of period that this day lies in. */
static uint64_t days_term(uint64_t day, unsigned period)
{
    uint64_t nr = day >> (PERIOD_BITS * period);
    uint8_t b[3] = {(uint8_t)period, (uint8_t)(nr >> 8), (uint8_t)nr};
    return term_of(TERM_DAYS, view_of(b, sizeof(b)));
}

/* The largest that begins here and does not end past the last day. */
static unsigned largest(uint64_t day, uint64_t last)
{
    unsigned period = PERIODS;
    while (period-- > 0) {
        uint64_t size = 1u << (PERIOD_BITS * period);
        if (day % size == 0 && day + size - 1 <= last)
            return period;
    }
    return 0;
}

size_t term_days(int64_t from, int64_t till, uint64_t ret[TERM_DAYS_MAX])
{
    size_t n = 0;
    uint64_t last = day_of(till);
    for (uint64_t day = day_of(from); day <= last && n < TERM_DAYS_MAX;) {
        unsigned period = largest(day, last);
        ret[n++] = days_term(day, period);
        day += 1u << (PERIOD_BITS * period);
    }
    return n;
}

/* --- a certificate --- */

uint64_t term_of_replaced(uint64_t intent)
{
    uint8_t b[8];
    be64_put(b, intent);
    return term_of(TERM_REPLACES, view_of(b, sizeof(b)));
}

static void each_name(const char *name, void (*emit)(void *arg, uint64_t term), void *arg)
{
    size_t kind = kind_length(name);
    emit(arg, term_of(TERM_NAME, view_str(name)));
    emit(arg, under_term(name, kind, ""));
    emit(arg, under_term(name, kind, name + kind));
    if (has_domain(name))
        each_domain(name, kind, emit, arg);
    if (strncmp(name, "ip:", 3) == 0)
        each_net(name, emit, arg);
}

void term_each(const struct ledger_entry *intent, void (*emit)(void *arg, uint64_t term), void *arg)
{
    const struct ledger_intent *in = &intent->body.intent;
    emit(arg, term_of(TERM_SPKI, in->spki_sha256));
    emit(arg, term_of(TERM_SUBJECT, view_str(in->subject)));
    emit(arg, term_of(TERM_ACTOR, view_str(intent->actor)));
    emit(arg, term_of(TERM_TEMPLATE, view_str(in->template)));
    emit(arg, term_of(TERM_ISSUER, view_str(intent->issuer)));
    if (in->replaces)
        emit(arg, term_of_replaced(in->replaces));
    for (unsigned period = 0; period < PERIODS; period++)
        emit(arg, days_term(day_of(in->not_after), period));
    for (size_t i = 0; i < in->names.n; i++)
        each_name(in->names.items[i], emit, arg);
}

uint64_t term_of_unrecorded(void)
{
    return term_of(TERM_UNRECORDED, view_of("", 0));
}

void term_each_unrecorded(const struct ledger_entry *en, void (*emit)(void *arg, uint64_t term), void *arg)
{
    emit(arg, term_of_unrecorded());
    emit(arg, term_of(TERM_TEMPLATE, view_str(en->body.stray.template)));
    emit(arg, term_of(TERM_ISSUER, view_str(en->issuer)));
}

/* signatureAlgorithm is the one that stands in the tbs (4.1.1.2). */
static struct err *algorithm_of(struct view tbs, struct view *ret)
{
    struct err *e = NULL;
    struct view in, version, serial;
    TRY(der_read(&tbs, DER_SEQUENCE, &in));
    TRY(der_read_optional(&in, DER_CONTEXT_CONS(0), &version));
    TRY(der_read(&in, DER_INTEGER, &serial));
    TRY(der_read_whole(&in, DER_SEQUENCE, ret));
out:
    return e;
}

bool term_fingerprint(struct view tbs, struct view signature, struct arena *arena, uint8_t ret[SHA256_BYTES])
{
    struct err *e = NULL;
    struct view alg, der;
    struct der_out out;
    TRY(algorithm_of(tbs, &alg));
    der_out_init(&out, arena, tbs.n + alg.n + signature.n + 64);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, tbs);
    der_put_raw(&out, alg);
    der_put_bits(&out, signature, 0);
    der_finish(&out, m);
    TRY(der_out_done(&out, &der));
    digest_sha256(der, ret);
out:
    err_free(e);
    return !e;
}
