/*
 * A PKCS#11 module that wraps a real one (P11WRAP_MODULE) and does as the page at P11WRAP_STATE says: counts
 * calls by name and makes them fail, wait, hang or crash. Signs nothing and keeps nothing itself. An
 * independent witness of how often a token really signed. Any thread.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "p11wrap.h"

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret);

static struct p11wrap_page *page;
static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST wrapped;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void wait_ms(unsigned long ms)
{
    struct timespec ts = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    nanosleep(&ts, NULL);
}

/* What this call's rule wants of this very call. */
static enum p11wrap_action due(enum p11wrap_call call)
{
    struct p11wrap_rule *r = &page->rules[call];
    enum p11wrap_action action = (enum p11wrap_action)atomic_load(&r->action);

    if (action == P11WRAP_NONE || atomic_fetch_sub(&r->skip, 1) > 0 || atomic_fetch_sub(&r->times, 1) <= 0)
        return P11WRAP_NONE;
    return action;
}

static void hang(enum p11wrap_call call)
{
    while (atomic_load(&page->rules[call].action) == P11WRAP_HANG)
        wait_ms(10);
}

/* A fault of the processor: one that raise() sends would wait, where the thread blocks signals. */
static void crash(void)
{
    __builtin_trap();
}

/* Before the real call; false where it is not to be made. */
static bool before(enum p11wrap_call call, enum p11wrap_action *ret_action)
{
    enum p11wrap_action action;

    atomic_fetch_add(&page->calls[call], 1);
    *ret_action = action = due(call);
    if (action == P11WRAP_CRASH)
        crash();
    if (action == P11WRAP_DELAY)
        wait_ms(atomic_load(&page->rules[call].value));
    if (action == P11WRAP_HANG)
        hang(call);
    return action != P11WRAP_FAIL;
}

static CK_RV after(enum p11wrap_call call, enum p11wrap_action action, bool called, CK_RV rv)
{
    if (called && rv == CKR_OK)
        atomic_fetch_add(&page->good[call], 1);
    if (action == P11WRAP_CRASH_AFTER)
        crash();
    if (action == P11WRAP_FAIL || action == P11WRAP_FAIL_AFTER)
        return atomic_load(&page->rules[call].value);
    return rv;
}

#define WRAP(name, params, args)                                                                             \
    static CK_RV wrap_##name params                                                                          \
    {                                                                                                        \
        enum p11wrap_action action;                                                                          \
        bool call = before(P11WRAP_##name, &action);                                                         \
        CK_RV rv = call ? real->name args : CKR_OK;                                                          \
                                                                                                             \
        return after(P11WRAP_##name, action, call, rv);                                                      \
    }
#include "p11wrap.def"
#undef WRAP

/* The one call whose answer is changed too. */
static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = wrap_C_GetTokenInfo(slot, info);

    if (rv == CKR_OK)
        info->flags |= atomic_load(&page->token_flags);
    return rv;
}

static CK_RV list(CK_FUNCTION_LIST **ret)
{
    *ret = &wrapped;
    return CKR_OK;
}

static void load(void)
{
    const char *module = getenv("P11WRAP_MODULE"), *state = getenv("P11WRAP_STATE");
    CK_C_GetFunctionList get = NULL;
    void *handle = module ? dlopen(module, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;

    page = state ? p11wrap_page_map(state, 0) : NULL;
    if (handle)
        *(void **)&get = dlsym(handle, "C_GetFunctionList");
    if (!page || !get || get(&real) != CKR_OK) {
        (void)fprintf(stderr, "p11wrap: set P11WRAP_MODULE to a module and P11WRAP_STATE to a page\n");
        real = NULL;
        return;
    }
    wrapped = *real;
#define WRAP(name, params, args) wrapped.name = wrap_##name;
#include "p11wrap.def"
#undef WRAP
    wrapped.C_GetTokenInfo = token_info;
    wrapped.C_GetFunctionList = list;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret)
{
    (void)pthread_once(&once, load);
    return real ? list(ret) : CKR_GENERAL_ERROR;
}
