/*
 * Acts, handed to the vault; and freezing: what nothing is issued for until a thaw that the roster approved.
 * The vault holds it, over restarts; revocation and status go on, and with them the certificates of
 * responders and of the daemon itself. A frozen asker is kept out by the front, which alone knows who asks.
 * On the client's loop (hsm.h).
 */
#ifndef CHANCERY_HSM_FREEZE_H
#define CHANCERY_HSM_FREEZE_H

#include "hsm.h"

/* --- what the roster must approve (hsm_act.h) --- */

/* n: of the act in the roll, durable. result: the kind's own. */
typedef void hsm_acted_fn(void *arg, struct err *e, uint64_t n, struct view result);

/* Does an act: approved is the DER of `Approved`. ERR_FORBIDDEN and ERR_BAD_SIGNATURE name the rule that does
 * not hold; nothing is done then. */
MUST_USE struct err *hsm_act(struct hsm *h, struct view approved, struct view payload, hsm_acted_fn *done,
                             void *arg, ticket_id *ret);

enum hsm_freeze_what { HSM_FREEZE_ALL = 1, HSM_FREEZE_ISSUER, HSM_FREEZE_TEMPLATE, HSM_FREEZE_ASKER };
const char *hsm_freeze_what_text(enum hsm_freeze_what what); /* "issuer" */

struct hsm_freeze {
    enum hsm_freeze_what what;
    const char *name; /* of the issuer or template, the asker's id; "" for all */
    int64_t since;
    const char *why; /* by whom and why, in a few words */
};
enum { HSM_FREEZE_NAME_MAX = 80, HSM_FREEZE_WHY_MAX = 64, HSM_FREEZES_MAX = 256 };

/* Holds from the moment the vault reads it, and over restarts; n: of its entry in the roll, durable. Freezing
 * what is frozen is no error. by: who, reason: why. Works with the token away. */
MUST_USE struct err *hsm_freeze(struct hsm *h, const struct hsm_freeze *what, const char *by,
                                const char *reason, hsm_acted_fn *done, void *arg, ticket_id *ret);
/* ERR_FROZEN saying since when and why, where this is frozen as last heard. Each may be NULL. spared: a
 * certificate that status or revocation needs; only its own template's freeze counts. */
MUST_USE struct err *hsm_frozen(struct hsm *h, const char *issuer, const char *template, const char *asker,
                                bool spared);

/* Break-glass, for root and for a vault that nobody can be asked to speak to: an order left in the roll's
 * folder, which no other user can write. The vault looks several times a second, also at its start, and takes
 * it away when it stands in the roll. by: who, as above. */
#define HSM_ORDER_FILE "order.der"
MUST_USE struct err *hsm_order_write(const char *roll_dir, const struct hsm_freeze *what, const char *by,
                                     const char *reason);

#endif
