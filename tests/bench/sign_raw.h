/* C_SignInit and C_Sign and nothing else: what the token can do at most. One struct for each thread. */
#ifndef CHANCERY_TESTS_BENCH_SIGN_RAW_H
#define CHANCERY_TESTS_BENCH_SIGN_RAW_H

#include <p11-kit/pkcs11.h>

#include "sign_token.h"

struct sign_raw {
    CK_FUNCTION_LIST *f;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    enum sign_kind kind;
};

/* The module is loaded (dlopen) a second time: the same instance as the token's, logged in already. Ends the
 * program where anything fails. */
void sign_raw_open(struct sign_raw *r, const char *module_path, enum sign_kind kind);
void sign_raw_close(struct sign_raw *r);
void sign_raw_once(struct sign_raw *r);

#endif
