/* A small ACME client for the door of door.h: signs what it is told to, also what is wrong. */
#ifndef CHANCERY_TESTS_ENROLL_ACME_CLIENT_H
#define CHANCERY_TESTS_ENROLL_ACME_CLIENT_H

#include "door.h"

#define ACME_URL "https://ca.example.internal:8443"

struct acme_client {
    struct door *d;
    struct evp_pkey_st *key; /* P-256 */
    const char *kid;         /* NULL: signs with its jwk */
    char nonce[64];          /* of the last answer; "": none is sent */
    const char *header;      /* in place of the usual one, all of it; NULL */
    const char *url;         /* in place of the one of the path; NULL */
};

/* A key, and a nonce of new-nonce. */
struct acme_client client_new(struct door *d);
void client_free(struct acme_client *c);
void client_fresh(struct acme_client *c); /* another nonce */

/* POST with this payload ("": POST-as-GET); keeps the nonce of the answer. */
struct said client_post(struct acme_client *c, const char *path, const char *payload);
/* The same; status and problem type (after the last colon, NULL: any). */
void client_expect(struct acme_client *c, const char *path, const char *payload, int status,
                   const char *type);
/* newAccount at this directory ("/acme" or "/acme/server"); MORE are further members: ",\"x\":1". */
struct said client_register(struct acme_client *c, const char *directory, const char *more);
/* The path of Location. */
const char *client_location(struct acme_client *c, const struct said *s);
/* newOrder of dns names with commas between; the order's path. */
const char *client_order(struct acme_client *c, const char *names);
/* finalize of this order with a CSR of these SANs as OpenSSL writes them. */
struct said client_finalize(struct acme_client *c, const char *order, const char *sans);

/* A JWS over payload, as flattened JSON. */
const char *client_sign(struct acme_client *c, const char *header, struct view payload);
const char *client_jwk(struct acme_client *c);
/* An EAB key for these templates, names under example.internal, pre-approved; the member for newAccount. */
const char *client_binding(struct acme_client *c, const char *directory, const char *kid, struct view secret);

#endif
