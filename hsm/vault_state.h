/* The states of issuers as the vault keeps them. The vault's loop. */
#ifndef CHANCERY_HSM_VAULT_STATE_H
#define CHANCERY_HSM_VAULT_STATE_H

#include "hsm_state.h"
#include "vault_act.h"

struct state_book *state_book_new(void);
void state_book_free(struct state_book *b); /* accepts NULL */
/* An entry of kind HSM_ROLL_STATE, at opening. */
void state_book_note(struct state_book *b, const struct hsm_roll_entry *entry);

/* What it is now; until: DELETED, when it can no longer be restored; else 0. */
enum hsm_state vault_state_of(const struct hsm_vault *v, const struct house_issuer *issuer,
                              int64_t *ret_until);
/* NULL where it works, else ERR_WRONG_STATE. */
MUST_USE struct err *vault_state_check(const struct hsm_vault *v, const struct house_issuer *issuer,
                                       enum hsm_works what);

/* Acts ca-state and ca-delete. payload: SEQUENCE { state UTF8String, until INTEGER (0, or the last second in
 * which a deleted issuer can be restored) }. */
vault_act_handler vault_state_set;

#endif
