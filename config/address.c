/*
 * Listening addresses: numbers only, so that nothing is looked up and what is written is what is opened. No
 * I/O, any thread.
 */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>

/* Digits alone, no sign, no leading zero, 1 to 65535. */
static bool port_parse(const char *text, in_port_t *ret)
{
    unsigned port = 0;
    size_t n = strlen(text);

    if (n == 0 || n > 5 || text[0] == '0')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (port > 65535)
        return false;
    *ret = htons((uint16_t)port);
    return true;
}

static bool host_copy(char *to, size_t max, const char *from, size_t n)
{
    if (n == 0 || n >= max)
        return false;
    memcpy(to, from, n);
    to[n] = 0;
    return true;
}

static bool parse_v6(const char *text, struct config_address *a)
{
    char host[INET6_ADDRSTRLEN];
    const char *end = strchr(text, ']');

    if (!end || end[1] != ':' || !host_copy(host, sizeof host, text + 1, (size_t)(end - text - 1)))
        return false;
    a->to.v6.sin6_family = AF_INET6;
    a->len = sizeof a->to.v6;
    if (inet_pton(AF_INET6, host, &a->to.v6.sin6_addr) != 1)
        return false;
    a->loopback = IN6_IS_ADDR_LOOPBACK(&a->to.v6.sin6_addr);
    return port_parse(end + 2, &a->to.v6.sin6_port);
}

static bool parse_v4(const char *text, struct config_address *a)
{
    char host[INET_ADDRSTRLEN];
    const char *end = strchr(text, ':');

    if (!end || !host_copy(host, sizeof host, text, (size_t)(end - text)))
        return false;
    a->to.v4.sin_family = AF_INET;
    a->len = sizeof a->to.v4;
    if (inet_pton(AF_INET, host, &a->to.v4.sin_addr) != 1)
        return false;
    a->loopback = (ntohl(a->to.v4.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    return port_parse(end + 1, &a->to.v4.sin_port);
}

bool address_parse(const char *text, struct config_address *ret)
{
    struct config_address a = {.text = text};

    if (!(text[0] == '[' ? parse_v6(text, &a) : parse_v4(text, &a)))
        return false;
    *ret = a;
    return true;
}
