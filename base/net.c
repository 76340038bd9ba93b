/* Networks as text and as bits. Nothing is looked up. */
#include "base/net.h"

#include <arpa/inet.h>
#include <string.h>

enum { V4_BITS_BEFORE = 96 };

static void map_v4(const struct in_addr *v4, struct in6_addr *ret)
{
    *ret = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(ret->s6_addr + 12, v4, 4);
}

bool net_address(const char *text, struct in6_addr *ret)
{
    struct in_addr v4;
    if (inet_pton(AF_INET6, text, ret) == 1)
        return true;
    if (inet_pton(AF_INET, text, &v4) != 1)
        return false;
    map_v4(&v4, ret);
    return true;
}

bool net_of_sockaddr(const struct sockaddr *from, struct in6_addr *ret)
{
    if (from->sa_family == AF_INET6)
        *ret = ((const struct sockaddr_in6 *)from)->sin6_addr;
    if (from->sa_family == AF_INET)
        map_v4(&((const struct sockaddr_in *)from)->sin_addr, ret);
    return from->sa_family == AF_INET6 || from->sa_family == AF_INET;
}

/* Digits alone, without a leading zero. */
static bool prefix_parse(const char *text, unsigned max, unsigned *ret)
{
    unsigned bits = 0;
    size_t n = strlen(text);
    if (n == 0 || n > 3 || strspn(text, "0123456789") != n || (n > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < n; i++)
        bits = bits * 10 + (unsigned)(text[i] - '0');
    *ret = bits;
    return bits <= max;
}

static bool bit(const struct in6_addr *a, unsigned i)
{
    return a->s6_addr[i / 8] >> (7 - i % 8) & 1;
}

bool net_parse(const char *text, struct net *ret)
{
    char host[INET6_ADDRSTRLEN];
    struct net n;
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (length == 0 || length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = 0;
    if (!net_address(host, &n.address))
        return false;
    unsigned before = strchr(host, ':') ? 0 : V4_BITS_BEFORE;
    n.bits = 128 - before;
    if (slash && !prefix_parse(slash + 1, n.bits, &n.bits))
        return false;
    n.bits += before;
    for (unsigned i = n.bits; i < 128; i++)
        if (bit(&n.address, i))
            return false;
    *ret = n;
    return true;
}

bool net_covers(const struct net *n, const struct in6_addr *address)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(&n->address, address, whole) != 0)
        return false;
    return rest == 0 || (n->address.s6_addr[whole] ^ address->s6_addr[whole]) >> (8 - rest) == 0;
}
