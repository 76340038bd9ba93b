/* The outside world of the courier's tests (tests/lib/outside.py), and a courier to send into it. */
#ifndef CHANCERY_TESTS_OUTSIDE_H
#define CHANCERY_TESTS_OUTSIDE_H

#include "courier_check.h"

struct outside {
    char folder[64];
    int pid, in; /* closing `in` ends it */
    unsigned dns, http, tls;
    struct loop *loop;
    struct courier *front;
    struct courier_server *server;
    char resolver[64];
    const char *vantages[COURIER_VANTAGES_MAX];
    struct courier_checking how; /* change it, then outside_set */
};

/* zone: the names there are. tls: with tls-alpn-01 answers. */
struct outside *outside_new(const char *zone, bool tls);
void outside_free(struct outside *o);
/* Trial settings with these ports and one vantage. */
void outside_defaults(struct outside *o);
void outside_set(struct outside *o);

/* Asks and waits; the detail lives until the next call. */
struct courier_finding outside_ask(struct outside *o, const struct courier_check *check);
int64_t outside_took_ms(void);

/* How many lines of the log begin so: "http 127.0.0.1", "dns a.example". */
size_t outside_seen(const struct outside *o, const char *begins);

#endif
