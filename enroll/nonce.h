/*
 * Nonces for whoever proves that it holds a key: made here, good for five minutes and for one use. Nothing is
 * kept of those that were not used, so asking for many costs nothing. On the front's loop.
 */
#ifndef CHANCERY_ENROLL_NONCE_H
#define CHANCERY_ENROLL_NONCE_H

#include "base/err.h"
#include "base/view.h"

enum { NONCE_BYTES = 32, NONCE_LIFE_S = 300, NONCE_USED_MAX = 1024 };

struct nonces {
    uint8_t secret[32]; /* of this process */
    bool seeded;
    uint8_t used[NONCE_USED_MAX][NONCE_BYTES];
    size_t used_at; /* the oldest is overwritten */
};

void nonce_make(struct nonces *n, uint8_t ret[NONCE_BYTES]);
/* ERR_BAD_FIELD: not one of ours, too old, or used before. */
MUST_USE struct err *nonce_check(struct nonces *n, struct view nonce);
void nonce_use(struct nonces *n, struct view nonce);

#endif
