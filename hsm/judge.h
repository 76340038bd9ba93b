/*
 * The floors: what the vault holds every tbs to, above any template, on the final bytes and by its own clock.
 * Pure functions: no token, no disk, no clock of their own, nothing remembered. Leases, ceilings and the roll
 * are the vault's.
 *
 * Refusals: ERR_FLOOR, ERR_POLICY (templates_judge), and what cert says of malformed bytes.
 */
#ifndef CHANCERY_HSM_JUDGE_H
#define CHANCERY_HSM_JUDGE_H

#include "cert/tbs.h"
#include "house.h"
#include "known.h"
#include "list_reader.h"
#include "responder.h"

enum {
    JUDGE_AHEAD_S = 60,                    /* how far ahead of our clock a time may stand */
    JUDGE_BACKDATE_S = 24 * 3600,          /* notBefore, at most before now */
    JUDGE_LEAF_S = 3653 * 24 * 3600,       /* life of an end-entity certificate: ten years */
    JUDGE_OCSP_SIGNING_S = 90 * 24 * 3600, /* of a responder's */
    JUDGE_CA_S = 14610 * 24 * 3600,        /* of a CA's: forty years */
    JUDGE_STATUS_BACK_S = 3600,            /* thisUpdate and producedAt, at most before now */
    JUDGE_CRL_S = 35 * 24 * 3600,          /* nextUpdate - thisUpdate, of an issuer that may issue */
    JUDGE_ROOT_CRL_S = 400 * 24 * 3600,    /* of one that may not */
    JUDGE_OCSP_S = 14 * 24 * 3600,         /* nextUpdate - thisUpdate of an OCSP answer */
    JUDGE_CRL_BYTES = 512 * 1024 * 1024,
};

struct judge_cert_case {
    const struct house *house;
    const struct responder_keys *responders;
    const struct house_issuer *issuer;
    enum hsm_peer peer; /* FRONT or INIT */
    struct view template;
    struct view tbs;
    int64_t now;
};
struct judge_cert_found {
    struct cert_tbs tbs;
    const struct template *template;
};
/* An end-entity certificate. Views into the tbs; the arena holds the rest. */
MUST_USE struct err *judge_cert(const struct judge_cert_case *c, struct arena *arena,
                                struct judge_cert_found *ret);

struct judge_ca_case {
    const struct house *house;
    const struct responder_keys *responders;
    const struct house_issuer *issuer; /* NULL: self-signed */
    const char *name;                  /* of the new issuer */
    struct view spki;                  /* of the key labelled `name` in the token */
    struct view proof; /* in place of name and spki, for a key that is elsewhere: judge_proof */
    bool renewed;      /* for the issuer of this name, whose key and subject stay */
    struct view template;
    struct view tbs;
    int64_t now;
};
/* A CA certificate: of a ceremony, or of a wish that the roster approved. */
MUST_USE struct err *judge_ca(const struct judge_ca_case *c, struct arena *arena,
                              struct judge_cert_found *ret);

/* What a key that is not in the token has signed about itself: a PKCS#10 request, or the self-signed CA
 * certificate that is to be cross-signed. ret_subject: of such a certificate, whose name stays as it is; else
 * empty. */
struct judge_proof_found {
    struct view spki, subject;
};
MUST_USE struct err *judge_proof(struct view proof, struct arena *arena, struct judge_proof_found *ret);

/* The CertificationRequestInfo (RFC 2986) of an issuer-to-be: version 0, its own key, a subject that is no
 * other issuer's. */
struct judge_cri_case {
    const struct house *house;
    const char *name; /* of the key */
    struct view spki; /* of that key in the token */
    struct view cri;
    struct view subject; /* that it must have; empty: any */
};
MUST_USE struct err *judge_cri(const struct judge_cri_case *c, struct arena *arena);

/* A TBSCertList; floor: the highest number sealed so far. One pass over the file. Of ret->crl the number
 * alone is given; ret->message is the caller's to free(). Any thread. */
MUST_USE struct err *judge_crl(const struct house_issuer *issuer, const struct list_file *file,
                               uint64_t floor, int64_t now, struct list_read *ret);

/* A ResponseData to be signed by this responder key of this issuer. *ret_revoked: whether one of its
 * certificates is. */
MUST_USE struct err *judge_ocsp(const struct house_issuer *issuer, const struct responder_key *key,
                                struct view tbs, int64_t now, struct arena *arena, bool *ret_revoked);

struct judge_nonce_case {
    const struct house_issuer *issuer;
    const struct responder_keys *responders;
    struct known *known;        /* what need not be verified; what was is added */
    const struct view *answers; /* whole */
    size_t n;
    struct view nonce; /* empty: none */
    int64_t now;
};
struct judge_nonce_found {
    struct responder_key key; /* of the youngest of them */
    struct view tbs;          /* the new ResponseData */
    const struct view *certs;
    size_t cert_count;
};
/* Whole answers of ours to be sealed again as one, with this nonce: each made by a responder key of the
 * issuer, still valid, and known or verified. */
MUST_USE struct err *judge_nonce(const struct judge_nonce_case *c, struct arena *arena,
                                 struct judge_nonce_found *ret);

/* Rules that several share. */
MUST_USE struct err *judge_cert_not_ours(const struct house *house, const struct responder_keys *responders,
                                         const struct cert_tbs *tbs, bool responder_is_right);

#endif
