/*
 * The door of RFC 7030, with the corrections of RFC 8951: certificates over HTTPS for what has a token, a
 * certificate, or both. Paths: /.well-known/est/OP, with a label (a template's name) before OP, and for
 * clients that append to whatever they are given /LABEL/.well-known/est/OP.
 */
#ifndef CHANCERY_ENROLL_EST_H
#define CHANCERY_ENROLL_EST_H

#include "../house.h"

extern const struct http_route est_routes[];
extern const size_t est_routes_n;

#define ROUTE(method, op, handle, max_bytes, who) void handle(struct http_request *r);
#include "routes.def"
#undef ROUTE

#define EST_DOOR "est"

/* --- est.c: what the operations share --- */

/* Who asks, by token as Basic's password or as bearer, or by certificate, and may. */
MUST_USE struct err *est_admit(struct http_request *r, struct ca_asker **ret);
/* An entry in the ledger, then a problem document; where credentials are at fault with Basic's challenge.
 * asker NULL: nobody known. Takes e. */
void est_refuse(struct http_request *r, const struct ca_asker *asker, struct err *e);
/* The same for what is on record already. Takes e. */
void est_problem(struct http_request *r, struct err *e);

/* The label of the path; NULL: there is none. */
const char *est_label(struct http_request *r);
/* The template: the label, else the only one of the grant, else EST_TEMPLATE. */
#define EST_TEMPLATE "device"
const char *est_template(struct http_request *r, const struct ca_asker *asker);

/* The DER of the body: base64, with or without white space (RFC 8951 3.1). */
MUST_USE struct err *est_body(struct http_request *r, struct view *ret_der);
/* 200 with base64: in lines, but in one where the request has no User-Agent (such clients read no breaks). */
void est_reply(struct http_request *r, const char *type, struct view der);
/* The same of a certs-only message. */
void est_reply_certs(struct http_request *r, const struct view *ders, size_t n);

#endif
