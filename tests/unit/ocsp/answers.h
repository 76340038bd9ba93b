/* The making half in the house of house_scene.h, and answers read off the shelf. */
#ifndef CHANCERY_TESTS_OCSP_ANSWERS_H
#define CHANCERY_TESTS_OCSP_ANSWERS_H

#include "cert/chain.h"
#include "house_scene.h"
#include "maker.h"

enum { ANSWERS_LIFETIME_S = 1200 };

struct answers {
    struct ocsp_maker *maker;
    struct ocsp_issuer issuers[2];
    bool sit_out;      /* the next life of the front has no maker */
    int certified;     /* how often a certificate was asked for */
    bool sign_unknown; /* what is not on record is answered `unknown` */
    bool no_vault_yet; /* what ocsp_maker_go would do is left to the test */
};

/* A house with a maker, before its start; the caller starts it. */
struct house *answers_house(struct answers *a);

/* Until every issuer has a responder certificate. */
void answers_ready(struct house *h);

struct answer {
    bool there;
    struct shelf_item item;
    struct cert_ocsp_answer ocsp;
    struct cert_chain_cert signer; /* the certificate that goes along */
    enum cert_ocsp_cert_status status;
    int64_t this_update, next_update;
};
/* As it lies there; verified against the issuer. */
struct answer answers_of(struct house *h, struct view serial, enum cert_ocsp_hash hash);
/* Asks the maker for one, as a responder does. */
enum want_outcome answers_want(struct house *h, struct view serial, enum cert_ocsp_hash hash);
/* Until the one on the shelf has this status. */
void answers_await(struct house *h, struct view serial, enum cert_ocsp_hash hash,
                   enum cert_ocsp_cert_status status);

struct view answers_fresh(struct house *h); /* the serial of a new certificate */
void answers_revoke(struct house *h, struct view serial, enum cert_reason reason);

#endif
