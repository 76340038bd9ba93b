/*
 * The states of an issuer (hsm_state.def): names, what works in each, and which one an issuer is in. Decides
 * nothing beyond the table. Any thread.
 */
#include "hsm_state.h"

#include <string.h>

static const struct state {
    const char *name, *what;
    enum hsm_worth works[HSM_WORKS__COUNT];
} states[HSM_STATE__COUNT] = {
#define NO   HSM_NO
#define YES  HSM_YES
#define LAST HSM_LAST
#define STATE(id, number, name, issue, revoke, crl, ocsp, renew, what)                                       \
    [HSM_STATE_##id] = {name, what, {issue, revoke, crl, ocsp, renew}},
#include "hsm_state.def"
#undef STATE
#undef NO
#undef YES
#undef LAST
};

static const struct {
    const char *name, *in_words;
} works[HSM_WORKS__COUNT] = {
    [HSM_WORKS_ISSUE] = {"issue", "issues no certificates"},
    [HSM_WORKS_REVOKE] = {"revoke", "revokes no certificates"},
    [HSM_WORKS_CRL] = {"crl", "makes no revocation lists"},
    [HSM_WORKS_OCSP] = {"ocsp", "makes no OCSP answers"},
    [HSM_WORKS_RENEW] = {"renew", "is not renewed"},
};

const char *hsm_state_name(enum hsm_state state)
{
    return state > HSM_STATE__NONE && state < HSM_STATE__COUNT ? states[state].name : "none";
}

const char *hsm_state_what(enum hsm_state state)
{
    return state > HSM_STATE__NONE && state < HSM_STATE__COUNT ? states[state].what : "";
}

enum hsm_state hsm_state_parse(const char *name)
{
    for (enum hsm_state s = HSM_STATE__NONE + 1; s < HSM_STATE__COUNT; s++)
        if (states[s].name && strcmp(states[s].name, name) == 0)
            return s;
    return HSM_STATE__NONE;
}

const char *hsm_works_name(enum hsm_works what)
{
    return works[what].name;
}

enum hsm_worth hsm_state_works(enum hsm_state state, enum hsm_works what)
{
    return state > HSM_STATE__NONE && state < HSM_STATE__COUNT ? states[state].works[what] : HSM_NO;
}

enum hsm_state hsm_state_now(enum hsm_state set, int64_t not_after, int64_t now)
{
    if (set == HSM_STATE_DELETED || set == HSM_STATE_PENDING)
        return set;
    if (now > not_after)
        return HSM_STATE_EXPIRED;
    return set == HSM_STATE_DISABLED ? set : HSM_STATE_ACTIVE;
}

struct err *hsm_state_check(const char *issuer, enum hsm_state state, enum hsm_works what)
{
    if (hsm_state_works(state, what) != HSM_NO)
        return NULL;
    return err_new(ERR_WRONG_STATE, "the issuer '%s' is %s: it %s", issuer, hsm_state_name(state),
                   works[what].in_words);
}

bool hsm_life_warns(int64_t not_before, int64_t not_after, int64_t now)
{
    return not_after - now <= (not_after - not_before) / 3;
}
