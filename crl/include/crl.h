/*
 * Certificate revocation lists (RFC 5280 5), in two halves.
 *
 * The maker, in the front: watches the ledger and makes the lists of each issuer, on their clocks and at once
 * on a revocation: built by a thread of its own straight from the ledger's index, judged and sealed by the
 * vault, written into the ledger, put on the shelf. Revocations that come while a list is being made are on
 * the next one, which follows at once. A list that fails is tried again; what lies on the shelf stays there
 * until a newer one replaces it. From there it goes on: gzipped, into the bundles of the chain, into a
 * directory, by PUT to an address; none of this holds up the next list, and memory does not grow with a
 * list's length.
 *
 * Lists of an issuer, numbered together, so that no number ever comes twice or goes back:
 *
 *     of everything     no issuingDistributionPoint: it stands for every certificate
 *     of a partition    critical issuingDistributionPoint with the address that its certificates name. Which
 *                       partition a certificate is in is fixed when it is issued; they fill one after the
 *                       other, and one whose certificates have all ended gets no more lists
 *     delta             what changed since the oldest list of everything that still holds, removeFromCRL for
 *                       what is no longer on hold; so it fits whichever of them a client keeps
 *
 * What a revocation makes anew: the list of the certificate's partition, and the delta list. The list of
 * everything only where there is neither: else it follows its clock, and a revocation costs the size of a
 * partition and a delta, not that of the issuer.
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

struct courier; /* courier.h */

/* --- making: the front's loop --- */

/* Texts and views are borrowed until the next crl_maker_set or crl_maker_free. */
struct crl_issuer {
    const char *name;
    const char *parent;      /* name of the issuer above it, NULL for a root: for the bundles */
    struct view certificate; /* DER */
    struct view subject;     /* Name, DER */
    struct view key_id;      /* octets of its subjectKeyIdentifier */
    enum cert_alg alg;
    const char *url;    /* under which its lists are found: URL.crl, URL/7.crl, URL-delta.crl */
    int64_t every_s;    /* a fresh list at least this often */
    int64_t lifetime_s; /* nextUpdate - thisUpdate; more than every_s */
    int64_t not_after;  /* of the issuer; 0: none. A list made past it holds for ever */
    bool offline;       /* its key is elsewhere: nothing is made, only `given` is published */
    struct view given;  /* a whole list, DER, or empty */
    int64_t given_from, given_until;
    int64_t delta_s; /* a fresh delta list at least this often; 0: none */
    bool full;       /* one list of everything; else URL.crl is of the certificates without a partition */
    const char *directory; /* where each is written too, or NULL: DIRECTORY/issuing/7.crl */
    const char *put;       /* where each is put too by the courier, or NULL: PUT/issuing/7.crl */
};

/* 9999-12-31T23:59:59Z: nextUpdate of a list that none will follow (RFC 5280 4.1.2.5). */
#define CRL_FOR_EVER INT64_C(253402300799)

struct crl_maker;

/* Puts the CA certificates on the shelf as soon as issuers are set. */
MUST_USE struct err *crl_maker_new(struct loop *loop, struct ledger *ledger, struct shelf *shelf,
                                   struct hsm *hsm, struct crl_maker **ret);
/* How lists get to other hosts; lives longer than the maker. */
void crl_maker_courier(struct crl_maker *m, struct courier *courier);
/* A new configuration. Lists under way are finished under the old one. */
void crl_maker_set(struct crl_maker *m, uint32_t generation, const struct crl_issuer *issuers, size_t n);
/* The vault has (again) attached: what is due is made now. */
void crl_maker_go(struct crl_maker *m);
/* Waits for its threads, which read ledger and shelf: before these are closed; the loop is not to run any
 * more. Accepts NULL. */
void crl_maker_stop(struct crl_maker *m);
/* After ledger, hsm and shelf are closed, and with no list under way. Accepts NULL. */
void crl_maker_free(struct crl_maker *m);

/* NULL where every issuer's list on the shelf still holds, else which does not: for /readyz. */
MUST_USE struct err *crl_maker_ready(struct crl_maker *m);

/* --- serving: the responder's loop --- */

struct crl_server;
struct crl_server *crl_server_new(struct loop *loop, struct shelf_reader *shelf);
void crl_server_free(struct crl_server *s); /* accepts NULL */

/* GET /crl/{issuer}.crl, /crl/{issuer}/{n}.crl, /crl/{issuer}-delta.crl, /crl/{issuer}-chain.pem,
 * /ca/{issuer}.crt, /ca/{issuer}.pem, /roots.pem; arg: a crl_server. */
extern const struct http_route crl_routes[];
extern const size_t crl_routes_n;

#endif
