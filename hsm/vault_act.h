/*
 * What the vault does only where the roster approves, and what is frozen: for the vault's own files. The
 * loop's thread.
 *
 * A question that needs an act carries the DER of `Approved` (hsm_act.h), asks vault_act_judge() with what it
 * is about to do, and calls vault_act_use() in the turn in which it begins to do it. Kinds that come alone
 * have a row in vault_act.c's table instead.
 */
#ifndef CHANCERY_HSM_VAULT_ACT_H
#define CHANCERY_HSM_VAULT_ACT_H

#include "hsm_act.h"
#include "hsm_freeze.h"
#include "vault.h"

/* --- vault_act.c --- */
struct act_book *act_book_new(void);
void act_book_free(struct act_book *b); /* accepts NULL */
/* An entry of kind HSM_ROLL_ACT, at opening. */
void act_book_note(struct act_book *b, const struct hsm_roll_entry *entry, int64_t now_s);

/* What is about to be done. */
struct vault_claim {
    enum hsm_act_kind kind;
    const char *object;                         /* NULL: the act's own */
    struct view object_sha256, template_sha256; /* p == NULL: the act's own */
};
/* The one question: has the roster approved exactly this, now, and was it not done before? Changes nothing.
 * approved: as it came, borrowed by *ret. */
struct vault_act {
    struct hsm_act act;
    struct view der; /* of the act */
    unsigned have;   /* people who approved */
};
MUST_USE struct err *vault_act_judge(struct hsm_vault *v, struct view approved,
                                     const struct vault_claim *claim, struct arena *arena,
                                     struct vault_act *ret);
/* It is done: used from here on, and in the roll before whatever is added in this turn. Gives its number. */
uint64_t vault_act_use(struct hsm_vault *v, const struct vault_act *act);
/* The same; the peer is answered SEQUENCE { n, result } when it is durable, and `after` runs before that. */
void vault_act_use_and_answer(struct vault_call *call, const struct vault_act *act,
                              void (*after)(struct hsm_vault *v, const char *object), struct view result);

/* What an act of its kind does where it comes alone (ACT). Judged already, but for its payload. */
typedef struct err *vault_act_handler(struct vault_call *call, const struct vault_act *act,
                                      struct view payload);

/* --- vault_freeze.c --- */
struct freeze_book *freeze_book_new(void);
void freeze_book_free(struct freeze_book *b); /* accepts NULL */
/* An entry of kind HSM_ROLL_FREEZE or _THAW, at opening. */
void freeze_book_note(struct freeze_book *b, const struct hsm_roll_entry *entry);
void freeze_book_write(const struct freeze_book *b, struct der_out *out); /* for STATUS */
/* ERR_FROZEN. spared as hsm_frozen() has it. */
MUST_USE struct err *vault_freeze_check(const struct hsm_vault *v, struct view issuer, struct view template,
                                        bool spared);
vault_act_handler vault_freeze_thaw;
/* Does what FREEZE asks: id and peer NULL: nobody waits; `after` runs when it is durable in the roll. */
MUST_USE struct err *vault_freeze_order(struct hsm_vault *v, struct view body, void (*after)(void *arg),
                                        void *arg);

/* --- vault_order.c --- */
void vault_order_start(struct hsm_vault *v);
void vault_order_stop(struct hsm_vault *v);

#endif
