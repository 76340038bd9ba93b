/*
 * The vault as its peers see it: the front asks for serials, seals and the roll; the responder for nonces.
 * The roll and the roster as data are in hsm_books.h. No key is ever on this side.
 *
 * The client lives on one loop and is used by that loop's thread alone. Every asynchronous start either
 * returns an error and never calls back, or returns NULL and calls `done` exactly once, later, from the loop
 * (never from inside the start) unless hsm_cancel() took the ticket. Where the channel is lost all pending
 * calls end with ERR_TOKEN_AWAY; whether such a seal was made only the roll can tell: hsm_roll_find() on the
 * next channel. Views given to `done` die when it returns.
 * Several vaults are a house: hsm_house.h.
 *
 * `generation` in requests is the configuration generation the caller worked under (1, 2, ...). The vault
 * knows the current and the one before; any other is ERR_GENERATION.
 *
 * What a refused seal means: ERR_FLOOR, ERR_FORBIDDEN, ERR_POLICY, ERR_SERIAL, ERR_CEILING, ERR_GENERATION,
 * ERR_BUSY and what cert says of malformed bytes: nothing was signed or rolled. ERR_TOKEN_AWAY,
 * ERR_PIN_REFUSED, ERR_NO_SPACE, ERR_IO, ERR_INTERNAL, ERR_CANCELLED: it may stand in the roll all the same;
 * hsm_roll_find() tells.
 */
#ifndef CHANCERY_HSM_H
#define CHANCERY_HSM_H

#include "base/limits.h"
#include "base/loop.h"
#include "base/ticket.h"
#include "hsm_books.h"
#include "hsm_state.h"

struct hsm;
struct hsm_freeze; /* hsm_freeze.h */
struct hsm_proof;  /* hsm_proof.h */

struct hsm_events {
    /* The channel stands and the vault has said that nothing older is under way there. roll_n: last number in
     * the roll. */
    void (*on_ready)(void *arg, uint64_t roll_n);
    /* The channel is gone; called after all pending calls have ended. why: borrowed, or NULL. */
    void (*on_lost)(void *arg, const struct err *why);
    void *arg;
};

struct hsm *hsm_new(struct loop *l, struct hsm_events ev);
/* Pending calls end with ERR_CANCELLED. Accepts NULL. No on_lost. Those that have joined go too. */
void hsm_free(struct hsm *h);

/* A fresh channel; takes fd. An older one is dropped as if lost. Ready only when DRAINED has come (on_ready).
 */
void hsm_attach(struct hsm *h, int fd);
bool hsm_ready(const struct hsm *h);

/* The highest roll number seen of this vault: every seal asked of it from now on has a higher one. For the
 * intent's roll floor. */
uint64_t hsm_roll_n(const struct hsm *h);

/* `done` of this ticket will not be called. A seal asked for may be made all the same. */
void hsm_cancel(struct hsm *h, ticket_id id);

/* --- serials (leases refill by themselves) --- */

/* Announces an issuer whose serials will be wanted, so that leases are there ahead. Kept over channels. */
void hsm_serials_for(struct hsm *h, const char *issuer);
/* A serial of 20 octets, positive, 128 random bits, never given twice. At once: ERR_TOKEN_AWAY where the
 * channel is not ready, ERR_BUSY where the lease is used up and the next is on its way. A serial not used is
 * simply forgotten. */
MUST_USE struct err *hsm_serial(struct hsm *h, const char *issuer, uint8_t ret[SERIAL_BYTES]);

/* --- seals: the signature over exactly these bytes, and the number in the roll --- */

/* e: owned by the callee, or NULL and n, signature are set. */
typedef void hsm_sealed_fn(void *arg, struct err *e, uint64_t n, struct view signature);

struct hsm_cert {
    uint32_t generation;
    const char *issuer;
    const char *template;
    struct view tbs; /* TBSCertificate, DER; its serial from hsm_serial() of this issuer and this channel */
    const struct hsm_proof *proofs; /* what its template asks to see (hsm_proof.h) */
    size_t proofs_n;                /* 0: nothing */
};
/* ret may be NULL, here and below. */
MUST_USE struct err *hsm_seal_cert(struct hsm *h, const struct hsm_cert *what, hsm_sealed_fn *done, void *arg,
                                   ticket_id *ret);

/* The vault's verdict alone: nothing is rolled or signed, and the serial may still be used. On success the
 * template's ceiling an hour (0: none) and how many have been sealed in the hour past. */
typedef void hsm_judged_fn(void *arg, struct err *e, uint64_t ceiling, uint64_t sealed);
MUST_USE struct err *hsm_judge_cert(struct hsm *h, const struct hsm_cert *what, hsm_judged_fn *done,
                                    void *arg, ticket_id *ret);

/* tbs_fd: a file whose octets from `at` to its end are the TBSCertList; stays the caller's. crlNumber must be
 * above every number the roll knows for this issuer (roll entries of kind HSM_ROLL_CRL, `extra`). */
MUST_USE struct err *hsm_seal_crl(struct hsm *h, uint32_t generation, const char *issuer, int tbs_fd,
                                  uint64_t at, hsm_sealed_fn *done, void *arg, ticket_id *ret);

