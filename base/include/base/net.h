/* Networks and addresses: "10.0.0.0/8", "fd00::/8", "192.0.2.7". IPv4 is kept as ::ffff:a.b.c.d, so that one
 * comparison serves both. Pure; any thread. */
#ifndef CHANCERY_BASE_NET_H
#define CHANCERY_BASE_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct net {
    struct in6_addr address;
    unsigned bits; /* of these 128 */
};

/* False where it is no network, or has bits beyond its prefix ("10.0.0.1/8"). */
bool net_parse(const char *text, struct net *ret);
bool net_covers(const struct net *n, const struct in6_addr *address);

/* The address of an IPv4 or IPv6 socket address; false for any other family. */
bool net_of_sockaddr(const struct sockaddr *from, struct in6_addr *ret);
/* An address in numbers, as inet_pton takes it. */
bool net_address(const char *text, struct in6_addr *ret);

#endif
