/* What the files of the making half share. All of it on the front's loop. */
#ifndef CHANCERY_OCSP_MAKER_H
#define CHANCERY_OCSP_MAKER_H

#include "base/frame.h"
#include "cert/chain.h"
#include "cert/ocsp.h"
#include "ocsp.h"
#include "want.h"

enum {
    OCSP_ISSUERS_MAX = 64,
    OCSP_RESPONDERS_MAX = 64,
    OCSP_MAKING_MAX = 1024,
    OCSP_BULK_MAX = 256, /* of these, that nobody waits for */
    OCSP_LOOK = 512,
    OCSP_CERT_BYTES = 4096
};

/* A delegated responder's key and certificate, or the issuer's own key, which needs none (RFC 6960 4.2.2.2).
 */
struct ocsp_signer {
    bool there, own;
    enum cert_alg alg;
    uint8_t key_sha256[SHA256_BYTES], key_sha1[SHA1_BYTES];
    uint8_t serial[SERIAL_BYTES];
    uint8_t der[OCSP_CERT_BYTES];
    size_t der_n; /* 0: it answers without one */
    int64_t not_before, not_after;
};

struct ocsp_state {
    struct ocsp_maker *maker;
    char name[64];
    bool served;
    struct cert_ocsp_issuer hashes;
    uint8_t spki_sha256[SHA256_BYTES];
    int64_t not_before, not_after; /* of the issuer */
    struct ocsp_signer signer;
    bool renewing; /* a key or certificate is on its way: of one issuer at a time */
    bool fresh;    /* that key is a new one */
    bool waits;    /* for its timer */
    unsigned failures;
    struct loop_timer *renew;
    uint8_t swept[SHELF_ID_BYTES]; /* how far the sweep has come */
    size_t swept_n;
    uint8_t readied[SERIAL_BYTES]; /* how far the walk of ready.c has come */
    size_t readied_n;
};

struct ocsp_peer {
    struct ocsp_maker *maker;
    struct channel *channel; /* NULL: a free place */
    uint64_t life;           /* which of those that had this place */
};

struct ocsp_maker {
    struct loop *loop;
    struct ledger *ledger;
    struct shelf *shelf;
    struct hsm *hsm;
    struct ocsp_certifier certifier;
    uint32_t generation;
    const struct ocsp_issuer *issuers;
    size_t n;
    struct ocsp_state states[OCSP_ISSUERS_MAX];
    size_t states_n;
    struct ocsp_peer peers[OCSP_RESPONDERS_MAX];
    struct making *making; /* answers under way */
    size_t making_n;
    struct loop_timer *sweep;
    uint64_t seen;      /* last ledger entry looked at */
    uint64_t noted;     /* what the shelf knows of `seen` */
    size_t revocations; /* answers under way that show a revocation, or that are taken off the shelf */
    bool stopped;       /* nothing more is begun */
    bool caught_up;     /* with what an earlier life did not get to */
    bool behind;        /* something could not be read or taken off: catch up again */
    int64_t behind_ms, behind_until_ms; /* how long that waits, and until when */
};

const struct ocsp_issuer *maker_issuer_of(const struct ocsp_maker *m, const char *name);
struct ocsp_state *maker_state(struct ocsp_maker *m, const char *name);

/* --- signer.c: the delegated responder certificate --- */
bool signer_holds(const struct ocsp_signer *s);
/* Whether it may be that there is none: an issuer that has expired gets no certificate any more. */
bool signer_needed(const struct ocsp_state *s);
/* This key of the issuer did not sign although the issuer's own can: another takes its place. */
void signer_lost(struct ocsp_maker *m, const char *issuer, const uint8_t key_sha256[SHA256_BYTES]);
void signer_go(struct ocsp_state *s); /* looks up or makes what is missing or due */
void signer_next(
    struct ocsp_maker *m); /* the first that is due and waits for nothing, where none is under way */
void signer_due(void *state);
void signer_revoked(struct ocsp_state *s, struct view serial); /* a certificate was: perhaps its own */

/* --- answer.c: one answer --- */

/* Called once with what became of it; borrowed. */
typedef void answer_made(void *arg, const struct want_done *done);

/* Why one is made: asked for, due to be made anew, or its status has just changed. */
enum answer_why { ANSWER_ASKED, ANSWER_DUE, ANSWER_CHANGED };

/* Makes the answer and puts it on the shelf. Questions for one that is under way join it; where its status
 * has changed, one that is under way is out of date and made again. done may be NULL. */
void answer_make(struct ocsp_maker *m, const struct want *want, enum answer_why why, answer_made *done,
                 void *arg);
bool answer_under_way(const struct ocsp_maker *m, const struct want *want);
void answer_drop_all(struct ocsp_maker *m); /* at the end of the maker's life */

/* --- sweep.c --- */
void sweep_tick(void *maker);
/* Answers for revocations that an earlier life did not get to. */
void sweep_catch_up(struct ocsp_maker *m);
void sweep_note(struct ocsp_maker *m);
bool sweep_lies_there(struct ocsp_maker *m, const struct want *w); /* or cannot be read */
void sweep_seen(void *maker, const struct ledger_event *ev);

/* --- ready.c: answers that nobody has asked for, where they are configured --- */
/* A step of the walk along all certificates; whether there is more to be done soon. */
bool ready_step(struct ocsp_state *s);
void ready_seen(struct ocsp_state *s, struct view serial); /* a certificate was recorded */

/* --- peers.c --- */
void peers_close(struct ocsp_maker *m);

#endif
