/*
 * What the files of the ACME door (RFC 8555) share. A request is a JWS: the gate (ask.c) reads, checks and
 * verifies it, and hands a `struct acme_ask` to the handler of its row. On the front's loop.
 *
 * Accounts, orders, authorizations and EAB keys are objects of the ledger (ledger_object.h): a handler reads
 * the newest state, makes the next, and answers when that is durable (acme_put). Two who change the same
 * state are told apart by the ledger, so nothing is locked here.
 */
#ifndef CHANCERY_ENROLL_ACME_ACME_H
#define CHANCERY_ENROLL_ACME_ACME_H

#include "../house.h"
#include "base/conf.h"
#include "base/hex.h"
#include "cert/jose.h"
#include "ledger_object.h"
#include "limits.h"
#include "nonces.h"

extern const struct http_route acme_routes[];
extern const size_t acme_routes_n;

enum { ACME_ID_BYTES = LEDGER_OBJECT_ID_BYTES, ACME_NAMES_MAX = LIMIT_SANS, ACME_SECRET_BYTES = 32 };

/* Stored: never renumbered. */
enum acme_status {
    ACME_PENDING = 1,
    ACME_READY, /* computed, of orders alone: never stored */
    ACME_PROCESSING,
    ACME_VALID,
    ACME_INVALID,
    ACME_DEACTIVATED,
    ACME_EXPIRED,
    ACME_REVOKED
};
const char *acme_status_text(uint64_t status); /* "pending" */

/* What this door keeps in memory. */
struct acme {
    uint8_t secret[ACME_SECRET_BYTES]; /* of this installation: MACs of nonces, EAB keys */
    struct acme_nonces *nonces;
    struct acme_limits *limits;
    struct acme_work *work;         /* under way: checks of challenges, issuances */
    uint64_t in_second, best_per_s; /* certificates made in this second; the most in any */
    int64_t second;
};
/* Something that goes on after its request was answered: an object and an arena of its own. */
struct acme_work {
    struct acme_work *next;
    struct enroll *en;
    struct arena *arena;
    struct ledger_entry object; /* its state when this began */
};
struct acme_work *acme_work_of(const struct acme *a, struct view id); /* NULL: nothing is under way */
/* In the list; of `bytes`, which begin with a struct acme_work, and with the newest state of the object. */
MUST_USE struct err *acme_work_new(struct enroll *en, unsigned kind, struct view id, size_t bytes,
                                   struct acme_work **ret);
void acme_work_end(struct acme_work *w);
MUST_USE struct err *acme_new(struct enroll *en, struct acme **ret);
void acme_stop(struct acme *a); /* before the ledger closes: what a restart is to remember; accepts NULL */
void acme_free(struct acme *a); /* accepts NULL */
/* A certificate was made: how many a second at most is what renewals are spread by. */
void acme_made(struct acme *a);

/* --- one request --- */

struct acme_row;
struct acme_ask {
    struct http_request *r;
    struct enroll *en;
    const struct enroll_acme *config;
    const struct acme_row *row;
    const char *template; /* of the directory in the path, or of the default one */
    struct cert_jws jws;
    struct cert_key key; /* that signed it */
    bool has_account;
    struct ledger_entry account; /* its newest state */
    struct conf *conf;
    const json_t *body;  /* NULL: POST-as-GET (RFC 8555 6.3); dies when the handler returns */
    json_t *subproblems; /* of the problem to come, or NULL */
};

/* Answers, or parks; or returns an error, which becomes a problem and an entry in the ledger. */
typedef struct err *acme_handle(struct acme_ask *ask);

enum acme_by { ACME_BY_KID = 1, ACME_BY_JWK = 2 };
enum acme_body { ACME_GET = 1, ACME_OBJECT = 2 };
struct acme_row {
    acme_handle *handle;
    unsigned by;   /* enum acme_by */
    unsigned body; /* enum acme_body */
};
/* The handler of every route that takes a JWS; its row is the route's arg. */
void acme_post(struct http_request *r);
/* Whether ACME is switched on, and which directory a path is of. ERR_NOT_FOUND. */
MUST_USE struct err *acme_directory_of(struct http_request *r, const struct enroll_acme **ret,
                                       const char **ret_template);
