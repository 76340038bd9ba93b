/* The deny list, and what stands above it. It is asked about the very address that is connected to. */
#include "reach.h"

#include "base/check.h"

static const char *const denied[] = {
    "0.0.0.0/8",       "169.254.0.0/16",  "192.0.0.0/24",   "192.0.2.0/24",  "192.88.99.0/24",
    "198.18.0.0/15",   "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",   "240.0.0.0/4",
    "100.100.100.200", "168.63.129.16", /* metadata and the fabric of two clouds */
    "::/128",          "100::/64",        "2001::/32",      "2001:db8::/32", "fe80::/10",
    "fec0::/10",       "ff00::/8",        "fd00:ec2::254",
};
static const char *const loopback[] = {"127.0.0.0/8", "::1"};
/* Prefixes after which an IPv4 address stands: NAT64 (RFC 6052), IPv4-compatible, 6to4 (RFC 3056). */
static const struct {
    const char *prefix;
    size_t at;
} carriers[] = {{"64:ff9b::/96", 12}, {"::/96", 12}, {"2002::/16", 2}};

static bool one_of(const char *const *texts, size_t n, const struct in6_addr *address)
{
    struct net net;
    for (size_t i = 0; i < n; i++) {
        CHECK(net_parse(texts[i], &net));
        if (net_covers(&net, address))
            return true;
    }
    return false;
}

static bool among(const struct net *nets, size_t n, const struct in6_addr *address)
{
    for (size_t i = 0; i < n; i++)
        if (net_covers(&nets[i], address))
            return true;
    return false;
}

static bool plain_allowed(const struct courier_checking *how, const struct in6_addr *address)
{
    if (among(how->deny, how->deny_n, address))
        return false;
    if (among(how->allow, how->allow_n, address))
        return true;
    if (one_of(loopback, sizeof loopback / sizeof *loopback, address))
        return how->trial;
    return !one_of(denied, sizeof denied / sizeof *denied, address);
}

static bool carried(const struct in6_addr *address, struct in6_addr *ret)
{
    static const struct in6_addr same = IN6ADDR_LOOPBACK_INIT;
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++) {
        struct net net;
        CHECK(net_parse(carriers[i].prefix, &net));
        if (!net_covers(&net, address) || IN6_ARE_ADDR_EQUAL(address, &same))
            continue;
        *ret = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
        for (size_t k = 0; k < 4; k++)
            ret->s6_addr[12 + k] = address->s6_addr[carriers[i].at + k];
        return true;
    }
    return false;
}

bool reach_allowed(const struct courier_checking *how, const struct in6_addr *address)
{
    struct in6_addr v4;
    return plain_allowed(how, address) && (!carried(address, &v4) || plain_allowed(how, &v4));
}
