/* What the files of this room share. On the front's loop. */
#ifndef CHANCERY_ENROLL_HOUSE_H
#define CHANCERY_ENROLL_HOUSE_H

#include <jansson.h>

#include "enroll.h"
#include "guesses.h"
#include "nonce.h"

struct enroll {
    struct enroll_setup setup;
    struct enroll_config config;
    struct http_server *http;
    struct nonces nonces;
    struct acme *acme; /* acme/acme.h; NULL: never switched on */
    struct guesses guesses;
};

/* One door: its routes. */
struct enroll_protocol {
    const char *name;
    const struct http_route *routes;
    const size_t *n;
};

/* --- asker.c --- */

/* Who asks, by bearer token, client certificate or peer credentials, in this order; ERR_UNAUTHENTICATED where
 * by none. Lives in the request's arena. */
MUST_USE struct err *asker_of(struct http_request *r, struct ca_asker **ret);
/* The same where HTTP Basic counts too, a token as its password: EST's paths alone (RFC 7030 3.2.3). */
MUST_USE struct err *asker_of_basic(struct http_request *r, struct ca_asker **ret);
/* By the client certificate of this authority and nothing else: for its renewal, and so also where it is
 * over; for how long that is forgiven the template says. */
MUST_USE struct err *asker_of_shown(struct http_request *r, struct ca_asker **ret);

/* For who makes askers of credentials: without any grant but their role's. */
struct ca_asker *asker_new(struct http_request *r, enum ca_role role, const char *id);

/* Who may use a path: bits, 1 << role. A route's `arg` points to one of these. */
enum {
    ASKER_NOBODY = 0, /* no credentials are looked at */
    ASKER_ANY = ~0,
    ASKER_ASKS = 1 << CA_ROLE_REQUESTER | 1 << CA_ROLE_ENROLL_AGENT | 1 << CA_ROLE_OPERATOR,
    ASKER_ENDS = ASKER_ASKS | 1 << CA_ROLE_ADMIN | 1 << CA_ROLE_ROOT,
    ASKER_STAFF = 1 << CA_ROLE_OPERATOR | 1 << CA_ROLE_AUDITOR | 1 << CA_ROLE_ADMIN | 1 << CA_ROLE_ROOT,
    ASKER_RUNS = 1 << CA_ROLE_OPERATOR | 1 << CA_ROLE_ADMIN,
    ASKER_STOPS = ASKER_RUNS | 1 << CA_ROLE_ROOT,
    ASKER_RULES = 1 << CA_ROLE_ADMIN,
};
/* The role must be one that the route names; ERR_FORBIDDEN naming those that may. */
MUST_USE struct err *asker_may(struct http_request *r, const struct ca_asker *asker);
/* asker_of, and asker_may. */
MUST_USE struct err *asker_admit(struct http_request *r, struct ca_asker **ret);

/* Somebody else by the name that the books have for them: "token:6bb5d596", "cert:issuing/4a..",
 * "roster:maria". For staff who want to see what these would be told; never to act in their place.
 * ERR_BAD_FIELD. */
MUST_USE struct err *asker_named(struct http_request *r, const char *id, struct ca_asker **ret);

/* An entry in the ledger for what was refused before anyone asked who asks. */
void asker_refused(void *enroll, const struct http_request *r, const struct err *why);
/* Refuses: an entry in the ledger, then a problem document. asker NULL: nobody known. Takes e. */
void asker_refuse(struct http_request *r, const struct ca_asker *asker, struct err *e);
/* The problem document alone, for what is on record already. Takes e. */
void asker_problem(struct http_request *r, struct err *e);

/* --- renew.c --- */

/* Who shows the certificate that is to be renewed, and what is asked for in its name but the CSR: the same
 * template, the same issuer while it issues. ret_asker is set where an asker is known. */
MUST_USE struct err *renew_request(struct http_request *r, struct ca_asker **ret_asker,
                                   struct ca_request *to);

/* --- answer.c --- */

/* The tree as the body; takes it. */
void answer_json(struct http_request *r, int status, json_t *tree);
/* A time as RFC 3339, a new reference. */
json_t *answer_time(int64_t s);
json_t *answer_texts(const struct ledger_texts *texts);
/* ERR_NOT_ACCEPTABLE where Accept has neither form of a certificate; asked before one is made. */
MUST_USE struct err *answer_acceptable(struct http_request *r);
/* A certificate: JSON, or the PEM chain where Accept asks for it. extra: more members for the JSON form, may
 * be NULL; taken. */
void answer_certificate(struct http_request *r, int status, const struct ca_certificate *cert, json_t *extra);
/* Renew-After: when its holder does well to come again. */
void answer_renew_after(struct http_request *r, const struct ca_certificate *cert);
/* "limit" of the query: 1..max, or the fallback. */
MUST_USE struct err *answer_limit(struct http_request *r, size_t fallback, size_t max, size_t *ret);
/* A query parameter as text, NULL where it is not there. */
MUST_USE struct err *answer_query(struct http_request *r, const char *name, const char **ret);
/* {serial} of the path: 20 octets in hex. */
MUST_USE struct err *answer_serial(struct http_request *r, struct view *ret);

#endif
