/*
 * The vault's inside, shared by vault*.c alone. All of it belongs to the loop's thread; other threads see
 * only what a job was handed. The vault is counted: each job under way holds it, so that a late `done` finds
 * it.
 *
 *     vault.c          open, free, reload, status
 *     vault_peer.c     channels: attach, drop, dispatch, answer
 *     vault_token.c    the tokens: brought up, watched
 *     vault_key.c      keys found in them, and which of two copies signs
 *     vault_pin.c      its PIN: another one
 *     vault_seal.c     the one way to a signature: roll, sign, sync, answer
 *     vault_cert.c     LEASE, JUDGE_CERT, SEAL_CERT, SEAL_PROVED
 *     vault_proof.c    evidence that comes with a SEAL_PROVED
 *     vault_crl.c      SEAL_CRL, CRL_FLOOR
 *     vault_ocsp.c     SEAL_OCSP, OCSP_KEY; vault_nonce.c: NONCE
 *     vault_info.c     INFO
 *     vault_roll.c     ROLL_READ, ROLL_FIND
 *     vault_act.c      ACT, and what any other question that needs one asks
 *     vault_freeze.c   FREEZE, thaw, what is frozen
 *     vault_state.c    states of issuers
 *     vault_grant.c    SEAL_GRANTED, and the acts that grant it
 *     vault_ceremony.c KEY_GENERATE, KEY_FIND, SEAL_CA, ADOPT, and the body of init's child
 *     vault_other.c    SEAL_CSR, SEAL_OTHER
 */
#ifndef CHANCERY_HSM_VAULT_PRIVATE_H
#define CHANCERY_HSM_VAULT_PRIVATE_H

#include "base/der.h"
#include "base/worker.h"
#include "ceiling.h"
#include "frames.h"
#include "handlers.h"
#include "head_book.h"
#include "judge.h"
#include "known.h"
#include "lease.h"
#include "roll_file.h"
#include "roster.h"
#include "signer.h"
#include "vault_token.h"

enum {
    VAULT_RESPONDERS_MAX = 64,
    VAULT_SEALS_MAX = 8192,
    VAULT_NONCES_PER_S = 4000,
    VAULT_SIGNING_FEW = 4,    /* with the signers: then a sync is begun at once, else when one is signed */
    VAULT_PREVIOUS_MS = 60000 /* how long the generation before counts after a reload */
};

struct vault_peer {
    struct hsm_vault *v;
    enum hsm_peer kind;
    struct channel *channel; /* NULL: gone */
    struct lease *leases;    /* front and init */
    unsigned refs;           /* the vault's own, and one for each answer still owed */
};

/* A question in hand. */
struct vault_call {
    struct hsm_vault *v;
    struct vault_peer *peer;
    uint64_t id;
    uint16_t kind;
    uint32_t generation;
    struct view body; /* borrowed until the handler returns */
    int fd;           /* -1: none; closed after the handler */
    struct arena *arena;
};

struct vault_seal;   /* vault_seal.c */
struct vault_wait;   /* vault_roll.c */
struct vault_making; /* vault_ocsp.c */

struct vault_setup {
    const char *name, *module, *init_args, *roll_dir, *make_label;
    const char *const *env;
    int make_so_pin_fd;
    unsigned threads;
    struct vault_token_setup tokens[HSM_TOKENS_MAX];
    size_t n_tokens;
};

struct hsm_vault {
    struct loop *loop;
    struct arena *arena;   /* of the setup */
    struct arena *scratch; /* of one turn's work, reset after each frame */
    struct vault_setup setup;
    unsigned refs;
    bool closing;

    struct house *house, *previous, *prepared;
    int64_t previous_until_ms;                   /* monotonic */
    struct hsm_roster *roster, *prepared_roster; /* NULL: none (init); nothing prepared */
    bool prepared_roster_new;                    /* to be pinned at commit */

    struct roll_file *roll;
    bool rolled_ours,
        rolled_others;             /* what the roll had at the start: seals of keys that are, are not here */
    struct worker *syncer, *judge; /* fdatasync; big CRLs */
    struct ceiling *ceilings;
    struct responder_keys *responders;
    struct act_book *acts;
    struct freeze_book *freezes;
    struct state_book *states;
    struct head_book heads;
    bool log_key_making;
    struct vault_grant *grant;    /* NULL: none stands */
    struct known *known;          /* answers of our own making */
    struct loop_timer *order;     /* looks for root's orders */
    struct vault_making *makings; /* responder keys that are being generated: one at most for each issuer */

