/*
 * Acts on their way: a request and what administrators say to it goes into the ledger, each signature checked
 * against the roster first; what is approved is handed to the vault, which judges all of it again. On the
 * loop's thread; completions as in ca.h.
 *
 *     pending -> approved -> done
 *           \ denied   \ expired
 */
#ifndef CHANCERY_CA_ACT_H
#define CHANCERY_CA_ACT_H

#include "ca.h"
#include "hsm_act.h"
#include "hsm_freeze.h"
#include "ledger_act.h"

enum ca_act_state { CA_ACT_PENDING, CA_ACT_APPROVED, CA_ACT_DENIED, CA_ACT_EXPIRED, CA_ACT_DONE };
const char *ca_act_state_text(enum ca_act_state state); /* "pending" */

/* A request as it stands by this roster now. */
struct ca_act {
    enum ca_act_state state;
    struct hsm_act act;
    struct ledger_act_state book;
    unsigned needed, have; /* people beside the asker */
};
/* id: 16 octets, or at least 4 where that is enough. ERR_NOT_FOUND, ERR_CONFLICT. */
MUST_USE struct err *ca_act_find(struct ca *ca, const struct hsm_roster *roster, struct view id,
                                 struct arena *arena, struct ca_act *ret);
/* Of a request that was read already. */
MUST_USE struct err *ca_act_read(struct ca *ca, const struct hsm_roster *roster,
                                 const struct ledger_act_state *book, struct arena *arena,
                                 struct ca_act *ret);

/* What was signed over it, for the vault or for who looks afterwards: approvals that count by this roster.
 * One whose key was revoked since is left out, as the vault refuses the whole for it. */
MUST_USE struct err *ca_act_gather(const struct hsm_roster *roster, const struct ledger_act_state *book,
                                   struct hsm_act_approved *ret);

/* seq: of the entry, durable. */
typedef void ca_act_written(void *arg, struct err *e, uint64_t seq);

/* payload: what the act's objectHash is over, so that approvers see it; or empty. */
MUST_USE struct err *ca_act_request(struct ca *ca, const struct ca_asker *asker,
                                    const struct hsm_roster *roster, struct view act,
                                    const struct hsm_act_signature *signature, struct view payload,
                                    ca_act_written *done, void *arg);
/* verb: APPROVE or DENY. ERR_WRONG_STATE where the request is no longer pending or approved. */
MUST_USE struct err *ca_act_sign(struct ca *ca, const struct ca_asker *asker, const struct hsm_roster *roster,
                                 struct view id, enum hsm_act_verb verb,
                                 const struct hsm_act_signature *signature, ca_act_written *done, void *arg);

/* The DER of `Approved` for the vault; ERR_WRONG_STATE saying what is missing. kind: HSM_ACT_NONE for any,
 * else ERR_WRONG_STATE where the act is another. */
MUST_USE struct err *ca_act_approved(struct ca *ca, const struct hsm_roster *roster, struct view id,
                                     enum hsm_act_kind kind, struct arena *arena, struct ca_act *ret,
                                     struct view *ret_approved);
/* The vault has done it (n: the act's number in the seal roll): an entry of kind ACT_DONE. what: the outcome
 * in words. done may be NULL. */
MUST_USE struct err *ca_act_note_done(struct ca *ca, const struct ca_asker *asker, const struct ca_act *act,
                                      uint64_t n, const char *what, ca_act_written *done, void *arg);
/* Hands an approved act to the vault to be done there alone, and notes it: kinds with a row in the vault's
 * own table (a thaw). */
MUST_USE struct err *ca_act_execute(struct ca *ca, const struct ca_asker *asker,
                                    const struct hsm_roster *roster, struct view id, ca_act_written *done,
                                    void *arg);

/* Frozen in the vault, then noted; done when both are durable. */
MUST_USE struct err *ca_freeze(struct ca *ca, const struct ca_asker *asker, const struct hsm_freeze *what,
                               const char *reason, ca_act_written *done, void *arg);

/* Root goes past the roles: an entry, and an alarm (a line of level error, and a metric). what: the path. */
void ca_break_glass(struct ca *ca, const struct ca_asker *asker, const char *what);

#endif
