/*
 * The page between p11wrap.so, a PKCS#11 module that wraps a real one, and whoever counts its calls or makes
 * them fail: a file, mapped by both (P11WRAP_STATE). Changes are seen at the next call. Any process, any
 * thread.
 */
#ifndef CHANCERY_TESTS_FAULT_P11WRAP_H
#define CHANCERY_TESTS_FAULT_P11WRAP_H

#include <stdatomic.h>
#include <stdint.h>

#define P11WRAP_MAGIC 0x6368703131777231u /* "chp11wr1" */

enum p11wrap_call {
#define WRAP(name, params, args) P11WRAP_##name,
#include "p11wrap.def"
#undef WRAP
    P11WRAP__COUNT
};

enum p11wrap_action {
    P11WRAP_NONE,
    P11WRAP_FAIL,        /* returns `value`; the real module is not called */
    P11WRAP_FAIL_AFTER,  /* the real module is called, then `value` is returned: the answer is lost */
    P11WRAP_DELAY,       /* waits `value` ms, then calls */
    P11WRAP_HANG,        /* waits until the rule is cleared, then calls */
    P11WRAP_CRASH,       /* a fault before the call */
    P11WRAP_CRASH_AFTER, /* and after it */
};

/* One rule a function. To set: action last; it begins to act `skip` calls later, for `times` calls (0:
 * always). */
struct p11wrap_rule {
    atomic_uint action;
    atomic_ulong value;
    atomic_llong skip;
    atomic_llong times;
};

struct p11wrap_page {
    atomic_ullong magic;
    atomic_ulong token_flags;            /* or-ed into what C_GetTokenInfo says: CKF_USER_PIN_FINAL_TRY */
    atomic_ullong calls[P11WRAP__COUNT]; /* begun */
    atomic_ullong good[P11WRAP__COUNT];  /* ended with CKR_OK in the real module */
    struct p11wrap_rule rules[P11WRAP__COUNT];
};

/* "C_Sign"; P11WRAP__COUNT where it is none of p11wrap.def. */
enum p11wrap_call p11wrap_call_of(const char *name);
const char *p11wrap_call_name(enum p11wrap_call call);

/* Maps the file, made and cleared where `create`; NULL and errno. */
struct p11wrap_page *p11wrap_page_map(const char *path, int create);

/* Sets the rule of one call; P11WRAP_NONE clears it. */
void p11wrap_rule_set(struct p11wrap_page *page, enum p11wrap_call call, enum p11wrap_action action,
                      unsigned long value, long long skip, long long times);

#endif
