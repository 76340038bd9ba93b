/*
 * Signing, in two shapes. signer_sign() does it here and now and may block: for `init`, the provider, tests.
 * A struct signer is a pool of threads (as many as cores: more gain nothing) for the vault's loop: jobs in,
 * signatures back on the loop. Data is hashed in software by the thread that signs; the token sees a digest
 * (Ed25519: the data itself, RFC 8032 5.1.6).
 *
 * Signatures come out as X.509 wants them: ECDSA as DER SEQUENCE { r, s } (RFC 5480), RSA as the octets, PSS
 * with a salt as long as its digest (RFC 8017).
 */
#ifndef CHANCERY_HSM_SIGNER_H
#define CHANCERY_HSM_SIGNER_H

#include "base/loop.h"
#include "cert/alg.h"
#include "signer_lane.h"
#include "token.h"

enum { SIGNER_MAX_BYTES = 1024 }; /* RSA-8192 */

/* The first signature of each key after a start is always verified before it is given out (it proves that the
 * private and the public half belong together); SIGNER_VERIFY does so for every one. */
enum { SIGNER_VERIFY = 1 };

/* Signs the parts, taken as one message. ERR_INTERNAL where alg does not fit the key (our bug: the judge
 * comes first), ERR_TOKEN_AWAY, ERR_PIN_REFUSED. */
MUST_USE struct err *signer_sign(const struct token_key *key, enum cert_alg alg, const struct view *parts,
                                 size_t n, unsigned flags, uint8_t to[SIGNER_MAX_BYTES], size_t *ret_n);

/* A thread that has been inside the module for this long ends the process: requests under way get their
 * error, the warden starts a new vault. */
enum { SIGNER_HANG_MS = 10 * 1000 };

struct signer;

struct signer_job {
    const struct token_key *key;
    enum cert_alg alg;
    struct view data; /* the caller's, untouched until done */
    bool hashed;      /* it is the digest of alg already */
    enum signer_lane lane;
    /* On the loop's thread, exactly once. e is the callee's (NULL: signed); signature is valid during the
     * call. */
    void (*done)(void *arg, struct err *e, struct view signature);
    void *arg;
};

/* threads == 0: one for each core this process may use. max_queued bounds each lane. */
MUST_USE struct err *signer_start(struct loop *loop, unsigned threads, size_t max_queued, unsigned flags,
                                  struct signer **ret);

/* The job is copied. ERR_BUSY where the lane is full; then done is not called. The loop's thread. */
MUST_USE struct err *signer_submit(struct signer *s, const struct signer_job *job);

size_t signer_queued(const struct signer *s, enum signer_lane lane);

/* Jobs that no thread has begun end with ERR_CANCELLED, begun ones are finished; joins the threads. Their
 * done calls are posted to the loop: run it once more before freeing what args point to. Accepts NULL. */
void signer_stop(struct signer *s);

#endif