/* Reads a JWS inside a payload: an EAB, a keyChange. */
MUST_USE struct err *acme_inner(struct acme_ask *ask, const json_t *tree, struct cert_jws *ret);

/* --- answer.c --- */

/* Every answer: a nonce, the way back to the directory. Takes the tree; NULL: no body. */
void acme_answer(struct acme_ask *ask, int status, json_t *tree);
void acme_headers(struct http_request *r, const char *template);
/* As a problem of RFC 8555 6.7. Takes e; on record already. */
void acme_problem(struct acme_ask *ask, struct err *e);
/* The type for an error, without "urn:ietf:params:acme:error:". */
const char *acme_problem_type(enum err_code code);
/* {"type", "detail"} of an error that is on record. */
json_t *acme_error_json(const char *type, const char *detail);
/* One name's problem, to stand in the subproblems of what is refused. Takes e. */
void acme_subproblem(struct acme_ask *ask, const char *name, struct err *e);
/* The same error with another code. Takes e. NULL stays NULL. */
MUST_USE struct err *acme_as(struct err *e, enum err_code code);

const char *acme_url(const struct acme_ask *ask, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *acme_object_url(const struct acme_ask *ask, const char *kind, struct view id);
/* {"type": "dns", "value": "a.example"} of "dns:a.example". */
json_t *acme_identifier_json(const char *name, bool wildcard);

/* --- books.c --- */

void acme_id_new(struct acme_ask *ask, struct ledger_object *to);
/* {id} of the path. ERR_NOT_FOUND. */
MUST_USE struct err *acme_id_of(struct acme_ask *ask, struct view *ret);
/* The object of the path, which must be the account's own. ERR_NOT_FOUND, ERR_FORBIDDEN. */
MUST_USE struct err *acme_own(struct acme_ask *ask, unsigned kind, struct ledger_entry *ret);
MUST_USE struct err *acme_own_id(struct acme_ask *ask, unsigned kind, struct view id,
                                 struct ledger_entry *ret);
/* The state that follows this one, to be changed and put. */
struct ledger_entry acme_next(const struct ledger_entry *now);

/* Who does it, for an entry. */
void acme_by(struct acme_ask *ask, struct ledger_entry *to);
/* Puts n states on record, together; done once all are durable, or one has failed (takes e), while the
 * request is still there. Parks. Entries are copied. */
typedef void acme_put_done(struct acme_ask *ask, void *arg, struct err *e);
MUST_USE struct err *acme_put(struct acme_ask *ask, struct ledger_entry *entries, size_t n,
                              acme_put_done *done, void *arg);

/* --- account.c, eab.c --- */

acme_handle account_new, account_show, account_orders, account_change_key;
const char *account_owner(struct acme_ask *ask); /* "acme:ID": what its certificates are on record by */

/* The key of an EAB: made from the installation's secret and its id, so that it is stored nowhere. */
void eab_secret(const struct acme *a, struct view id, uint8_t ret[32]);
/* The binding in a newAccount (RFC 8555 7.3.4), verified; *ret is the key's newest state. ERR_FORBIDDEN,
 * ERR_BAD_FIELD, ERR_BAD_SIGNATURE. */
MUST_USE struct err *eab_verify(struct acme_ask *ask, const json_t *binding, struct ledger_entry *ret);
/* May an account more be bound to it, in this directory? ERR_FORBIDDEN. */
MUST_USE struct err *eab_check(const struct acme_ask *ask, const struct ledger_acme_eab *eab);
/* What the account was bound to. False: to nothing. */
MUST_USE struct err *eab_of(struct acme_ask *ask, bool *ret_bound, struct ledger_entry *ret);
/* ERR_FORBIDDEN where this directory wants another binding than the account has. *ret: the key, or NULL. */
MUST_USE struct err *eab_admits(struct acme_ask *ask, const char *template,
                                const struct ledger_acme_eab **ret);

#include "orders.h"

/* --- directory.c --- */

void directory_get(struct http_request *r);
void directory_nonce(struct http_request *r);

#endif
