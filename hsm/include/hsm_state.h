/*
 * The states of an issuer and what works in each, for the front that decides and the vault that judges. Pure;
 * any thread.
 */
#ifndef CHANCERY_HSM_STATE_H
#define CHANCERY_HSM_STATE_H

#include <stdint.h>

#include "base/err.h"

enum hsm_state {
    HSM_STATE__NONE, /* never set by anybody: active, or expired */
#define STATE(id, number, name, issue, revoke, crl, ocsp, renew, what) HSM_STATE_##id = (number),
#include "hsm_state.def"
#undef STATE
    HSM_STATE__COUNT
};
enum hsm_works {
    HSM_WORKS_ISSUE,
    HSM_WORKS_REVOKE,
    HSM_WORKS_CRL,
    HSM_WORKS_OCSP,
    HSM_WORKS_RENEW,
    HSM_WORKS__COUNT
};
enum hsm_worth { HSM_NO, HSM_YES, HSM_LAST };

const char *hsm_state_name(enum hsm_state state); /* "active" */
const char *hsm_state_what(enum hsm_state state); /* in words */
enum hsm_state hsm_state_parse(const char *name); /* HSM_STATE__NONE where there is none such */
const char *hsm_works_name(enum hsm_works what);  /* "issue" */
enum hsm_worth hsm_state_works(enum hsm_state state, enum hsm_works what);

/* What an issuer is now: `set` by an act (DISABLED, DELETED, PENDING; else NONE), and its certificate's end.
 */
enum hsm_state hsm_state_now(enum hsm_state set, int64_t not_after, int64_t now);

/* NULL where it works; else ERR_WRONG_STATE naming issuer, state and what does not work. */
MUST_USE struct err *hsm_state_check(const char *issuer, enum hsm_state state, enum hsm_works what);

/* How long a deleted issuer can be restored. */
enum { HSM_RESTORE_MIN_S = 7 * 86400, HSM_RESTORE_MAX_S = 30 * 86400 };

/* A third of a life left, or less: time to act. Over: too. */
bool hsm_life_warns(int64_t not_before, int64_t not_after, int64_t now);

#endif
