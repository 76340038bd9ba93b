/*
 * OCSP (RFC 6960, 5019, 9654), in two halves.
 *
 * The maker, in the front: keeps one delegated responder certificate per issuer (key in the token,
 * id-pkix-ocsp-nocheck, renewed by itself with overlap) and puts ready-made answers on the shelf: at once on
 * a revocation, on the first question for a serial, and anew when half their life is over. Never inside an
 * issuance. Never `good` for a serial that is not on record.
 *
 * The serving half, in the responder: strict parse to (issuer, serial), one look at the shelf, reply with
 * cache headers. A serial the shelf does not know is asked of the front over a narrow channel (`want`) and
 * parked up to 500 ms, then tryLater. For a nonce the vault re-seals the ready answer.
 */
#ifndef CHANCERY_OCSP_H
#define CHANCERY_OCSP_H

#include "base/loop.h"
#include "cert/alg.h"
#include "hsm.h"
#include "http.h"
#include "ledger.h"
#include "ledger_shelf.h"

/* What both halves know of an issuer. Texts and views are borrowed until the next set or free. */
struct ocsp_issuer {
    const char *name;
    struct view certificate; /* DER */
    int64_t lifetime_s;      /* nextUpdate - thisUpdate of an answer; refreshed at half of it */
    enum cert_alg alg;       /* with which the issuer signs */
    bool by_issuer;          /* it answers with its own key: no delegated responder */
    bool ready;              /* answers are made for all that is valid, asked for or not */
    bool sign_unknown;       /* what is not on record is answered `unknown`, signed; else unauthorized */
};

/* --- making: the front's loop --- */

struct ocsp_maker;

/* How the maker has a responder certificate made: the engine, given by the daemon, since this room does not
 * know `ca`. spki: of the key in the token. answer: certificate DER or an error (taken by the callee), once.
 */
typedef void ocsp_certified(void *arg, struct err *e, struct view certificate);
struct ocsp_certifier {
    void (*certify)(void *ca, const char *issuer, struct view spki, ocsp_certified *answer, void *arg);
    void *ca;
};

MUST_USE struct err *ocsp_maker_new(struct loop *loop, struct ledger *ledger, struct shelf *shelf,
                                    struct hsm *hsm, struct ocsp_certifier certifier,
                                    struct ocsp_maker **ret);
void ocsp_maker_set(struct ocsp_maker *m, uint32_t generation, const struct ocsp_issuer *issuers, size_t n);
/* The vault has (again) attached and what was left open is closed: responder keys are looked up, what is due
 * is made. */
void ocsp_maker_go(struct ocsp_maker *m);
/* A responder's channel for wants; takes fd. Up to 64. */
void ocsp_maker_attach(struct ocsp_maker *m, int fd);
/* The end is near: nothing more is begun, so that ledger and shelf may be closed. What is revoked from here
 * on is caught up with at the next start. */
void ocsp_maker_stop(struct ocsp_maker *m);
/* After ledger, hsm and shelf are closed, so that nothing under way can come back. Accepts NULL. */
void ocsp_maker_free(struct ocsp_maker *m);

/* NULL where every issuer has a responder certificate that holds, else which has not: for /readyz. */
MUST_USE struct err *ocsp_maker_ready(const struct ocsp_maker *m);

/* --- serving: the responder's loop --- */

struct ocsp_server;

/* hsm: the client on the responder's channel to the vault, for nonces. */
MUST_USE struct err *ocsp_server_new(struct loop *loop, struct shelf_reader *shelf, struct hsm *hsm,
                                     struct ocsp_server **ret);
void ocsp_server_set(struct ocsp_server *s, const struct ocsp_issuer *issuers, size_t n);
/* The server the routes were added to: parked questions are resumed there. */
void ocsp_server_http(struct ocsp_server *s, struct http_server *http);
/* A fresh channel to the front, for wants; takes fd. An older one is dropped. */
void ocsp_server_attach(struct ocsp_server *s, int fd);
void ocsp_server_free(struct ocsp_server *s); /* accepts NULL */

/* POST /ocsp/{issuer}, GET /ocsp/{issuer}/{base64*}; arg: an ocsp_server. */
extern const struct http_route ocsp_routes[];
extern const size_t ocsp_routes_n;

#endif
