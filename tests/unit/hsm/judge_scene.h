/* A house without a token: a root and an issuing CA with software keys, a responder key on the list, for the
 * judges. */
#ifndef CHANCERY_TESTS_HSM_JUDGE_SCENE_H
#define CHANCERY_TESTS_HSM_JUDGE_SCENE_H

#include <openssl/evp.h>

#include "judge.h"
#include "shape_scene.h"
#include "token_scene.h"

#define JUDGE_NOW  INT64_C(1795240000) /* 2026-11-21 */
#define JUDGE_SELF "ca.example.internal"

struct judge_scene {
    char dir[32];
    struct arena *arena;
    EVP_PKEY *root_key, *issuing_key, *responder_key;
    struct view root_spki, issuing_spki, responder_spki;
    struct house *house;
    struct house_issuer *root, *issuing;
    struct responder_keys *responders;
    const struct responder_key *responder; /* of issuing */
};

int judge_scene_setup(void **state);
int judge_scene_teardown(void **state);

/* A tbs by issuing that keeps every rule. */
struct cert_tbs judge_scene_tbs(struct judge_scene *s, const char *template);
/* The judge's verdict: ERR__COUNT where it passes. peer FRONT, the template's name, issuing. */
enum err_code judge_scene_cert(struct judge_scene *s, const char *template, const struct cert_tbs *tbs);

/* Signs with a software key, ECDSA with SHA-256. */
struct view judge_scene_sign(EVP_PKEY *key, struct view tbs, struct arena *arena);

#endif
