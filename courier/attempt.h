/*
 * One attempt at a check, from one vantage. Each kind begins, goes from step to step on the loop, and ends
 * once by one of attempt_*; what it keeps in `state` it gives back in `cut`, ended or not. Ending is noted
 * and acted upon on a later turn, so a step may end the attempt and return. The loop's thread.
 */
#ifndef CHANCERY_COURIER_ATTEMPT_H
#define CHANCERY_COURIER_ATTEMPT_H

#include "courier_check.h"
#include "resolver.h"

struct transfers;

struct attempt {
    const struct attempt_kind *kind;
    const struct courier_check *check;
    const struct courier_checking *const *how; /* as configured now */
    struct loop *loop;
    struct transfers *transfers;
    struct arena *arena; /* the check's */
    struct resolver *resolver;
    void *state;
    struct courier_finding doing; /* what is told where time runs out first */
    bool over;
    struct courier_finding finding;
    struct loop_timer *settle; /* the check's: looks at what is over */
};

struct attempt_kind {
    void (*begin)(struct attempt *a);
    void (*cut)(struct attempt *a); /* NULL: nothing to give back; state may be NULL */
};
extern const struct attempt_kind attempt_http01, attempt_dns01, attempt_alpn01, attempt_persist, attempt_caa;

void attempt_valid(struct attempt *a);
void attempt_invalid(struct attempt *a, enum courier_problem problem, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void attempt_untried(struct attempt *a, struct err *e); /* takes e; told to the log, not outside */
/* Ends it as what time running out means now. */
void attempt_timed_out(struct attempt *a);
/* The step that begins: "asking for TXT at _acme-challenge.a.example". */
void attempt_doing(struct attempt *a, enum courier_problem problem, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What a look-up that found nothing says, as the end of the attempt: NXDOMAIN, no such record, a failure. */
void attempt_not_found(struct attempt *a, const struct resolver_result *r, const char *record,
                       const char *name);

/* The addresses of a host (a name, or numbers) that may be reached, in the order in which they are tried.
 * `go` is called once, unless the attempt ends instead. A host that is not the identifier (one that was led
 * to) is not told by its name: that could be an inner one. */
typedef void attempt_addresses(struct attempt *a, const struct in6_addr *addresses, size_t n);
void attempt_resolve(struct attempt *a, const char *host, attempt_addresses *go);

#endif
