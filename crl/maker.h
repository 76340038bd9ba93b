/* What the files of the making half share. */
#ifndef CHANCERY_CRL_MAKER_H
#define CHANCERY_CRL_MAKER_H

#include "base/worker.h"
#include "crl.h"
#include "list.h"

enum { CRL_ISSUERS_MAX = 64, CRL_ARENA_BYTES = 1 << 30 };

/* One issuer's list. Names are kept for life, since one is never used again. */
struct crl_state {
    struct crl_maker *maker;
    char name[64];
    bool served;       /* in the configuration now */
    bool wanted;       /* a list is due: begun as soon as none is in hand and the vault is there */
    int64_t wanted_ms; /* monotonic, since when a revocation waits for it; 0: none does */
    uint64_t asked;    /* the highest number that a seal was asked for: it may stand in the roll */
    int64_t made_ms;   /* monotonic, when the last one was begun; 0: none in this life */
    int64_t this_update, next_update; /* of what lies on the shelf */
    struct crl_job *job;              /* under way, or NULL */
    struct loop_timer *timer;
    unsigned failures;
};

struct crl_maker {
    struct loop *loop;
    struct ledger *ledger;
    struct shelf *shelf;
    struct hsm *hsm;
    struct worker *builder;
    uint32_t generation;
    const struct crl_issuer *issuers;
    size_t n;
    struct crl_state states[CRL_ISSUERS_MAX];
    size_t states_n;
};

/* One list on its way: built, sealed, recorded, published. */
struct crl_job {
    struct crl_state *state;
    struct arena *arena;
    struct cert_crl crl; /* borrowed parts copied into the arena */
    uint32_t generation;
    int64_t begun_ms;  /* monotonic */
    int64_t wanted_ms; /* of what caused it, 0: the clock */
    struct list_built built;
    struct err *failed; /* of the builder's thread */
    uint64_t n;
    struct view der;
};

const struct crl_issuer *maker_issuer(const struct crl_maker *m, const char *name);

/* Starts a job now; the state has none. */
void job_start(struct crl_state *s, const struct crl_issuer *issuer, uint64_t number);
/* How a job ends: e is taken. In maker.c. */
void maker_done(struct crl_job *job, struct err *e);

/* Puts CA certificates, and after each list the bundles that hold it, on the shelf. */
void publish_certificates(struct crl_maker *m);
void publish_bundles(struct crl_maker *m, const char *changed);
/* Lists of offline CAs, as they were given. */
void publish_given(struct crl_maker *m);

#endif
