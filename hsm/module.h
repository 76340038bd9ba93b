/*
 * One PKCS#11 module, loaded once in this process: the code of a vendor. libp11 loads it and finds slots and
 * tokens; all else goes through the module's own function list. A module that cannot be helped otherwise is
 * finalised and initialised anew (module_restart), which ends every session of every token of it: hence the
 * lock below.
 *
 * Locking: whoever calls C_* on a session holds the module shared (module_enter); restart, login and looking
 * handles up hold it alone (module_enter_alone). Any thread.
 */
#ifndef CHANCERY_HSM_MODULE_H
#define CHANCERY_HSM_MODULE_H

#include <p11-kit/pkcs11.h>

#include "base/err.h"
#include "uri.h"

struct module;

struct module_config {
    const char *path;       /* of the shared library */
    const char *init_args;  /* for C_Initialize (pReserved), or NULL */
    const char *const *env; /* "NAME=value", NULL-ended, put into the environment before loading; or NULL */
};

/* ERR_CONFIG where it cannot be loaded, ERR_TOKEN_AWAY where it does not start: the text says what to look at
 * (operators only: it names the path). */
MUST_USE struct err *module_open(const struct module_config *config, struct module **ret);

/* Ends all sessions and finalises; leaves the library mapped, so that nothing it registered with the system
 * is called after it is gone. Stop signers, free EVP_PKEYs and close providers and tokens first. Accepts
 * NULL. */
void module_close(struct module *m);

CK_FUNCTION_LIST *module_functions(const struct module *m);

/* The slot of the one token that matches. ERR_TOKEN_AWAY where none does, ERR_CONFIG where several do.
 * Enumerating ends sessions, so only before they are opened; hold the module alone. */
MUST_USE struct err *module_find(struct module *m, const struct uri *uri, CK_SLOT_ID *ret_slot);

void module_enter(struct module *m);
void module_enter_alone(struct module *m);
void module_leave(struct module *m);

/* C_Finalize and C_Initialize; hold the module alone. At most one in a back-off of 1 s, doubling to 16 s
 * while it does not help: ask module_is_rested() first. */
bool module_is_rested(const struct module *m);
MUST_USE struct err *module_restart(struct module *m);
/* How many tokens are open on it, after `change` (1, 0, -1); hold the module alone. */
unsigned module_count_tokens(struct module *m, int change);
/* Tells that a token works again, so that the next back-off starts small. Hold the module alone. */
void module_well(struct module *m);
/* Grows with each restart that succeeded; hold the module. */
unsigned module_epoch(const struct module *m);

/* Around a C_ call of this name: CKR_OK, or what the world pretends (base/world.h); and taking what the
 * module left on this thread's OpenSSL error queue off again. MODULE_CALL(m, C_Sign, session, ...) is both
 * and the call. */
CK_RV module_before(const char *function);
CK_RV module_after(CK_RV rv);
#define MODULE_CALL(m, name, ...)                                                                            \
    __extension__({                                                                                          \
        CK_RV call_rv_ = module_before(#name);                                                               \
        module_after(call_rv_ == CKR_OK ? module_functions(m)->name(__VA_ARGS__) : call_rv_);                \
    })

/* "CKR_PIN_INCORRECT", or "" where we have no name for it. */
const char *module_rv_name(CK_RV rv);
/* An error of this code: what, the function's name, the name of rv. */
MUST_USE struct err *module_err(enum err_code code, const char *function, CK_RV rv, const char *what);

#endif
