/*
 * A generation as the processes work with it: configuration, templates, roster and issuers' certificates,
 * parsed and held against each other. One struct, one owner, never changed after it is read. Any thread may
 * look.
 */
#ifndef CHANCERY_DAEMON_SETUP_H
#define CHANCERY_DAEMON_SETUP_H

#include "cert/chain.h"
#include "config.h"
#include "hsm.h"
#include "templates.h"

struct enroll_jwt; /* enroll_jwt.h */

struct setup_issuer {
    const struct config_issuer *config;
    struct view certificate; /* DER */
    struct cert_chain_cert cert;
    struct view key_id; /* octets of its subjectKeyIdentifier */
    enum cert_alg alg;  /* it signs with */
    struct view list;   /* of an offline CA: its CRL, DER; else empty */
    int64_t list_from, list_until;
    const struct view *cross;    /* cross-certificates, DER */
    struct setup_issuer *parent; /* among ours; itself for a root, NULL where it is not ours */
};

struct setup {
    struct arena *arena;
    struct generation generation;
    uint8_t sha256[SHA256_BYTES];
    struct config *config;
    struct templates *templates; /* may be taken: then NULL */
    struct hsm_roster *roster;
    struct view roster_yaml, roster_sigs;
    struct enroll_jwt *jwts; /* config->jwt.n */
    struct setup_issuer *issuers;
    size_t n;
};

/* fd: a sealed generation; stays the caller's. file: absolute path of chancery.yaml. ERR_CONFIG names file
 * and what is wrong in it. */
MUST_USE struct err *setup_read(int fd, const char *file, struct setup **ret);
void setup_free(struct setup *s); /* accepts NULL */

#endif
