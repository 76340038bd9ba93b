/*
 * Names, from one vantage: c-ares on our loop. Each check has resolvers of its own, so each asks from fresh
 * ports, keeps nothing of what another was told, and ends all that it asked by being freed. One question at a
 * time. The loop's thread. resolver.c is c-ares' home, with dns_answer.c.
 */
#ifndef CHANCERY_COURIER_RESOLVER_H
#define CHANCERY_COURIER_RESOLVER_H

#include <netinet/in.h>

#include "base/loop.h"
#include "dns_answer.h"

struct resolver;

enum resolver_outcome {
    RESOLVER_FOUND,
    RESOLVER_NONE,    /* the name is there, without such a record */
    RESOLVER_NO_NAME, /* NXDOMAIN */
    RESOLVER_FAILED,
};

struct resolver_result {
    enum resolver_outcome outcome;
    const char *why;          /* "SERVFAIL"; of FAILED */
    struct dns_answer answer; /* its aliases also of NONE and NO_NAME */
    struct in6_addr *addresses;
    size_t n;
};
/* Once for each question, never inside its start; borrowed until the next one or the end. */
typedef void resolver_done(void *arg, const struct resolver_result *r);

/* servers: "10.0.0.53,[fd00::53]:5353"; NULL: the system's. hosts: /etc/hosts goes before them. */
MUST_USE struct err *resolver_new(struct loop *loop, const char *servers, bool hosts, struct resolver **ret);
void resolver_free(struct resolver *r); /* accepts NULL; safe inside `done` */

/* Aliases are followed, also where the server does not follow them itself. */
void resolver_ask(struct resolver *r, const char *name, enum dns_type type, resolver_done *done, void *arg);
/* IPv6 before IPv4. */
void resolver_addresses(struct resolver *r, const char *name, resolver_done *done, void *arg);

#endif
