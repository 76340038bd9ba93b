/*
 * Certificate revocation lists (RFC 5280 5), in two halves.
 *
 * The maker, in the front: watches the ledger and makes a full list per issuer, on a clock and at once on a
 * revocation: built by a thread of its own straight from the ledger's index into a sealed memfd, judged and
 * sealed by the vault, written into the ledger, put on the shelf. Revocations that come while a list is being
 * made are on the next one, which follows at once. A list that fails is tried again; what lies on the shelf
 * stays there until a newer one replaces it.
 *
 * The serving half, in the responder: lists, CA certificates and the bundles of a chain, straight from the
 * shelf.
 */
#ifndef CHANCERY_CRL_H
#define CHANCERY_CRL_H

#include "base/loop.h"
#include "cert/alg.h"
#include "hsm.h"
#include "http.h"
#include "ledger.h"
#include "ledger_shelf.h"

/* --- making: the front's loop --- */

/* Texts and views are borrowed until the next crl_maker_set or crl_maker_free. */
struct crl_issuer {
    const char *name;
    const char *parent;      /* name of the issuer above it, NULL for a root: for the bundles */
    struct view certificate; /* DER */
    struct view subject;     /* Name, DER */
    struct view key_id;      /* octets of its subjectKeyIdentifier */
    enum cert_alg alg;
    int64_t every_s;    /* a fresh list at least this often */
    int64_t lifetime_s; /* nextUpdate - thisUpdate; more than every_s */
    int64_t not_after;  /* of the issuer; 0: none. A list made past it holds for ever */
    bool offline;       /* its key is elsewhere: nothing is made, only `given` is published */
    struct view given;  /* a whole list, DER, or empty */
    int64_t given_from, given_until;
};

/* 9999-12-31T23:59:59Z: nextUpdate of a list that none will follow (RFC 5280 4.1.2.5). */
#define CRL_FOR_EVER INT64_C(253402300799)

struct crl_maker;

/* Puts the CA certificates on the shelf as soon as issuers are set. */
MUST_USE struct err *crl_maker_new(struct loop *loop, struct ledger *ledger, struct shelf *shelf,
                                   struct hsm *hsm, struct crl_maker **ret);
/* A new configuration. Lists under way are finished under the old one. */
void crl_maker_set(struct crl_maker *m, uint32_t generation, const struct crl_issuer *issuers, size_t n);
/* The vault has (again) attached: what is due is made now. */
void crl_maker_go(struct crl_maker *m);
/* After ledger, hsm and shelf are closed, and with no list under way. Accepts NULL. */
void crl_maker_free(struct crl_maker *m);

/* NULL where every issuer's list on the shelf still holds, else which does not: for /readyz. */
MUST_USE struct err *crl_maker_ready(const struct crl_maker *m);

/* --- serving: the responder's loop --- */

struct crl_server;
struct crl_server *crl_server_new(struct loop *loop, struct shelf_reader *shelf);
void crl_server_free(struct crl_server *s); /* accepts NULL */

/* GET /crl/{issuer}.crl, /crl/{issuer}-chain.pem, /ca/{issuer}.crt, /ca/{issuer}.pem, /roots.pem; arg: a
 * crl_server. */
extern const struct http_route crl_routes[];
extern const size_t crl_routes_n;

#endif
