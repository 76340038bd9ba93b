/*
 * Checks of control: whether who asks for a name can do what only its holder can (RFC 8555 8, RFC 8737), and
 * whether the name's holder lets us issue at all (CAA, RFC 8659). The front says what must be found; where to
 * look is the courier's own business: its resolvers, its ports, and the addresses it may reach stand in its
 * configuration (`acme.validation`), so that an owned front cannot send it anywhere else.
 *
 * Nothing is tried again and nothing is remembered: each check looks anew, from every vantage, and ends
 * within its deadline. What a finding says is fit for the asker's eyes: which record, which status, which
 * rule; never a body, a header, a banner or an address that is not in the question.
 */
#ifndef CHANCERY_COURIER_CHECK_H
#define CHANCERY_COURIER_CHECK_H

#include "base/arena.h"
#include "base/net.h"
#include "courier.h"

enum courier_check_kind {
    COURIER_HTTP_01,     /* GET http://NAME/.well-known/acme-challenge/TOKEN (RFC 8555 8.3) */
    COURIER_DNS_01,      /* TXT at _acme-challenge.NAME (8.4) */
    COURIER_TLS_ALPN_01, /* RFC 8737 */
    COURIER_DNS_PERSIST, /* one record at _validation-persist.NAME that names the account: doc/ACME.md */
    COURIER_CAA,         /* RFC 8659 and 8657; of an address: valid, CAA is about names */
    COURIER_CHECK_KINDS
};

struct courier_check {
    enum courier_check_kind kind;
    const char *identifier; /* "a.example.internal": A-labels, lower case, no "*." and no dot at its end; or
                               an address as inet_ntop writes it */
    bool ip;
    bool wildcard;                 /* "*." stands before it: DNS_01, DNS_PERSIST and CAA alone */
    const char *token;             /* HTTP_01; else NULL */
    const char *key_authorization; /* TOKEN.THUMBPRINT (RFC 8555 8.1): HTTP_01, DNS_01, TLS_ALPN_01 */
    const char *account;           /* account URI: DNS_PERSIST, and CAA's accounturi */
    const char *method;            /* CAA's validationmethods: "http-01" */
};

enum courier_verdict {
    COURIER_VALID,
    COURIER_INVALID, /* outside says no; `problem` and `detail` say what, the challenge is over */
    COURIER_UNTRIED, /* our side could not try: no courier, too much under way; ask again later */
};

/* The error types of RFC 8555 6.7 that a check can end in. */
enum courier_problem {
    COURIER_NO_PROBLEM,
    COURIER_UNAUTHORIZED,       /* unauthorized: found, but not what must be there */
    COURIER_INCORRECT_RESPONSE, /* incorrectResponse: a status, a size, a form that is no answer */
    COURIER_CONNECTION,         /* connection */
    COURIER_DNS,                /* dns */
    COURIER_TLS,                /* tls */
    COURIER_CAA_FORBIDS,        /* caa */
    COURIER_REJECTED,           /* rejectedIdentifier: its address is one that we do not reach */
    COURIER_PROBLEMS
};
const char *courier_problem_type(enum courier_problem p); /* "incorrectResponse"; "" for none */

struct courier_finding {
    enum courier_verdict verdict;
    enum courier_problem problem;
    const char *detail; /* "" where valid */
};

/* Exactly once, on the loop, never inside courier_check itself; the finding is borrowed until it returns. */
typedef void courier_checked(void *arg, const struct courier_finding *f);
/* An error (ERR_BUSY: no courier, or too many errands; ERR_PROTOCOL: a text that is not of its form) means
 * that `done` will not be called. */
MUST_USE struct err *courier_check(struct courier *c, const struct courier_check *check,
                                   courier_checked *done, void *arg);

/* What DNS_PERSIST looks for, for who is to write it, in the arena: a TXT record, "ISSUER; accounturi=URI",
 * for wildcards too with "; policy=wildcard"; or a CNAME to "LABEL.ISSUER", LABEL made from the account's
 * URI. */
const char *courier_persist_text(const char *issuer, const char *account, bool wildcard, struct arena *arena);
const char *courier_persist_target(const char *issuer, const char *account, struct arena *arena);

/* --- running: the courier's process --- */

enum { COURIER_VANTAGES_MAX = 8 };

/* How checks are made. Borrowed until the next courier_server_set_checks. */
struct courier_checking {
    const char *const
        *vantages; /* "10.0.0.53,[fd00::53]:5353", each a vantage of its own; none: the system's */
    size_t vantages_n;
    size_t agree;                   /* how many vantages must find it valid, 0: all */
    const struct net *allow, *deny; /* before what is denied to all: loopback, link-local, ... */
    size_t allow_n, deny_n;         /* deny goes before allow */
    const char *const *issuers;     /* names of this CA in CAA and DNS_PERSIST */
    size_t issuers_n;
    int64_t deadline_s; /* of a whole check */
    size_t redirects;
    bool trial;                   /* loopback may be reached, and /etc/hosts is read */
    uint16_t http_port, tls_port; /* 80 and 443, but for a trial */
};
void courier_server_set_checks(struct courier_server *s, const struct courier_checking *how);

#endif
