/* Which addresses a check may connect to. Pure; any thread. */
#ifndef CHANCERY_COURIER_REACH_H
#define CHANCERY_COURIER_REACH_H

#include "courier_check.h"

/* Configured `deny` goes first, then `allow`, then what is denied to all: this machine, links, multicast,
 * documentation, and where clouds answer for metadata. An address that carries an IPv4 address (mapped,
 * NAT64, 6to4) is judged as that too. */
bool reach_allowed(const struct courier_checking *how, const struct in6_addr *address);

#endif
