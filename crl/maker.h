/* What the files of the making half share. */
#ifndef CHANCERY_CRL_MAKER_H
#define CHANCERY_CRL_MAKER_H

#include "base/worker.h"
#include "crl.h"
#include "list.h"

enum { CRL_ISSUERS_MAX = 64, CRL_ARENA_BYTES = 8 << 20, CRL_NAME_BYTES = 128 };

/* One list of an issuer. */
struct crl_list {
    uint64_t scope;    /* as in ledger_read.h: LEDGER_WHOLE, LEDGER_DELTA, or a partition */
    bool served;       /* wanted by the configuration now */
    bool wanted;       /* due: begun as soon as none of the issuer is in hand and the vault is there */
    bool follows;      /* a delta list: due once there is a list of everything to build on */
    int64_t wanted_ms; /* monotonic, since when a revocation waits for it; 0: none does */
    int64_t made_ms;   /* monotonic, when the last one was begun; 0: none in this life */
    int64_t this_update, next_update; /* of what lies on the shelf */
    uint64_t bytes;                   /* of it, where it was made in this life */
    int64_t not_after;                /* of a partition: its last certificate's end, as last looked at */
};

/* One issuer's lists, one in hand at a time. Names are kept for life, since one is never used again. */
struct crl_state {
    struct crl_maker *maker;
    char name[64];
    bool served; /* in the configuration now */
    struct crl_list **lists;
    size_t n;
    uint64_t asked; /* the highest number that a seal was asked for: it may stand in the roll */
    enum { FLOOR_UNKNOWN, FLOOR_ASKED, FLOOR_KNOWN } floor; /* the vault has said what stands in the roll */
    size_t signature_bytes;                                 /* of its last one; 0 */
    struct crl_job *job;                                    /* under way, or NULL */
    struct loop_timer *timer;
    unsigned failures;
    unsigned
        reclaims; /* lists whose revocations the ledger has forgotten: until it has them, nothing is made */
};

struct crl_maker {
    struct loop *loop;
    struct ledger *ledger;
    struct shelf *shelf;
    struct hsm *hsm;
    size_t small_bytes; /* a list up to this stays in memory */
    struct worker *builder;
    struct worker *binder; /* what is made of lists once they are published */
    struct binding *bindings;
    struct courier *courier; /* NULL: none */
    struct delivery *deliveries;
    struct loop_timer *look;
    uint32_t generation;
    const struct crl_issuer *issuers;
    size_t n;
    struct crl_state states[CRL_ISSUERS_MAX];
    size_t states_n;
};

/* One list on its way: built, sealed, recorded, published. */
struct crl_job {
    struct crl_state *state;
    struct crl_list *list;
    struct arena *arena;
    struct cert_crl crl; /* borrowed parts copied into the arena */
    uint32_t generation;
    int64_t begun_ms;       /* monotonic */
    int64_t wanted_ms;      /* of what caused it, 0: the clock */
    size_t signature_bytes; /* about */
    struct list_built built;
    struct err *failed; /* of the builder's thread */
    uint64_t n;
    struct view signature;
    struct view der; /* empty: it is a file */
    uint8_t sha256[SHA256_BYTES];
};

const struct crl_issuer *maker_issuer(const struct crl_maker *m, const char *name);
void maker_done(struct crl_job *job, struct err *e); /* how a job ends: e is taken */
void maker_go(struct crl_state *s);                  /* what is wanted and possible is begun */

/* --- lists.c: which lists an issuer has --- */

/* Makes what is missing, takes what is no longer wanted out of service. */
void lists_set(struct crl_state *s, const struct crl_issuer *issuer);
/* NULL: there is none of that scope. */
struct crl_list *lists_find(const struct crl_state *s, uint64_t scope);
/* A certificate of this partition is on record: its list is there from now on. */
void lists_partition(struct crl_state *s, uint64_t partition);
/* Every certificate of it has ended and stood on a list after that (RFC 5280 3.3). */
bool lists_ended(struct crl_state *s, struct crl_list *list);
/* Where it lies on the shelf: "crl/issuing", "crl/issuing/7", "crl-delta/issuing". */
void lists_name(const struct crl_state *s, uint64_t scope, char to[CRL_NAME_BYTES]);
/* How long it may rest, and how long it holds. */
int64_t lists_every_s(const struct crl_list *list, const struct crl_issuer *issuer);
int64_t lists_lifetime_s(const struct crl_list *list, const struct crl_issuer *issuer);

/* What lies on the shelf, or does not, is past its time. */
bool lists_overdue(struct crl_state *s, struct crl_list *list);

/* --- reclaim.c --- */

/* Where this list on the shelf, of an earlier life, is ahead of the ledger: its revocations are put on record
 * again. */
void reclaim_look(struct crl_state *s, const struct crl_list *list);

/* --- job.c --- */

/* Starts a job now; the state has none. */
void job_start(struct crl_state *s, struct crl_list *list, const struct crl_issuer *issuer, uint64_t number);

/* --- publish.c: on the shelf beside the lists --- */

void publish_certificates(struct crl_maker *m);
/* Lists of offline CAs, as they were given. */
void publish_given(struct crl_maker *m);

/* --- bind.c --- */

/* This list is new: its gzipped form, and the bundles that hold it, follow from a thread of their own. */
void bind_list(struct crl_state *s, const struct crl_list *list);
/* And so is that of this offline CA. */
void bind_given(struct crl_maker *m, const char *issuer);
void bind_free(struct crl_maker *m);
bool bind_quiet(const struct crl_maker *m); /* nothing of this is under way */

/* --- deliver.c --- */

void deliver_new(struct crl_maker *m);
void deliver_free(struct crl_maker *m);
/* This blob of the issuer's is new: it goes wherever its lists go. */
void deliver_blob(struct crl_maker *m, const char *issuer, const char *blob);
void deliver_go(struct crl_maker *m); /* there is a courier again */
bool deliver_quiet(const struct crl_maker *m);

#endif
