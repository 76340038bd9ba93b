/*
 * The inside of the vault's client, shared by client*.c. One loop's thread.
 *
 *     client.c        the channel, pending calls
 *     client_calls.c  the questions: their bodies written, their answers read
 *     client_act.c    acts and freezes
 *     client_head.c   the log's key and its heads
 *     client_pool.c   serials on lease, filled ahead; the status, asked for each second
 */
#ifndef CHANCERY_HSM_CLIENT_H
#define CHANCERY_HSM_CLIENT_H

#include "frames.h"
#include "hsm_freeze.h"
#include "hsm_head.h"
#include "hsm_house.h"
#include "hsm_info.h"

enum { CLIENT_PENDING_MAX = 16384, CLIENT_TOKENS_MAX = 8 };

/* A call that waits for its answer. */
struct client_call {
    struct hsm *h; /* the vault it was asked of */
    ticket_id id;
    /* Reads the answer, client_end()s the call, calls the caller's done. e is taken; on an error body is
     * empty. True: it has asked on (client_ask_on) and waits further. */
    bool (*finish)(struct client_call *c, struct err *e, struct view body);
    union {
        hsm_sealed_fn *sealed;
        hsm_judged_fn *judged;
        hsm_spki_fn *spki;
        hsm_answer_fn *answer;
        hsm_info_fn *info;
        hsm_roll_fn *roll;
        hsm_found_fn *found;
        hsm_acted_fn *acted;
        hsm_crl_floor_fn *floor;
        hsm_last_head_fn *last_head;
    } done;
    void *arg;
    void *state; /* of calls that take several questions; free()d with the call */
};

/* Sends a question. The call is copied, its state taken on success. */
MUST_USE struct err *client_ask(struct hsm *h, const struct client_call *call, enum frames_kind kind,
                                uint32_t generation, struct view body, int fd, ticket_id *ret);
MUST_USE struct err *client_ask_on(struct client_call *c, enum frames_kind kind, struct view body);
/* From here on the ticket is stale. */
void client_end(struct client_call *c);

/* Raises the known roll number. */
void client_saw(struct hsm *h, uint64_t n);
struct arena *client_scratch(struct hsm *h); /* for writing bodies; the writer resets it */
/* Leases asked for at the beginning have come: on_ready. */
void client_pool_filled(struct hsm *h);

/* --- client_calls.c: how a seal, a key ends --- */
bool client_sealed(struct client_call *c, struct err *e, struct view body);
bool client_spki(struct client_call *c, struct err *e, struct view body);

/* --- client_pool.c --- */
struct client_pool;
struct client_pool *client_pool_new(struct hsm *h, struct loop *l);
void client_pool_free(struct client_pool *p);
/* The channel stands: asks for leases of all announced issuers, and for the status; client_pool_filled when
 * done. */
void client_pool_begin(struct client_pool *p);
/* The channel is gone: leases are void. */
void client_pool_lost(struct client_pool *p);
void client_pool_announce(struct client_pool *p, const char *issuer);
MUST_USE struct err *client_pool_take(struct client_pool *p, const char *issuer, uint8_t ret[SERIAL_BYTES]);
const struct hsm_status *client_pool_status(struct client_pool *p);
/* Asks for the status now. */
void client_pool_look(struct client_pool *p);

struct client_pool *client_pool(struct hsm *h);

#endif