/* The highest crlNumber that was ever sealed for this issuer, 0: none. After a backup was restored it may be
 * above all that the ledger knows. */
typedef void hsm_crl_floor_fn(void *arg, struct err *e, uint64_t number);
MUST_USE struct err *hsm_crl_floor(struct hsm *h, uint32_t generation, const char *issuer,
                                   hsm_crl_floor_fn *done, void *arg, ticket_id *ret);

struct hsm_ocsp {
    uint32_t generation;
    const char *issuer;
    const uint8_t *key_sha256; /* SHA256_BYTES: SHA-256 of the responder key's SPKI */
    struct view tbs;           /* ResponseData, DER; responderID byKey of that key; no nonce */
};
MUST_USE struct err *hsm_seal_ocsp(struct hsm *h, const struct hsm_ocsp *what, hsm_sealed_fn *done, void *arg,
                                   ticket_id *ret);

/* A responder key of the issuer, EC P-256 in the token, or RSA 2048 where it makes no EC keys (signs with
 * cert_alg_default() of its kind): the newest, made where none is;
 * fresh: a new one (at most one an hour and 8 per issuer; ERR_CEILING). The front then has it certified by
 * template ocsp-signing. */
typedef void hsm_spki_fn(void *arg, struct err *e, struct view spki);
MUST_USE struct err *hsm_ocsp_key(struct hsm *h, const char *issuer, bool fresh, hsm_spki_fn *done, void *arg,
                                  ticket_id *ret);

/* Responder only: ready answers (whole OCSPResponses of one issuer, made by this vault, still valid) sealed
 * anew as one, with the nonce; several may be joined without a nonce (empty). ERR_BUSY over the lane's share:
 * serve the ready answer without the nonce, or tryLater. */
struct hsm_nonce {
    const char *issuer;
    const struct view *answers;
    size_t n; /* 1 to LIMIT_OCSP_REQUESTS */
    struct view nonce;
};
typedef void hsm_answer_fn(void *arg, struct err *e, struct view ocsp_response);
MUST_USE struct err *hsm_nonce(struct hsm *h, const struct hsm_nonce *what, hsm_answer_fn *done, void *arg,
                               ticket_id *ret);

/* --- the seal roll (entries: hsm_books.h) --- */

/* Entries from number `from` (1 is the first) on, whole DER one after the other, at most about 512 KiB; next:
 * where to go on, 0 where this was the end. Everything given is durable in the roll. */
typedef void hsm_roll_fn(void *arg, struct err *e, struct view entries, uint64_t next);
MUST_USE struct err *hsm_roll_read(struct hsm *h, uint64_t from, uint64_t max, hsm_roll_fn *done, void *arg,
                                   ticket_id *ret);

/* For each SHA-256 of a tbs (n of them, at most 256, copied): the number under which it was sealed at or
 * after `from`, or 0. Covers the whole roll however long; what it reports is durable. ns dies when done
 * returns. */
typedef void hsm_found_fn(void *arg, struct err *e, const uint64_t *ns, size_t n);
MUST_USE struct err *hsm_roll_find(struct hsm *h, uint64_t from, const uint8_t (*tbs_sha256)[SHA256_BYTES],
                                   size_t n, hsm_found_fn *done, void *arg, ticket_id *ret);

/* --- CA certificates that the roster approved --- */

/* A CA certificate's tbs as an approved wish has it (hsm_wish.h), its serial from hsm_serial() of the issuer
 * that signs. ERR_FORBIDDEN where no wish stands. */
MUST_USE struct err *hsm_seal_granted(struct hsm *h, uint32_t generation, struct view tbs,
                                      hsm_sealed_fn *done, void *arg, ticket_id *ret);
/* The signature over a CertificationRequestInfo, as an approved wish has it. */
MUST_USE struct err *hsm_seal_csr(struct hsm *h, uint32_t generation, const char *name, struct view cri,
                                  hsm_sealed_fn *done, void *arg, ticket_id *ret);

/* --- state, for /readyz --- */

struct hsm_issuer_status {
    const char *issuer;
    bool ok;
    const char *reason; /* "" where ok; without paths or token labels */
    enum hsm_state state;
    int64_t until; /* DELETED: until when it can be restored */
};
struct hsm_token_status {
    const char *name, *state, *detail; /* as below */
};
struct hsm_status {
    bool attached;      /* false: nothing else counts */
    const char *token;  /* "ready": one at least; "away", "pin-refused", "starting" */
    const char *detail; /* for operators */
    uint64_t roll_n;
    uint32_t generation;
    size_t n;
    const struct hsm_issuer_status *issuers;
    struct view roll_id; /* 16 octets: which vault this is, for acts; empty where not attached */
    size_t n_freezes, n_tokens;
    const struct hsm_freeze *freezes;
    const struct hsm_token_status *tokens;
};
/* The state of an issuer as last heard; ACTIVE or EXPIRED by its certificate's end where nothing was. */
enum hsm_state hsm_issuer_state(struct hsm *h, const char *issuer, int64_t not_after);
/* As last heard, at most a second or two old; valid until control returns to the loop. */
const struct hsm_status *hsm_status(struct hsm *h);

#endif
