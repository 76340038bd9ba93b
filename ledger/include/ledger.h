/*
 * The ledger: an append-only log, its indexes and its Merkle tree, in one LMDB environment. One process
 * writes (the front, or init); readers are that process and, read-only, `ledger verify`.
 *
 * Appends are gathered while the writer thread is busy and committed together, durably, in one transaction;
 * one that waits alone is written at once. Reads are short, on the loop's thread, and copy what they give
 * into the caller's arena. What `done` reported is seen by every read that follows.
 *
 * Fail closed: where a commit fails nothing of it is visible and each of its entries gets the error
 * (ERR_NO_SPACE, ERR_LEDGER); later appends are tried anew. New intents are refused (ERR_NO_SPACE) while
 * there is still room left for records, closings and revocations.
 */
#ifndef CHANCERY_LEDGER_H
#define CHANCERY_LEDGER_H

#include "base/loop.h"
#include "base/ticket.h"
#include "ledger_entry.h"
#include "ledger_read.h"

struct ledger;

struct ledger_options {
    size_t map_bytes;  /* 0: 256 GiB; address space, and a bound on the file */
    size_t batch_max;  /* entries in a commit; 0: 128 */
    size_t queued_max; /* past it appends are ERR_BUSY; 0: 8192 */
    const char
        *shelf; /* folder on whose disk answers and lists of revocations must fit; NULL: not looked at */
};

/* dir: made (0700) where missing. loop: where completions come; NULL: no thread, only ledger_append_wait()
 * (init). NULL options: defaults. ERR_WRONG_STATE where a newer program made it, naming both versions, or
 * where another process writes it; ERR_CORRUPT where the last entries do not fit the tree. */
MUST_USE struct err *ledger_open(const char *dir, const struct ledger_options *options, struct loop *loop,
                                 struct ledger **ret);
/* For reading alone, beside a running front or of a copy: no loop, no thread, ERR_NOT_FOUND where there is
 * none. */
MUST_USE struct err *ledger_open_readonly(const char *dir, struct ledger **ret);
/* Commits what is queued, calls its `done`s, then frees. On the loop's thread; accepts NULL. */
void ledger_close(struct ledger *l);

/* NULL where new work would be taken, else why not: ERR_NO_SPACE, or the error of the last commit, which is
 * tried anew once a second. On the loop's thread; looks at most once a second. */
MUST_USE struct err *ledger_ready(struct ledger *l);

/* --- appending --- */

enum ledger_outcome {
    LEDGER_WRITTEN,
    LEDGER_REPLAYED, /* INTENT: its idempotency key stands since less than 24 h; nothing was written */
    LEDGER_ALREADY,  /* REVOKE: it is revoked; RELEASE: it is not; nothing was written */
};
struct ledger_result {
    enum ledger_outcome outcome;
    uint64_t seq;    /* WRITTEN: of the new entry */
    int64_t time_ms; /* of the commit */
    /* REPLAYED, ALREADY: */
    uint64_t intent; /* seq of the intent that stands (also for a REVOKE that was written) */
    enum ledger_state state;
    bool same_body; /* REPLAYED: request_hash is equal */
    /* WRITTEN (REVOKE) and ALREADY: what stands now */
    int64_t revoked_at;
    unsigned reason;
};
/* e: NULL and r is set, or the callee's to free and r is NULL. r dies when done returns. */
typedef void ledger_done(void *arg, struct err *e, const struct ledger_result *r);

/*
 * Encodes and queues; returns an error and never calls `done`, or NULL and calls it once, later, from the
 * loop. ret may be NULL. Refused when queued: ERR_BUSY, ERR_BAD_FIELD, ERR_TOO_LARGE. Refused alone inside
 * the transaction, the rest of the batch goes on: INTENT        ERR_SERIAL (issuer and serial stand already),
 * ERR_NO_SPACE; its token: ERR_UNAUTHENTICATED (unknown or revoked), ERR_TOKEN_EXPIRED, ERR_TOKEN_USED RECORD
 * CLOSE  ERR_WRONG_STATE where ref is not an open intent. A CLOSE gives the use of the token back and frees
 * the idempotency key REVOKE        ERR_NOT_FOUND (no such certificate on record), ERR_WRONG_STATE (open,
 * never sealed). A certificate on hold may be revoked for another reason and keeps its date. RELEASE
 * ERR_NOT_FOUND, ERR_WRONG_STATE where it is revoked for good. STRAY ERR_SERIAL (it is on record)
 * TOKEN_CREATE ERR_WRONG_STATE where the id stands; TOKEN_REVOKE: ERR_NOT_FOUND, or outcome ALREADY CRL,
 * CRL_PART, CRL_DELTA ERR_WRONG_STATE where number is not above that of every list of the issuer
 ACME_*: ERR_CONFLICT where ref is not the newest state of the object; ERR_WRONG_STATE where a new one's id,
 or
 * an account's alias, stands already
 */
MUST_USE struct err *ledger_append(struct ledger *l, const struct ledger_entry *entry, ledger_done *done,
                                   void *arg, ticket_id *ret);
/* `done` will not be called; the entry is written all the same. */
void ledger_cancel(struct ledger *l, ticket_id id);

/* Opened without a loop: commits this one entry and waits. */
MUST_USE struct err *ledger_append_wait(struct ledger *l, const struct ledger_entry *entry,
                                        struct ledger_result *ret);

/* Entries after which a status that was told is another: OCSP answers and lists must be made anew. */
static inline bool ledger_changes_status(unsigned kind)
{
    return kind == LEDGER_REVOKE || kind == LEDGER_RELEASE || kind == LEDGER_STRAY;
}

/* The entry RESTORED, as long as no ACCEPT_LOSS followed; 0: none. What stands here may be less than what was
 * handed out and revoked: nothing is issued, and nobody is told `good`. On the loop's thread. */
uint64_t ledger_restored_by(const struct ledger *l);

/* Calls fn on the loop for each entry that became durable, in order, after its `done`. The texts and the
 * serial die when fn returns. For crl and ocsp; at most 8 watchers, for the life of the ledger. */
struct ledger_event {
    uint64_t seq;
    unsigned kind;
    uint64_t ref;
    const char *issuer;
    struct view serial;
    uint64_t partition; /* of the certificate that an INTENT, REVOKE or CLOSE is about; 0: none */
};
void ledger_watch(struct ledger *l, void (*fn)(void *arg, const struct ledger_event *ev), void *arg);

#endif
