/* How attempts end, and the one way from a host to addresses that may be reached. The loop's thread. */
#include "attempt.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "reach.h"

enum { DETAIL_MAX = 1000 };

static const char *say(struct arena *arena, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

static const char *say(struct arena *arena, const char *fmt, va_list args)
{
    char text[DETAIL_MAX];
    vsnprintf(text, sizeof text, fmt, args);
    return arena_str(arena, view_str(text));
}

static void end(struct attempt *a, struct courier_finding finding)
{
    if (a->over)
        return;
    a->over = true;
    a->finding = finding;
    loop_timer_set(a->settle, 0);
}

void attempt_valid(struct attempt *a)
{
    end(a, (struct courier_finding){COURIER_VALID, COURIER_NO_PROBLEM, ""});
}

void attempt_invalid(struct attempt *a, enum courier_problem problem, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    end(a, (struct courier_finding){COURIER_INVALID, problem, say(a->arena, fmt, args)});
    va_end(args);
}

void attempt_untried(struct attempt *a, struct err *e)
{
    log_error("courier.check", log_err(e));
    err_free(e);
    end(a, (struct courier_finding){COURIER_UNTRIED, COURIER_NO_PROBLEM, "the check could not be begun"});
}

void attempt_timed_out(struct attempt *a)
{
    end(a, a->doing);
}

void attempt_doing(struct attempt *a, enum courier_problem problem, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    a->doing =
        (struct courier_finding){COURIER_INVALID, problem,
                                 arena_printf(a->arena, "no end within %lld s while %s",
                                              (long long)(*a->how)->deadline_s, say(a->arena, fmt, args))};
    va_end(args);
}

void attempt_not_found(struct attempt *a, const struct resolver_result *r, const char *record,
                       const char *name)
{
    if (r->outcome == RESOLVER_NO_NAME)
        attempt_invalid(a, COURIER_DNS, "%s at %s: there is no such name (NXDOMAIN)", record, name);
    else if (r->outcome == RESOLVER_NONE)
        attempt_invalid(a, COURIER_DNS, "%s at %s: the name has no such record", record, name);
    else
        attempt_invalid(a, COURIER_DNS, "%s at %s: %s", record, name, r->why);
}

/* --- addresses --- */

/* From the resolver's callback to the kind's. */
struct resolving {
    struct attempt *attempt;
    const char *shown;
    attempt_addresses *go;
};

static void filter(const struct resolving *x, const struct in6_addr *from, size_t n)
{
    struct attempt *a = x->attempt;
    struct in6_addr *to = arena_array(a->arena, n, sizeof *to);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (reach_allowed(*a->how, &from[i]))
            to[kept++] = from[i];
    if (kept > 0)
        x->go(a, to, kept);
    else
        attempt_invalid(a, COURIER_REJECTED, "the address of %s is one that this CA does not connect to",
                        x->shown);
}

static void on_addresses(void *arg, const struct resolver_result *r)
{
    const struct resolving *x = arg;
    if (r->outcome == RESOLVER_FOUND)
        filter(x, r->addresses, r->n);
    else
        attempt_not_found(x->attempt, r, "A and AAAA", x->shown);
}

/* What no resolver is asked for: numbers, and names that are this machine (RFC 6761 6.3). */
static size_t known(const char *host, struct in6_addr to[2])
{
    struct view localhost = view_str("localhost"), name = view_str(host);
    if (net_address(host, &to[0]))
        return 1;
    if (!view_eq(name, localhost) && !view_ends(name, view_str(".localhost")))
        return 0;
    net_address("::1", &to[0]);
    net_address("127.0.0.1", &to[1]);
    return 2;
}

void attempt_resolve(struct attempt *a, const char *host, attempt_addresses *go)
{
    struct resolving *x = ARENA_NEW(a->arena, struct resolving);
    struct in6_addr addresses[2];
    size_t n = known(host, addresses);
    bool own = strcmp(host, a->check->identifier) == 0;
    *x = (struct resolving){a, own ? host : "a host that it leads to", go};
    if (n > 0) {
        filter(x, addresses, n);
        return;
    }
    attempt_doing(a, COURIER_DNS, "asking for the addresses of %s", x->shown);
    resolver_addresses(a->resolver, host, on_addresses, x);
}