    struct module *module; /* NULL until it could be loaded; set by the asker's thread once that runs */
    struct signer *signer;
    struct worker *asker; /* everything of the tokens that is slow but signing */
    struct vault_token tokens[HSM_TOKENS_MAX];
    size_t n_tokens;
    struct vault_peer *front, *init, *responder[VAULT_RESPONDERS_MAX];
    struct loop *stop_with_init; /* stopped where the init peer goes */

    struct vault_seal *batch, **batch_end;       /* added to the roll, not written yet */
    struct vault_seal *unsynced, **unsynced_end; /* written, ascending by n */
    size_t seals, lanes[SIGNER_LANES];           /* under way, and of these in each lane */
    size_t signing, owed; /* with the signers; signed, but not durable in the roll yet */
    bool write_due;
    bool informing;                                  /* INFO: the worker asks the token */
    int64_t nonce_second, nonce_count, issue_second; /* issue: of the last first-lane seal */
    struct vault_wait *waits, **waits_end;
};

/* --- vault.c --- */
void vault_setup_copy(struct arena *arena, const struct hsm_vault_setup *setup, struct vault_setup *to);
void vault_hold(struct hsm_vault *v);
void vault_release(struct hsm_vault *v);
/* The generation a question names: the current or the previous one; ERR_GENERATION. Borrowed. */
MUST_USE struct err *vault_house(const struct hsm_vault *v, uint32_t generation, struct house **ret);
/* Issuer of that generation; ERR_ISSUER_UNKNOWN. */
MUST_USE struct err *vault_issuer(const struct house *house, struct view name, struct house_issuer **ret);
MUST_USE struct err *vault_status(struct vault_call *call);

/* --- vault_peer.c --- */
struct vault_peer *vault_peer_hold(struct vault_peer *p);
void vault_peer_release(struct vault_peer *p);
void vault_peer_drop_all(struct hsm_vault *v);
/* RESULT with this body; nothing where the channel is gone. */
void vault_peer_answer(struct vault_peer *p, uint64_t id, struct view body);
/* RESULT whose body is one OCTET STRING, such as an SPKI. */
MUST_USE struct err *vault_peer_answer_octets(struct vault_peer *p, uint64_t id, struct view octets);
/* REFUSED; frees e. */
void vault_peer_refuse(struct vault_peer *p, uint64_t id, struct err *e);
/* What a body that is not as frames.def has it becomes: the channel is closed. Takes e; NULL stays NULL. */
MUST_USE struct err *vault_peer_malformed(struct err *e);

/* --- vault_seal.c --- */
struct vault_sealed {
    uint64_t n;
    struct view tbs, signature;
};
struct vault_seal_want {
    struct house *house;
    struct hsm_roll_entry
        entry; /* key, kind, serial, template, tbs_sha256, extra; generation is the house's */
    const struct token_key *token_key; /* not NULL */
    const struct token_key *spare;     /* the same key in another token, or NULL */
    enum cert_alg alg;
    struct view tbs; /* copied */
    bool hashed;     /* it is the digest already */
    enum signer_lane lane;
    /* Called once the signature may be shown; makes the body of RESULT. NULL: n and signature. */
    struct err *(*finish)(void *arg, const struct vault_sealed *sealed, struct arena *arena,
                          struct view *ret);
    void (*forget)(void *arg); /* frees arg; called exactly once; NULL: nothing to free */
    void *arg;
};
/* ERR_BUSY, ERR_TOKEN_AWAY ...: nothing was rolled, what want carries stays the caller's. Else all is taken.
 */
MUST_USE struct err *vault_seal_start(struct hsm_vault *v, struct vault_peer *peer, uint64_t id,
                                      const struct vault_seal_want *want);
/* Whether one may start: before work is put into judging. */
MUST_USE struct err *vault_seal_room(const struct hsm_vault *v, enum signer_lane lane);
/* Everything in the roll up to n is durable, or e (borrowed) says why not: by whoever waits besides seals. */
void vault_roll_synced(struct hsm_vault *v, uint64_t n, const struct err *e);
/* An entry of the roll that nothing is signed for. finish (it makes the body of RESULT), forget and arg as
 * above; peer NULL: nobody waits. Gives its number; always taken. */
uint64_t vault_seal_note(struct hsm_vault *v, struct vault_peer *peer, uint64_t id,
                         const struct vault_seal_want *want);
/* A sync of what is written, where one is wanted and none under way. */
void vault_seal_sync(struct hsm_vault *v);
void vault_seal_drop_all(struct hsm_vault *v);
void vault_roll_drop_all(struct hsm_vault *v);

#endif
