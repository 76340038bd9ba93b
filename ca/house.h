/*
 * What the files of this room share: the engine's state, and one issuance on its way through the steps. On
 * the loop's thread alone.
 */
#ifndef CHANCERY_CA_HOUSE_H
#define CHANCERY_CA_HOUSE_H

#include "ca.h"
#include "cert/csr.h"
#include "cert/tbs.h"
#include "clock.h"
#include "deny.h"
#include "hsm_house.h"
#include "quota.h"
#include "versions.h"

struct issuance;
struct many_job;

/* Who waits for the intents of an earlier life or channel to be closed. */
struct recover_wish {
    bool stands;
    void (*done)(void *arg, struct err *e);
    void *arg;
};

/* What one vault's life leaves to be closed. */
struct recover_vault {
    struct ca *ca;
    struct hsm *hsm; /* NULL: not heard of yet */
    bool recovered;  /* every intent of an earlier life or channel is closed */
    struct recover_wish wish;
    struct recovery *recovery; /* under way, or NULL */
    struct loop_timer *strays; /* set while an intent was left open by a failure in mid-life */
};

struct ca {
    struct loop *loop;
    struct ledger *ledger;
    struct hsm *hsm;
    const struct ca_setup *setup;
    struct clock_watch clock;
    struct loop_timer *clock_look;
    struct versions *versions;
    struct quota *quota;
    struct cert_key_desk *desk; /* where proofs of possession are verified */
    struct deny_limit deny;
    struct loop_timer *deny_sum; /* NULL until refusals are first counted */
    struct recover_vault vaults[HSM_VAULTS_MAX];
    struct many_job *many; /* mass revocations, the newest first */
    struct census *census;
    struct issuance *under_way; /* doubly linked */
    size_t under_way_n;
};

struct issuance {
    struct issuance *next, *prev;
    struct ca *ca;
    struct arena *arena;
    struct ca_request request; /* copied into the arena */
    struct ca_asker asker;
    /* Of the setup, which two reloads may have replaced: not to be looked at after the first wait. */
    const struct ca_issuer *issuer;
    const struct template *template;
    const char *issuer_name; /* copied */
    enum cert_alg alg;       /* of its signatures */
    uint32_t generation;
    struct cert_csr csr;
    uint8_t key[SHA256_BYTES]; /* SHA-256 of the CSR's SPKI */
    bool has_key;              /* checked: it is this asker's */
    struct templates_shaped shaped;
    uint8_t serial[SERIAL_BYTES];
    uint64_t partition; /* whose list it names; 0: none */
    struct view again;  /* what it is known by when it comes again (again.h); or empty */
    uint64_t replaces;  /* intent of the certificate that it takes the place of; 0: none */
    struct view tbs;
    uint64_t intent; /* seq, once durable; 0 before */
    uint64_t n;      /* in the roll */
    struct view signature;
    const struct ca_act *act;      /* that approved it; NULL: none is needed */
    struct view approved, payload; /* of it, for the vault */
    struct ca_certificate result;
    size_t step;
    int64_t started_ms;
    ca_issued *done;
    void *arg;
};

/* One step: returns an error, or NULL and whether it waits; a step that waits calls issue_resume() later. */
typedef struct err *issue_step(struct issuance *is, bool *ret_waits);

/* An issuance with all it was asked for copied, among those under way; and its end. */
struct issuance *issue_open(struct ca *ca, const struct ca_request *request);
void issue_close(struct issuance *is);

/* Goes on after a wait: with the next step, or to the end with e (taken). */
void issue_resume(struct issuance *is, struct err *e);

/* The certificate is there already (an Idempotency-Key): to the end. */
void issue_skip_to_hand(struct issuance *is);

/* The steps, in the order of the table in issue.c. */
issue_step steps_admit, steps_again, steps_shape, steps_approve, steps_intend, steps_seal, steps_record,
    steps_hand;

/* What is asked of the template: admitted, and with its serial. */
struct templates_request steps_wanted(const struct issuance *is);

/* act.c: writes down a request that nobody signs; all is copied but act and payload. */
MUST_USE struct err *act_file(struct ca *ca, const struct ca_asker *asker, struct view id, struct view act,
                              struct view payload, void (*done)(void *arg, struct err *e, uint64_t seq),
                              void *arg);

/* An intent of this issuer (NULL: of some) was left open in mid-life: look it up in the roll shortly and
 * close it. */
void recover_soon(struct ca *ca, const char *issuer);
void recover_lost(struct ca *ca, struct hsm *vault);
bool recover_is_done(struct ca *ca, struct hsm *vault);
void recover_free(struct ca *ca);

/* An entry of the engine's own; a failure is only logged. */
void ca_note(struct ca *ca, const struct ledger_entry *entry);

/* The clock as the ledger knows it. */
MUST_USE struct err *clock_book_open(struct ca *ca);
MUST_USE struct err *clock_book_check(struct ca *ca); /* clock_check; a new fault goes into the ledger */
void clock_book_close(struct ca *ca);

/* many.c: nothing of theirs may be under way. */
void many_free(struct ca *ca);

/* Writes down what was refused beyond those written one by one. */
void deny_sum_up(struct ca *ca);

#endif
