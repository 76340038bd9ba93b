/*
 * The ledger as a transparency log: heads of its tree, signed by the vault on a clock and when somebody asks,
 * kept in the ledger as entries of kind HEAD, and written for others as C2SP has it (checkpoints, tiles,
 * proofs). Whoever asks while a head is being made waits for the next, so that many cost one signature. On
 * the front's loop.
 */
#ifndef CHANCERY_TLOG_H
#define CHANCERY_TLOG_H

#include "base/loop.h"
#include "hsm_head.h"
#include "ledger.h"
#include "ledger_proof.h"

struct tlog;

/* The ledger's last signed head is taken up. */
MUST_USE struct err *tlog_new(struct loop *loop, struct ledger *ledger, struct hsm *hsm, struct tlog **ret);
/* Where heads are taken besides. */
struct courier;
struct tlog_push {
    const char *directory;   /* DIRECTORY/checkpoint, or NULL */
    struct courier *courier; /* to its place TLOG_PLACE, where put is set */
    bool put;
    int64_t least_ms; /* at most one in so long */
};
/* No issuer's name has a dot. */
#define TLOG_PLACE ".log"

/* A head at least this often, where there are new entries. push is copied, what it points to is borrowed. */
void tlog_set(struct tlog *t, int64_t every_s, const struct tlog_push *push);
/* After hsm and ledger are closed. Accepts NULL. */
void tlog_free(struct tlog *t);

/* The vault has attached: asks for the head it signed last, and holds the ledger to it. done once: NULL, or
 * ERR_WRONG_STATE where the ledger ends before it or is of another tree (it was taken back, or forked): then
 * nothing may be issued from it; or what kept the vault from answering. Heads are signed from then on. */
void tlog_go(struct tlog *t, void (*done)(void *arg, struct err *e), void *arg);
void tlog_lost(struct tlog *t);

struct tlog_head {
    struct hsm_head head;
    uint64_t n, seq;  /* in the seal roll; its entry in the ledger */
    const char *note; /* the whole checkpoint */
    const char *origin;
    struct view spki; /* of the log's key */
};
/* The newest, borrowed until control returns to the loop; NULL where there is none yet. Without spki until
 * the vault was heard. */
const struct tlog_head *tlog_newest(const struct tlog *t);

/* A head over at least the first `upto` entries, which must be there already; 0: over all that are. done
 * once, maybe at once; head is borrowed until it returns. ERR_TOKEN_AWAY and such: no head can be signed now.
 */
typedef void tlog_done(void *arg, struct err *e, const struct tlog_head *head);
void tlog_ask(struct tlog *t, uint64_t upto, tlog_done *done, void *arg);

/* NULL where the last head could be signed, else why not. */
MUST_USE struct err *tlog_ready(const struct tlog *t);

/* --- what others are given: pure, any thread --- */

/* The inclusion of entry seq as C2SP's tlog-proof has it: "c2sp.org/tlog-proof@v1\nindex ...". */
const char *tlog_proof_text(struct arena *arena, uint64_t seq, const struct merkle_proof *proof,
                            const char *note);
/* "067", "x001/234", "x001/x234/067.p/12" as tlog-tiles writes them. False where it is none. width: 256 where
 * it is whole. */
bool tlog_tile_parse(struct view text, uint64_t *ret_index, size_t *ret_width);

#endif
