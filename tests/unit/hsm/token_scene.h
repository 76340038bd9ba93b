/* A SoftHSM token of its own in a temporary folder, for the tests of hsm that need a real one. */
#ifndef CHANCERY_TESTS_HSM_TOKEN_SCENE_H
#define CHANCERY_TESTS_HSM_TOKEN_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keygen.h"
#include "token.h"

#define SCENE_URI "pkcs11:token=test"
#define SCENE_PIN "4711"

struct token_scene {
    char dir[32], tokens[64], pin_state[64], lock[64], conf_env[96];
    struct module *m;
    struct token *t; /* open and logged in */
};

/* For cmocka_unit_test_setup_teardown: a fresh token "test", open. */
int token_scene_setup(void **state);
int token_scene_teardown(void **state);

/* The module alone, nothing opened on it (token_scene_setup calls it after making the token). */
void token_scene_load(struct token_scene *s);
struct err *token_scene_open(struct token_scene *s, const char *pin);
void token_scene_close(struct token_scene *s);

/* A fresh key of this kind, labelled by its kind and a number. */
const struct token_key *token_scene_key(struct token_scene *s, enum cert_key_kind kind, unsigned bits);

/* Frees e; ERR__COUNT where there was none. */
enum err_code code_of(struct err *e);
/* Fails the test, showing e, where there is one. */
void good(struct err *e);

#endif
