/* A SoftHSM token of its own for the bench, in an empty folder, with one P-256 and one RSA-2048 key, open.
 */
#ifndef CHANCERY_TESTS_BENCH_SIGN_TOKEN_H
#define CHANCERY_TESTS_BENCH_SIGN_TOKEN_H

#include "keygen.h"
#include "token.h"

enum sign_kind { SIGN_P256, SIGN_RSA2048, SIGN_KINDS };

extern const char *const sign_kind_name[SIGN_KINDS]; /* "p256": also the key's label */

struct sign_token {
    struct module *module;
    struct token *token;
    const struct token_key *key[SIGN_KINDS];
};

/* dir: exists, empty. Ends the program where anything fails. */
void sign_token_open(struct sign_token *t, const char *module_path, const char *dir, bool p256_only);
void sign_token_close(struct sign_token *t);

/* Ends the program, saying why, where e is an error. */
void sign_must(struct err *e);

#endif
